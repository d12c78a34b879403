/** Sends signed requests to the contracts and pays for them; whoever asks needs no gas (docs/specs/http-api.md). */
import { setTimeout as pause } from 'node:timers/promises'
import { isError, type JsonRpcProvider, type Wallet } from 'ethers'
import type { RequestContract } from '#core/chain/contract-names.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { isAlreadyApplied } from '#node/chain/already-applied.ts'
import { rpcError } from '#node/chain/chain-rpc.ts'
import { CONTRACT_INTERFACES, readRevert } from '#node/chain/contract-errors.ts'
import { createTransactionSender, type SentTransaction } from '#node/chain/transaction-sender.ts'
import type { Log } from '#node/log.ts'
import { createRateLimiter, type Rate } from '#node/network/rate-limiter.ts'

/** A signed request for a contract; tuples in `args` are lists in the order of their fields. */
export interface RelayedRequest {
  readonly contract: RequestContract
  readonly method: string
  readonly args: readonly unknown[]
}

/** Where a request stands: `already` where an equal one had been applied before. */
export interface RelayResult {
  readonly status: 'applied' | 'already'
  readonly txHash: string | null
  readonly blockNumber: number
}

/** What relaying needs. */
export interface RelayerComponents {
  readonly provider: JsonRpcProvider
  /** Pays for the transactions; its key signs nothing else. */
  readonly wallet: Wallet
  readonly deployment: Deployment
  readonly log: Log
}

/** What it may be told. */
export interface RelayerInit {
  /** Most requests under way at once, 64 unless told; more are refused. */
  readonly maxPending?: number
  /** Most time until a request is in a block, ms; 60,000 unless told. */
  readonly inclusionTimeoutMs?: number
  /** Time between two looks for a receipt, ms; 250 unless told. */
  readonly pollMs?: number
  /** Blocks for which an applied request is watched and sent again should it vanish; 32 unless told. */
  readonly watchBlocks?: number
  /** Most gas of one request of an asker, tried out or sent; 1,500,000 unless told. */
  readonly maxGas?: number
  /** Gas of one asker; 200,000 a second, 30,000,000 at once unless told. */
  readonly gasBudget?: Rate
}

/** A relayer. */
export interface Relayer {
  /**
   * Sends a request and waits until it is in a block.
   *
   * @param asker - whose budget of gas it is; none for the operator's own requests, which have no bound
   * @throws SalusError `RELAY_NOT_ALLOWED`, `RELAY_ARGUMENTS`, `RELAY_BUSY`, `RELAY_TIMEOUT`, `RELAY_STOPPED`, `RELAY_NO_FUNDS`, `RELAY_GAS`,
   * `RELAY_BUDGET`,
   * `CHAIN_REVERTED` or the code of the contract's error, `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`
   */
  submit(request: RelayedRequest, asker?: string): Promise<RelayResult>
  /** Ends what is under way; requests not yet in a block may still get there. */
  stop(): Promise<void>
}

/**
 * Methods that anyone may send: they carry the signature of whom they speak for. Those that carry none do what others signed
 * before: a manufacturer's id is the digest of its keys, a release starts and keys come in force when they are due, a recovery is
 * complete and a warrant executed when the chain already shows it, and a yank spreads to every number of its image.
 */
const ALLOWED: Readonly<Record<RequestContract, readonly string[]>> = {
  AccessGrants: [
    ...['register', 'updateKeyBundle', 'rotateSigner'],
    ...['setGuardians', 'openRecovery', 'vetoRecovery', 'completeRecovery'],
    ...['requestAccess', 'grant', 'grantWithAccount', 'grantBatch', 'openFromBatch', 'revoke', 'claim']
  ],
  CredentialRegistry: ['rotateSigner', 'issue', 'revoke'],
  EmergencyAccess: ['setPolicy', 'breakGlass', 'end', 'dispute', 'reviewByCredential'],
  BatchAnchors: ['register', 'rotate', 'retire', 'anchor', 'anchorGateways'],
  NodeRegistry: ['list', 'changePledge', 'retire'],
  FirmwareRegistry: [
    'registerManufacturer',
    'proposeRotation',
    'cancelRotation',
    'completeRotation',
    'heartbeat',
    'registerModel',
    'publish',
    'activate',
    'raiseRollout',
    'cutRollout',
    'raiseMinimum',
    'proposeSunset',
    'cancelSunset',
    'completeSunset',
    'hold',
    'confirmHold',
    'unhold',
    'yank',
    'spreadYank',
    'setDeviceKeys',
    'tripBreaker',
    'addAttestor',
    'removeAttestor',
    'anchorReport',
    'addAdvisory',
    'addRebuild'
  ],
  ConsentRegistry: ['give', 'withdraw'],
  ReleaseRegistry: [
    'publishRelease',
    'challenge',
    'holdRelease',
    'letGoRelease',
    'withdrawRelease',
    'grantAccess',
    'revokeAccess'
  ],
  PrivacyLedger: ['spendSigned'],
  EscrowWarrant: ['openWarrant', 'objectTo', 'cancelByCourt', 'postNotice', 'postShare', 'execute', 'review']
}

const MAX_WATCHED = 1024
/** Most gas of any transaction (EIP-7825), so also of the operator's own. */
const MAX_TRANSACTION_GAS = 16_777_216
/** How often a request that can be rehearsed and not sent is tried again. */
const MAX_TRIALS = 16
const MAX_CALLDATA_CHARACTERS = 2 * 32_768

interface Call extends RelayedRequest {
  readonly to: string
  readonly data: string
  readonly maxGas: number
}

/** Makes a relayer. */
export function createRelayer(
  { provider, wallet, deployment, log }: RelayerComponents,
  init: RelayerInit = {}
): Relayer {
  const { maxPending = 64, inclusionTimeoutMs = 60_000, pollMs = 250, watchBlocks = 32 } = init
  const { maxGas = 1_500_000, gasBudget = { perSecond: 200_000, burst: 30_000_000 } } = init
  const stopped = new AbortController()
  const budget = createRateLimiter({ clock: Date.now }, gasBudget)
  const sender = createTransactionSender({ provider, wallet })
  const pending = new Map<string, Promise<RelayResult>>()
  /** Applied requests that are not deep in the chain yet, by calldata. */
  const watched = new Map<string, { call: Call; sent: SentTransaction; blockNumber: number }>()
  let watching: Promise<void> | undefined

  /**
   * Tries the call without sending it; true if an equal request has been applied already. The code of a signer runs in it, so it gets
   * no more gas than the request may take: one whose signer burns it all is refused like any that its signer did not sign.
   */
  async function rehearse(call: Call): Promise<boolean> {
    try {
      await provider.call({ from: wallet.address, to: call.to, data: call.data, gasLimit: call.maxGas })
      return false
    } catch (cause) {
      if (isOutOfGas(cause)) throw tooMuchGas(cause)
      if (!isError(cause, 'CALL_EXCEPTION')) throw rpcError(cause)
      const { description, error } = readRevert(call.contract, cause.data, cause)
      if (description == null) throw error
      const args = CONTRACT_INTERFACES[call.contract].decodeFunctionData(call.method, call.data).toArray()
      const refused = { ...call, args, errorName: description.name, errorArgs: description.args.toArray() }
      if (await isAlreadyApplied({ provider, deployment }, refused)) return true
      throw error
    }
  }

  /** Refuses what costs too much, and charges the asker once however often the request is sent. */
  function admission(asker: string | undefined): (gas: bigint) => void {
    let isPaid = false
    return gas => {
      if (asker == null) return
      if (gas > maxGas) throw tooMuchGas()
      if (!isPaid && !budget.take(asker, Number(gas))) {
        throw new SalusError('RELAY_BUDGET', 'This address has used up the gas it is paid for; ask again later.')
      }
      isPaid = true
    }
  }

  /** Rehearses, sends, waits; begins again where the transaction vanished. */
  async function deliver(call: Call, asker?: string): Promise<RelayResult> {
    const admit = admission(asker)
    const limit = AbortSignal.any([stopped.signal, AbortSignal.timeout(inclusionTimeoutMs)])
    for (let trials = 1; ; trials++) {
      if (await rehearse(call)) {
        return { status: 'already', txHash: null, blockNumber: await provider.getBlockNumber() }
      }
      const sent = await sender.send(call, admit)
      if (sent == null && trials >= MAX_TRIALS) {
        throw new SalusError('CHAIN_REVERTED', 'The contract refused the request without saying why.')
      }
      const receipt = sent == null ? undefined : await included(sent, limit)
      if (sent == null || receipt == null) {
        await wait(limit)
        continue
      }
      if (receipt.status !== 1) {
        // Another request of the same kind was faster: the rehearsal now says so, or why not.
        if (await rehearse(call)) return { status: 'already', txHash: null, blockNumber: receipt.blockNumber }
        throw new SalusError('CHAIN_REVERTED', 'The contract refused the request without saying why.')
      }
      watch(call, sent, receipt.blockNumber)
      return { status: 'applied', txHash: sent.hash, blockNumber: receipt.blockNumber }
    }
  }

  /** The receipt; `undefined` if the transaction can no longer get into a block. */
  async function included(sent: SentTransaction, limit: AbortSignal) {
    for (;;) {
      // An endpoint that does not answer is asked again until the time is up.
      const receipt = await provider.getTransactionReceipt(sent.hash).catch(() => null)
      if (receipt != null) return receipt
      if (!limit.aborted) await pause(pollMs, undefined, { signal: limit }).catch(() => undefined)
      if (stopped.signal.aborted)
        throw new SalusError('RELAY_STOPPED', 'The node is stopping; ask again after it started.')
      if (limit.aborted) {
        throw new SalusError('RELAY_TIMEOUT', 'The request is not in a block yet. Ask again: it is not applied twice.')
      }
      if (!(await sender.keepAlive(sent))) return undefined
    }
  }

  /** A pause between two looks, until the time is up. */
  async function wait(limit: AbortSignal): Promise<void> {
    if (!limit.aborted) await pause(pollMs, undefined, { signal: limit }).catch(() => undefined)
    if (stopped.signal.aborted)
      throw new SalusError('RELAY_STOPPED', 'The node is stopping; ask again after it started.')
    if (limit.aborted) {
      throw new SalusError('RELAY_TIMEOUT', 'The request is not in a block yet. Ask again: it is not applied twice.')
    }
  }

  function watch(call: Call, sent: SentTransaction, blockNumber: number): void {
    if (watched.size >= MAX_WATCHED) {
      const [oldest] = watched.keys()
      if (oldest != null) watched.delete(oldest)
    }
    watched.set(call.data, { call, sent, blockNumber })
    watching ??= watchAll().finally(() => {
      watching = undefined
    })
  }

  const isStopped = (): boolean => stopped.signal.aborted

  /** Receipts already handed out can vanish with a re-organisation or a crashed development chain. */
  async function watchAll(): Promise<void> {
    while (watched.size > 0 && !stopped.signal.aborted) {
      await pause(8 * pollMs, undefined, { signal: stopped.signal }).catch(() => undefined)
      for (const [data, { call, sent, blockNumber }] of watched) {
        if (isStopped()) return
        try {
          const [receipt, head] = await Promise.all([
            provider.getTransactionReceipt(sent.hash),
            provider.getBlockNumber()
          ])
          if (receipt != null && head - receipt.blockNumber >= watchBlocks) watched.delete(data)
          if (receipt != null) continue
          log.warn(
            { contract: call.contract, method: call.method, blockNumber },
            'a relayed request vanished; sent again'
          )
          const { status } = await deliver(call)
          if (status === 'already') watched.delete(data)
        } catch (error) {
          // Refused by the contract: it can never be applied again. An endpoint that is away says nothing.
          if (isSalusError(error) && !isOutage(error)) watched.delete(data)
          // The code only: what the endpoint says repeats the request, and with it the pseudonym.
          const code = isSalusError(error) ? error.code : 'CHAIN_RPC_FAILED'
          log.warn({ code, contract: call.contract, method: call.method }, 'a relayed request could not be checked')
          await pause(8 * pollMs, undefined, { signal: stopped.signal }).catch(() => undefined)
        }
      }
    }
  }

  return {
    async submit(request, asker) {
      const encoded = encodeCall(deployment, request)
      const call = { ...encoded, maxGas: asker == null ? MAX_TRANSACTION_GAS : maxGas }
      const key = `${call.to}:${call.data}`
      const underWay = pending.get(key)
      if (underWay != null) return underWay
      if (stopped.signal.aborted)
        throw new SalusError('RELAY_STOPPED', 'The node is stopping; ask again after it started.')
      if (pending.size >= maxPending)
        throw new SalusError('RELAY_BUSY', 'Too many requests are under way; ask again later.')
      const result = deliver(call, asker)
        .catch((error: unknown) => {
          throw rpcError(error)
        })
        .finally(() => pending.delete(key))
      pending.set(key, result)
      return result
    },
    async stop() {
      stopped.abort()
      await Promise.allSettled([...pending.values(), watching])
    }
  }
}

function tooMuchGas(cause?: unknown): SalusError {
  return new SalusError('RELAY_GAS', 'The request needs more gas than this node pays for; send it yourself.', { cause })
}

/** Whether a call ended for want of gas: it has no data then, not even none, and only the text of the endpoint tells. */
function isOutOfGas(cause: unknown): boolean {
  if (!isError(cause, 'CALL_EXCEPTION') || cause.data != null) return false
  const { error } = (cause.info ?? {}) as { readonly error?: { readonly message?: unknown } }
  return /\bgas\b/i.test(String(error?.message))
}

function isOutage({ code }: SalusError): boolean {
  return ['CHAIN_UNREACHABLE', 'CHAIN_RPC_FAILED', 'RELAY_TIMEOUT', 'RELAY_STOPPED'].includes(code)
}

function encodeCall(deployment: Deployment, { contract, method, args }: RelayedRequest): Omit<Call, 'maxGas'> {
  if (!ALLOWED[contract].includes(method)) {
    throw new SalusError('RELAY_NOT_ALLOWED', 'This method is not relayed; docs/specs/http-api.md says which are.')
  }
  let data: string
  try {
    data = CONTRACT_INTERFACES[contract].encodeFunctionData(method, args)
  } catch (cause) {
    throw new SalusError('RELAY_ARGUMENTS', 'The arguments are not those of the method; see its interface.', { cause })
  }
  if (data.length > MAX_CALLDATA_CHARACTERS) throw new SalusError('RELAY_ARGUMENTS', 'The arguments are too large.')
  return { contract, method, args, to: deployment.contracts[contract].address, data }
}
