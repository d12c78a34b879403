/** What a person's agent asks the chain itself, not a node: whether a capsule is genuine, and who may have written what. */
import { Contract, type JsonRpcProvider } from 'ethers'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import type { CapsuleOnChain } from '#core/agent/grantee-state.ts'
import { foldRecordOnChain, type DatedEvent, type RecordOnChain } from '#core/agent/record-on-chain.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { createLogDecoder } from '#core/chain/events.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { createChainRpc, rpcError } from '#node/chain/chain-rpc.ts'

/** Answers from the chain; each throws SalusError `CHAIN_UNREACHABLE` or `CHAIN_RPC_FAILED`. */
export interface ChainFacts {
  /** Everything that the chain says of patients, grants, credentials and emergencies, in its order: asking for all tells the endpoint of none. */
  events(): Promise<readonly DatedEvent[]>
  recordOf(patient: Uint8Array): Promise<RecordOnChain>
  /**
   * What a grantee checks a capsule against.
   *
   * @throws SalusError `GRANT_UNKNOWN` if the chain has no such grant; `GRANT_REVOKED`
   */
  capsuleOf(grantId: Uint8Array, patient: Uint8Array): Promise<CapsuleOnChain>
}

/** Blocks that may still be replaced: they are read again each time. */
const UNSETTLED_BLOCKS = 32
/** What the chain keeps in place of the terms of a revoked grant. */
const REVOKED = 1n
/** Blocks asked for at once. */
const PAGE_BLOCKS = 5_000

interface Placed extends DatedEvent {
  readonly blockNumber: number
}

/** Makes the answers; blocks that are settled are read once. */
export function createChainFacts(provider: JsonRpcProvider, deployment: Deployment): ChainFacts {
  const rpc = createChainRpc(provider)
  const decode = createLogDecoder(deployment)
  const { address } = deployment.contracts.AccessGrants
  const followed = [
    address,
    deployment.contracts.EmergencyAccess.address,
    deployment.contracts.CredentialRegistry.address
  ]
  const grants = new Contract(address, accessGrantsAbi, provider)
  let known: Placed[] = []
  let nextBlock = deployment.blockNumber
  let reading: Promise<void> = Promise.resolve()

  async function readOn(): Promise<void> {
    const head = await rpc.headNumber()
    const from = Math.max(deployment.blockNumber, Math.min(nextBlock, head + 1) - UNSETTLED_BLOCKS)
    const fresh = known.filter(({ blockNumber }) => blockNumber < from)
    for (let at = from; at <= head; at += PAGE_BLOCKS) {
      fresh.push(...(await readPage(at, Math.min(head, at + PAGE_BLOCKS - 1))))
    }
    known = fresh
    nextBlock = head + 1
  }

  async function readPage(from: number, to: number): Promise<Placed[]> {
    const logs = await rpc.logsIn(from, to, followed)
    const times = new Map<number, number>()
    const page: Placed[] = []
    for (const log of logs) {
      const event = decode(log)
      if (event == null) continue
      const { blockNumber } = log
      const timeS = times.get(blockNumber) ?? (await rpc.header(blockNumber))?.timeS
      // The block was replaced meanwhile: the next look sees what stands in its place.
      if (timeS == null) continue
      times.set(blockNumber, timeS)
      page.push({ event, timeS, blockNumber })
    }
    return page
  }

  async function view(method: string, id: Uint8Array): Promise<unknown> {
    try {
      return await grants.getFunction(method)(toHex(id))
    } catch (cause) {
      throw rpcError(cause)
    }
  }

  const facts: ChainFacts = {
    async events() {
      const turn = reading.then(readOn)
      reading = turn.catch(() => undefined)
      await turn
      return known
    },
    recordOf: async patient => foldRecordOnChain(deployment, patient, await facts.events()),
    async capsuleOf(grantId, patient) {
      const terms = (await view('termsOf', grantId)) as bigint
      if (terms === 0n) throw new SalusError('GRANT_UNKNOWN', 'The chain has no such grant.')
      if (terms === REVOKED) throw new SalusError('GRANT_REVOKED', 'The patient has revoked the grant.')
      return { terms, keyBundle: fromHex((await view('keyBundleOf', patient)) as string, 32) }
    }
  }
  return facts
}
