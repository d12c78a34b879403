/** What a person's agent asks the chain itself, not a node: whether a capsule is genuine, and who may have written what. */
import { Contract, type JsonRpcProvider } from 'ethers'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import type { CapsuleOnChain } from '#core/agent/grantee-state.ts'
import { foldRecordOnChain, type DatedEvent, type RecordOnChain } from '#core/agent/record-on-chain.ts'
import type { ChainView } from '#core/chain/view.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { createLogDecoder, type ChainLog } from '#core/chain/events.ts'
import type { GrantHistory } from '#core/consent/explain.ts'
import type { LogAnchor } from '#core/receipts/follow.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { credentialsIn, type HeldCredential } from '#agent/chain/credential-facts.ts'
import { grantHistoryIn, type PlacedEvent } from '#agent/chain/grant-history.ts'
import { readLogAnchor } from '#agent/chain/log-anchor.ts'
import { readPatientFacts } from '#node/chain/patient-facts.ts'
import { createChainRpc, rpcError } from '#node/chain/chain-rpc.ts'

/** Answers from the chain; each throws SalusError `CHAIN_UNREACHABLE` or `CHAIN_RPC_FAILED`. */
export interface ChainFacts {
  /** Everything that the chain says of patients, grants and emergencies, in its order: asking for all tells the endpoint of none. */
  events(): Promise<readonly DatedEvent[]>
  recordOf(patient: Uint8Array): Promise<RecordOnChain>
  /** What became of a grant, `0x…`, and where the chain says so; null if it has no such grant. */
  grantHistory(grantId: string): Promise<GrantHistory | null>
  /** The credentials that were issued to an address, `0x…`. */
  credentialsOf(holder: string): Promise<readonly HeldCredential[]>
  /** Time of the newest block, seconds since 1970-01-01. */
  headTimeS(): Promise<number>
  /**
   * What a grantee checks a capsule against.
   *
   * @throws SalusError `GRANT_UNKNOWN` if the chain has no such grant; `GRANT_REVOKED`
   */
  capsuleOf(grantId: Uint8Array, patient: Uint8Array): Promise<CapsuleOnChain>
  /** The number that the patient's next request about guardians or recovery has to carry. */
  nonceOf(patient: Uint8Array): Promise<number>
  /** The guardians that the chain knows; a root of zeros for none. */
  guardiansOf(patient: Uint8Array): Promise<{ readonly root: Uint8Array; readonly threshold: number }>
  /** When a recovery that is under way may be completed, seconds since 1970-01-01; undefined if none is. */
  recoveryReadyAtS(patient: Uint8Array): Promise<number | undefined>
  /** The newest anchor of a custodian's log of receipts; undefined before the first. */
  anchorOf(log: Uint8Array): Promise<LogAnchor | undefined>
  /** A view of this patient alone, as of so many blocks ago: tells the endpoint who asks for whom. */
  viewOf(patient: Uint8Array, confirmations: number): Promise<ChainView>
}

/** Blocks that may still be replaced: they are read again each time. */
const UNSETTLED_BLOCKS = 32
/** What the chain keeps in place of the terms of a revoked grant. */
const REVOKED = 1n
/** Blocks asked for at once. */
const PAGE_BLOCKS = 5_000

/** Makes the answers; blocks that are settled are read once. */
export function createChainFacts(provider: JsonRpcProvider, deployment: Deployment): ChainFacts {
  const rpc = createChainRpc(provider)
  const decode = createLogDecoder(deployment)
  const { address } = deployment.contracts.AccessGrants
  const grants = new Contract(address, accessGrantsAbi, provider)
  let known: PlacedEvent[] = []
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

  async function readPage(from: number, to: number): Promise<PlacedEvent[]> {
    const logs = await rpc.logsIn(from, to, [address, deployment.contracts.EmergencyAccess.address])
    const times = new Map<number, number>()
    const page: PlacedEvent[] = []
    for (const log of logs) {
      const event = decode(log)
      if (event == null) continue
      const { blockNumber } = log
      const timeS = times.get(blockNumber) ?? (await rpc.header(blockNumber))?.timeS
      // The block was replaced meanwhile: the next look sees what stands in its place.
      if (timeS == null) continue
      times.set(blockNumber, timeS)
      page.push({ event, timeS, blockNumber, transactionHash: log.transactionHash, logIndex: log.logIndex })
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
    async grantHistory(grantId) {
      await facts.events()
      return grantHistoryIn(known, grantId)
    },
    async credentialsOf(holder) {
      const head = await rpc.headNumber()
      const logs: ChainLog[] = []
      for (let at = deployment.blockNumber; at <= head; at += PAGE_BLOCKS) {
        const to = Math.min(head, at + PAGE_BLOCKS - 1)
        logs.push(...(await rpc.logsIn(at, to, [deployment.contracts.CredentialRegistry.address])))
      }
      return credentialsIn(logs, holder)
    },
    async headTimeS() {
      const header = await rpc.header(await rpc.headNumber())
      if (header == null) throw new SalusError('CHAIN_RPC_FAILED', 'The RPC endpoint has no newest block.')
      return header.timeS
    },
    async capsuleOf(grantId, patient) {
      const terms = (await view('termsOf', grantId)) as bigint
      if (terms === 0n) throw new SalusError('GRANT_UNKNOWN', 'The chain has no such grant.')
      if (terms === REVOKED) throw new SalusError('GRANT_REVOKED', 'The patient has revoked the grant.')
      return { terms, keyBundle: fromHex((await view('keyBundleOf', patient)) as string, 32) }
    },
    nonceOf: async patient => Number(await view('nonceOf', patient)),
    async guardiansOf(patient) {
      const [root, threshold] = (await view('guardiansOf', patient)) as [string, bigint]
      return { root: fromHex(root, 32), threshold: Number(threshold) }
    },
    async recoveryReadyAtS(patient) {
      const [, readyAt] = (await view('recoveryOf', patient)) as [string, bigint]
      return readyAt === 0n ? undefined : Number(readyAt)
    },
    anchorOf: async log => readLogAnchor(provider, deployment, log),
    viewOf: async (patient, confirmations) => readPatientFacts(provider, deployment, toHex(patient), confirmations)
  }
  return facts
}
