/** A chain that exists on paper only: authentic headers, filters and receipts over made-up events, as large as one likes. */
import { createHash } from 'node:crypto'
import { Interface, id, keccak256 } from 'ethers'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import { bloomBits } from '#core/chain/bloom.ts'
import { headerHash } from '#core/chain/block-header.ts'
import { byContract } from '#core/chain/deployment.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import type { Hex } from '#core/chain/events.ts'
import { receiptsRoot, type ReceiptFields } from '#core/chain/receipts.ts'
import { toHex } from '#core/encoding/bytes.ts'

/** How large, and of what. */
export interface PaperChainInit {
  readonly blocks: number
  readonly eventsPerBlock: number
  /** `mixed`: of ten events six grants, two revocations, a registration and a new key bundle; `grants`: nine grants and a registration. */
  readonly mix: 'mixed' | 'grants'
  /** Whether logs tell the time of their block, as those of newer clients do. */
  readonly timed?: boolean
  /** Tells branches of a chain apart, from a block on. */
  readonly branch?: string
  readonly branchesAt?: number
  /** Events of the branch in place of those that the mix gives. */
  readonly instead?: (number: number) => readonly PaperEvent[] | undefined
}

/** An event as it is logged. */
export interface PaperEvent {
  readonly topics: readonly string[]
  readonly data: string
}

/** A log as an endpoint gives it. */
export interface PaperLog {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
  readonly blockNumber: string
  readonly blockHash: string
  readonly transactionHash: string
  readonly logIndex: string
}

/** Answers as an endpoint does; `undefined` for a method it does not know. */
export interface PaperChain {
  readonly head: number
  answer(method: string, params: readonly unknown[]): unknown
}

interface Block {
  readonly hash: string
  readonly parentHash: string
  readonly bloom: string
  readonly root: string
}

const NONE = `0x${'00'.repeat(32)}`
const FIRST_S = 1_700_000_000
const BLOCK_S = 12
const CHAIN_ID = 1
const ABI = new Interface(accessGrantsAbi)
const TOPIC = Object.fromEntries(
  ['PatientRegistered', 'KeyBundleUpdated', 'Granted', 'Revoked'].map(name => [
    name,
    ABI.getEvent(name)?.topicHash ?? ''
  ])
)

/** The deployment of every such chain: no contract has code. */
export function paperChainDeployment(): Deployment {
  const codeHash = keccak256('0x') as Hex
  const contracts = byContract(name => ({ address: id(name).slice(0, 42) as Hex, codeHash }))
  const networkId = toHex(networkIdOf(CHAIN_ID, contracts.AccessGrants.address))
  return { chainId: CHAIN_ID, networkId, blockNumber: 1, contracts }
}

/** A made-up id; like real ones, in no order. */
export function paperId(kind: string, number: number): Hex {
  return `0x${createHash('sha256')
    .update(`${kind}/${String(number)}`)
    .digest('hex')}`
}

/** Makes a chain; block 0 has no events. */
export function createPaperChain(init: PaperChainInit): PaperChain {
  const { address } = paperChainDeployment().contracts.AccessGrants
  const bits = new Map<string, readonly number[]>()
  const blocks: Block[] = []

  function bitsOf(item: string, isRare: boolean): readonly number[] {
    const known = bits.get(item) ?? bloomBits(item)
    if (!isRare) bits.set(item, known)
    return known
  }

  function logsOf(number: number): Omit<PaperLog, 'blockHash'>[] {
    if (number === 0) return []
    const blockNumber = hex(number)
    const mixed = (): PaperEvent[] =>
      Array.from({ length: init.eventsPerBlock }, (_, i) => {
        return eventOf((number - 1) * init.eventsPerBlock + i, init.mix)
      })
    return (init.instead?.(number) ?? mixed()).map((event, i) => {
      return { address, ...event, blockNumber, transactionHash: NONE, logIndex: hex(i) }
    })
  }

  function receiptsOf(logs: readonly Omit<PaperLog, 'blockHash'>[], logsBloom: string): ReceiptFields[] {
    return [{ type: '0x2', status: '0x1', cumulativeGasUsed: '0x5208', logsBloom, logs }]
  }

  function headerOf(number: number): Record<string, unknown> {
    const { hash, parentHash, bloom, root } = blocks[number] ?? { hash: '', parentHash: '', bloom: '', root: '' }
    return { ...fields(number, parentHash, bloom, root), hash }
  }

  function fields(number: number, parentHash: string, logsBloom: string, root: string): Record<string, unknown> {
    const nothing = {
      sha3Uncles: NONE,
      miner: `0x${'00'.repeat(20)}`,
      stateRoot: NONE,
      transactionsRoot: NONE,
      mixHash: NONE
    }
    const numbers = { difficulty: '0x0', gasLimit: '0x1c9c380', gasUsed: '0x5208', baseFeePerGas: '0x7' }
    const isOfBranch = number >= (init.branchesAt ?? 0)
    const extraData = `0x${isOfBranch ? Buffer.from(init.branch ?? '').toString('hex') : ''}`
    const place = { number: hex(number), timestamp: hex(FIRST_S + number * BLOCK_S), nonce: '0x0000000000000000' }
    return { ...nothing, ...numbers, ...place, parentHash, logsBloom, receiptsRoot: root, extraData }
  }

  for (let number = 0; number <= init.blocks; number++) {
    const logs = logsOf(number)
    const filter = new Uint8Array(256)
    for (const { topics } of logs) {
      const all = [address, ...topics].flatMap((item, i) => bitsOf(item, i > 1))
      for (const bit of all) filter[255 - (bit >> 3)] = (filter[255 - (bit >> 3)] ?? 0) | (1 << (bit & 7))
    }
    const bloom = `0x${Buffer.from(filter).toString('hex')}`
    const root = receiptsRoot(logs.length === 0 ? [] : receiptsOf(logs, bloom))
    const parentHash = blocks.at(-1)?.hash ?? NONE
    blocks.push({ hash: headerHash(fields(number, parentHash, bloom, root)) ?? '', parentHash, bloom, root })
  }
  const numbers = new Map(blocks.map(({ hash }, number) => [hash, number]))

  const placed = (number: number): PaperLog[] => {
    const blockHash = blocks[number]?.hash ?? ''
    const time = init.timed === true ? { blockTimestamp: hex(FIRST_S + number * BLOCK_S) } : {}
    return logsOf(number).map(log => ({ ...log, ...time, blockHash }))
  }
  const head = init.blocks
  return {
    head,
    answer(method, params) {
      const [first] = params
      switch (method) {
        case 'eth_chainId':
          return hex(CHAIN_ID)
        case 'eth_blockNumber':
          return hex(head)
        case 'eth_getCode':
          return '0x'
        case 'eth_getBlockByNumber': {
          const number = first === 'safe' || first === 'finalized' ? 0 : Number(first)
          return number > head ? null : headerOf(number)
        }
        case 'eth_getBlockReceipts': {
          const number = numbers.get(String(first)) ?? 0
          const logs = placed(number)
          return logs.length === 0 ? [] : receiptsOf(logs, blocks[number]?.bloom ?? '')
        }
        case 'eth_getLogs': {
          const filter = first as {
            readonly blockHash?: string
            readonly fromBlock?: string
            readonly toBlock?: string
          }
          if (filter.blockHash != null) return placed(numbers.get(filter.blockHash) ?? 0)
          const [from, to] = [Number(filter.fromBlock), Math.min(Number(filter.toBlock), head)]
          return Array.from({ length: Math.max(to - from + 1, 0) }, (_, i) => placed(from + i)).flat()
        }
        default:
          return undefined
      }
    }
  }
}

/** The revocation of a grant. */
export function paperRevocation(patient: Hex, grantId: Hex): PaperEvent {
  return { topics: [TOPIC['Revoked'] ?? '', patient, grantId], data: '0x' }
}

/** The event of a number, counted from 0 over the whole chain. */
function eventOf(number: number, mix: PaperChainInit['mix']): PaperEvent {
  const decade = Math.floor(number / 10)
  const patient = paperId('patient', decade)
  const digits = (value: string): string => value.slice(2)
  const kind = number % 10
  if (kind === 0) {
    const signer = `${word(0x40)}${digits(paperId('keys', decade))}${word(20)}${patient.slice(2, 42)}${'00'.repeat(12)}`
    return { topics: [TOPIC['PatientRegistered'] ?? '', patient], data: `0x${signer}` }
  }
  if (mix === 'mixed' && kind === 9) {
    return { topics: [TOPIC['KeyBundleUpdated'] ?? '', patient], data: paperId('later-keys', decade) }
  }
  if (mix === 'mixed' && kind >= 7) {
    return paperRevocation(patient, paperId('grant', number - 6))
  }
  const terms = `ff${digits(paperId('terms', number)).slice(2)}`
  return { topics: [TOPIC['Granted'] ?? ''], data: `0x${digits(patient)}${digits(paperId('grant', number))}${terms}` }
}

function word(value: number): string {
  return value.toString(16).padStart(64, '0')
}

function hex(value: number): string {
  return `0x${value.toString(16)}`
}
