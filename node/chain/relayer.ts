/** Sends signed requests to the contracts and pays for them; whoever asks needs no gas (docs/specs/http-api.md). */
import { setTimeout as pause } from 'node:timers/promises'
import { isError, type JsonRpcProvider, type TransactionReceipt, type Wallet } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { isAlreadyApplied } from '#node/chain/already-applied.ts'
import { rpcError } from '#node/chain/chain-rpc.ts'
import { CONTRACT_INTERFACES, readRevert } from '#node/chain/contract-errors.ts'
import { createFunds, type BalanceState } from '#node/chain/funds.ts'
import { createOutbox, type OutboxCall, type OutboxEntry } from '#node/chain/outbox.ts'
import { createOutboxKeeper } from '#node/chain/outbox-keeper.ts'
import { encodeCall, type RelayedRequest } from '#node/chain/relayed-methods.ts'
import { createSpending, type Booking, type DayBudgets, type Spender } from '#node/chain/spending.ts'
import { createTransactionSender, MAX_TRANSACTION_GAS, type Purse } from '#node/chain/transaction-sender.ts'
import type { Witness } from '#node/chain/witness.ts'
import type { Log } from '#node/log.ts'
import { createRateLimiter, type Rate } from '#node/network/rate-limiter.ts'
import type { Database } from '#node/store/database.ts'

/** Where a request stands: `already` where an equal one had been applied before. */
export interface RelayResult {
  readonly status: 'applied' | 'already'
  readonly txHash: string | null
  readonly blockNumber: number
}

/** What relaying needs. */
export interface RelayerComponents {
  readonly provider: JsonRpcProvider
  /** Other endpoints, that are asked before what one says is final: that a request was applied, or that its transaction is lost. */
  readonly witness?: Witness | undefined
  /** Pays for the transactions; its key signs nothing else. */
  readonly wallet: Wallet
  readonly deployment: Deployment
  readonly log: Log
  /** Where it keeps what is under way and what it spent; without one that lasts as long as the process. */
  readonly db?: Database
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
  /** Most wei a day; no bound unless told. */
  readonly dayBudgets?: DayBudgets
  /** Most wei for a unit of gas; 500 gwei unless told. */
  readonly maxFeePerGasWei?: bigint
  /** Time after which a transaction that is next, and in no block, is sent again for more, ms; 30,000 unless told. */
  readonly stuckMs?: number
  /** Balance below which the log and the status say so, wei; 0.05 ether unless told. */
  readonly lowBalanceWei?: bigint
  /** Balance that is left to the operator's own requests, wei; none unless told. */
  readonly reserveWei?: bigint
}

/** A relayer as plain data, for people and metrics. */
export interface RelayerStatus {
  readonly address: string
  /** As last seen; `null` before. */
  readonly balanceWei: string | null
  readonly balanceState: BalanceState
  /** Requests that somebody waits for. */
  readonly underWay: number
  /** Transactions that are not deep in the chain yet, and the age of the oldest that is in no block. */
  readonly outbox: number
  readonly oldestPendingS: number | null
  readonly spentTodayWei: string
  readonly dayBudgetWei: string | null
  /** Counts since the start. */
  readonly counters: Readonly<Record<keyof RelayerCounters, number>>
}

interface RelayerCounters {
  applied: number
  already: number
  refused: number
  sent: number
  /** Sent again for more. */
  replaced: number
  /** Sent again after they vanished from the chain. */
  resent: number
  timeouts: number
}

/** A relayer. */
export interface Relayer {
  /** Takes up what an earlier process left under way. */
  start(): Promise<void>
  /**
   * Sends a request and waits until it is in a block.
   *
   * @param asker - whose budget of gas it is; none for the operator's own requests, which have no bound
   * @param signal - ends the waiting, with its reason; the request may still get into a block
   * @throws SalusError `RELAY_NOT_ALLOWED`, `RELAY_ARGUMENTS`, `RELAY_BUSY`, `RELAY_TIMEOUT`, `RELAY_STOPPED`, `RELAY_NO_FUNDS`, `RELAY_GAS`,
   * `RELAY_BUDGET`, `RELAY_DAY_BUDGET`, `RELAY_CONTRACT_BUDGET`, `RELAY_FEE_CAP`,
   * `CHAIN_REVERTED` or the code of the contract's error, `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`
   */
  submit(request: RelayedRequest, asker?: string, signal?: AbortSignal): Promise<RelayResult>
  status(): RelayerStatus
  /** Ends what is under way; requests not yet in a block may still get there. */
  stop(): Promise<void>
}

/** Most transactions that are in no block; with so many under way the fees are too low for the time. */
const MAX_UNMINED = 256
/** 500 gwei. */
const DEFAULT_FEE_CAP = 500_000_000_000n
/** 0.05 ether. */
const DEFAULT_LOW_BALANCE = 50_000_000_000_000_000n
/** How often a request that can be rehearsed and not sent is tried again. */
const MAX_TRIALS = 16

interface Call extends OutboxCall {
  readonly asker: string | undefined
}

/** Makes a relayer. */
export function createRelayer(
  { provider, witness, wallet, deployment, log, db }: RelayerComponents,
  init: RelayerInit = {}
): Relayer {
  const { maxPending = 64, inclusionTimeoutMs = 60_000, pollMs = 250, watchBlocks = 32, stuckMs = 30_000 } = init
  const { maxGas = 1_500_000, gasBudget = { perSecond: 200_000, burst: 30_000_000 }, dayBudgets = {} } = init
  const { maxFeePerGasWei = DEFAULT_FEE_CAP, reserveWei = 0n } = init
  const { lowBalanceWei = DEFAULT_LOW_BALANCE } = init
  const clock = Date.now
  const stopped = new AbortController()
  const rate = createRateLimiter({ clock }, gasBudget)
  const spending = createSpending({ db, clock }, dayBudgets)
  const funds = createFunds({ provider, address: wallet.address, log }, { lowBalanceWei, reserveWei })
  const outbox = createOutbox(db, wallet.address)
  const drop = async (entry: OutboxEntry): Promise<void> => keeper.drop(entry)
  const parts = { provider, witness: witness?.provider, wallet, outbox, clock, drop }
  const sender = createTransactionSender(parts, maxFeePerGasWei)
  /** Who asked for what is not settled yet, by nonce: in memory only. */
  const askers = new Map<number, string>()
  const pending = new Map<string, Promise<RelayResult>>()
  const counters: RelayerCounters = {
    ...{ applied: 0, already: 0, refused: 0, sent: 0 },
    ...{ replaced: 0, resent: 0, timeouts: 0 }
  }
  const keeper = createOutboxKeeper(
    { provider, outbox, sender, log, settle, afford, deliverAgain, counters, signal: stopped.signal },
    { pollMs, watchBlocks, stuckMs }
  )

  const isStopped = (): boolean => stopped.signal.aborted
  const stopping = (): SalusError =>
    new SalusError('RELAY_STOPPED', 'The node is stopping; ask again after it started.')

  /**
   * Tries the call without sending it; true if an equal request has been applied already. The code of a signer runs in it, so it gets
   * no more gas than the request may take: one whose signer burns it all is refused like any that its signer did not sign.
   */
  async function tryOut(on: JsonRpcProvider, call: OutboxCall): Promise<boolean> {
    try {
      await on.call({ from: wallet.address, to: call.to, data: call.data, gasLimit: call.maxGas })
      return false
    } catch (cause) {
      if (isOutOfGas(cause)) throw tooMuchGas(cause)
      if (!isError(cause, 'CALL_EXCEPTION')) throw rpcError(cause)
      const { description, error } = readRevert(call.contract, cause.data, cause)
      if (description == null) throw error
      const args = CONTRACT_INTERFACES[call.contract].decodeFunctionData(call.method, call.data).toArray()
      const refused = { ...call, args, errorName: description.name, errorArgs: description.args.toArray() }
      if (await isAlreadyApplied({ provider: on, deployment }, refused)) return true
      throw error
    }
  }

  /** The same, and if other endpoints answer, one of them says so too; where it does not, the next question goes to it. */
  async function rehearse(call: OutboxCall): Promise<boolean> {
    if (!(await tryOut(provider, call))) return false
    if (witness == null) return true
    const isConfirmed = await tryOut(witness.provider, call).catch(
      (error: unknown) => isSalusError(error) && isOutage(error)
    )
    if (!isConfirmed) witness.differs()
    return isConfirmed
  }

  /** Refuses what costs too much, and charges the asker's gas once however often the request is sent. */
  function purseOf(call: Call): Purse {
    const of = spenderOf(call)
    let isCharged = false
    return {
      async book({ gas, wei }) {
        if (!of.isOwn && gas > maxGas) throw tooMuchGas()
        await funds.require(wei, !of.isOwn)
        const booking = await spending.book(wei, of)
        if (!isCharged && of.asker != null && !rate.take(of.asker, Number(gas))) {
          await spending.settle(booking, 0n, of)
          throw new SalusError('RELAY_BUDGET', 'This address has used up the gas it is paid for; ask again later.')
        }
        isCharged = true
        return booking
      },
      giveBack: async booking => spending.settle(booking, 0n, of)
    }
  }

  /** Puts what a transaction cost in the place of what is booked for it, once. */
  async function settle({ nonce, call, booking }: OutboxEntry, costWei: bigint): Promise<void> {
    const asker = askers.get(nonce)
    askers.delete(nonce)
    if (booking == null) return
    await spending.settle(booking, costWei, { contract: call.contract, asker, isOwn: booking.isOwn })
  }

  /** Books what a replacement may cost, in place of what is booked; `undefined` where a budget or the balance is too small for it. */
  async function afford({ nonce, call, booking }: OutboxEntry, wei: bigint): Promise<Booking | undefined> {
    const isOwn = booking?.isOwn ?? true
    const of: Spender = { contract: call.contract, asker: askers.get(nonce), isOwn }
    try {
      const extra = wei - (booking?.wei ?? 0n)
      await funds.require(extra, !isOwn)
      const more = await spending.book(extra, of)
      // What was booked on an earlier day stays there.
      return more.day === booking?.day ? { ...more, wei } : more
    } catch (error) {
      if (!isSalusError(error)) throw error
      return undefined
    }
  }

  /** Rehearses, sends, waits; begins again where the transaction vanished. */
  async function deliver(call: Call): Promise<RelayResult> {
    const purse = purseOf(call)
    const limit = AbortSignal.any([stopped.signal, AbortSignal.timeout(inclusionTimeoutMs)])
    for (let trials = 1; ; trials++) {
      const underWay = outbox.waitingFor(call)
      if (underWay == null && (await rehearse(call))) {
        return { status: 'already', txHash: null, blockNumber: await provider.getBlockNumber() }
      }
      const sent = underWay ?? (await send(call, purse))
      if (sent == null && trials >= MAX_TRIALS) {
        throw new SalusError('CHAIN_REVERTED', 'The contract refused the request without saying why.')
      }
      const receipt = sent == null ? undefined : await included(sent, limit)
      if (sent == null || receipt == null) {
        await wait(limit)
        continue
      }
      const { hash, blockNumber } = receipt
      await keeper.noteIncluded(sent.nonce, receipt)
      if (receipt.status === 1) return { status: 'applied', txHash: hash, blockNumber }
      await outbox.remove(sent.nonce)
      // Another request of the same kind was faster: the rehearsal now says so, or why not.
      if (await rehearse(call)) return { status: 'already', txHash: null, blockNumber }
      throw new SalusError('CHAIN_REVERTED', 'The contract refused the request without saying why.')
    }
  }

  async function send(call: Call, purse: Purse): Promise<OutboxEntry | undefined> {
    // Who asked is not written down.
    const { contract, method, to, data, maxGas: most, asker } = call
    const sent = await sender.send({ contract, method, to, data, maxGas: most }, purse)
    if (sent != null) {
      counters.sent++
      if (asker != null && sent.booking != null) askers.set(sent.nonce, asker)
    }
    keeper.tend()
    return sent
  }

  /** The receipt; `undefined` if the transaction can no longer get into a block. */
  async function included(sent: OutboxEntry, limit: AbortSignal) {
    for (;;) {
      // It may have been sent again for more meanwhile. An endpoint that does not answer is asked again until the time is up.
      const entry = outbox.get(sent.nonce) ?? sent
      const receipt = await sender.receipt(entry).catch(() => undefined)
      if (receipt != null && (await isSeen(receipt))) return receipt
      await wait(limit)
      if (!(await sender.keepAlive(outbox.get(sent.nonce) ?? sent))) {
        await keeper.drop(outbox.get(sent.nonce) ?? sent)
        return undefined
      }
    }
  }

  /** Whether other endpoints that answer have the receipt too; they may have it a little later. */
  async function isSeen({ hash, blockHash, status }: TransactionReceipt): Promise<boolean> {
    if (witness == null) return true
    try {
      const other = await witness.provider.getTransactionReceipt(hash)
      return other?.blockHash === blockHash && other.status === status
    } catch {
      return true
    }
  }

  /** A pause between two looks, until the time is up. */
  async function wait(limit: AbortSignal): Promise<void> {
    if (!limit.aborted) await pause(pollMs, undefined, { signal: limit }).catch(() => undefined)
    if (isStopped()) throw stopping()
    if (limit.aborted) {
      counters.timeouts++
      throw new SalusError('RELAY_TIMEOUT', 'The request is not in a block yet. Ask again: it is not applied twice.')
    }
  }

  /** Another transaction has taken the nonce of one that had been applied. */
  async function deliverAgain(call: OutboxCall): Promise<void> {
    try {
      if (await rehearse(call)) return
      const again: Call = { ...call, asker: undefined }
      await send(again, purseOf(again))
    } catch (error) {
      // Refused by the contract: it can never be applied again.
      if (!isSalusError(error) || isOutage(error)) throw error
    }
  }

  /** Delivers a request for all who ask for it meanwhile. */
  async function begin(call: Call, key: string): Promise<RelayResult> {
    if (isStopped()) throw stopping()
    const unmined = outbox.entries().filter(({ blockNumber }) => blockNumber == null).length
    if (pending.size >= maxPending || unmined >= MAX_UNMINED)
      throw new SalusError('RELAY_BUSY', 'Too many requests are under way; ask again later.')
    const result = deliver(call)
      .then(outcome => {
        counters[outcome.status]++
        return outcome
      })
      .catch((error: unknown) => {
        counters.refused++
        throw rpcError(error)
      })
      .finally(() => pending.delete(key))
    pending.set(key, result)
    return result
  }

  return {
    async start() {
      await Promise.all([outbox.load(), spending.load()])
      const left = outbox.entries().filter(({ blockNumber }) => blockNumber == null).length
      if (left > 0) log.info({ transactions: left }, 'transactions of an earlier run are taken up again')
      keeper.tend()
    },
    async submit(request, asker, signal) {
      const call: Call = {
        ...encodeCall(deployment, request),
        maxGas: asker == null ? MAX_TRANSACTION_GAS : maxGas,
        asker
      }
      const key = `${call.to}:${call.data}`
      // Whoever leaves does not end the waiting of others.
      return whileAsked(pending.get(key) ?? begin(call, key), signal)
    },
    status() {
      const entries = outbox.entries()
      const waiting = entries.find(({ blockNumber }) => blockNumber == null)?.attempts[0]
      return {
        address: wallet.address,
        ...funds.status(),
        underWay: pending.size,
        outbox: entries.length,
        oldestPendingS: waiting == null ? null : Math.max(0, Math.floor((clock() - waiting.sentMs) / 1_000)),
        spentTodayWei: String(spending.todayWei()),
        dayBudgetWei: dayBudgets.allWei == null ? null : String(dayBudgets.allWei),
        counters: { ...counters }
      }
    },
    async stop() {
      stopped.abort()
      await Promise.allSettled([...pending.values(), keeper.stop()])
    }
  }
}

function spenderOf({ contract, asker }: Call): Spender {
  return { contract, asker, isOwn: asker == null }
}

/** A result, or the reason of a signal that comes before it. */
async function whileAsked<T>(result: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal == null) return result
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
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
