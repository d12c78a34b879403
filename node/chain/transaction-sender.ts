/** Gives each transaction of one account its nonce, in order, and keeps it alive until it is in a block. */
import { Transaction, isError, type JsonRpcProvider, type TransactionReceipt, type Wallet } from 'ethers'
import { offerWithin, replacementOffer, type GasOffer } from '#core/chain/fees.ts'
import { SalusError } from '#core/error.ts'
import { rpcError } from '#node/chain/chain-rpc.ts'
import type { Attempt, Outbox, OutboxCall, OutboxEntry } from '#node/chain/outbox.ts'
import type { Booking } from '#node/chain/spending.ts'

/** What sending needs. */
export interface SenderComponents {
  readonly provider: JsonRpcProvider
  /** Another endpoint, that is asked before a transaction is given up. */
  readonly witness?: JsonRpcProvider | undefined
  /** Nobody else may send from this account. */
  readonly wallet: Wallet
  readonly outbox: Outbox
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** Removes an entry of which nothing is under way. */
  readonly drop: (entry: OutboxEntry) => Promise<void>
}

/** What is to be known before a transaction is sent. */
export interface Cost {
  readonly gas: bigint
  /** What it costs at most. */
  readonly wei: bigint
}

/** Pays for a transaction. */
export interface Purse {
  /** Hears what it may cost before it is sent, and may throw. */
  book(cost: Cost): Promise<Booking>
  /** Hears that it was not sent. */
  giveBack(booking: Booking): Promise<void>
}

/** Sends transactions of one account. */
export interface TransactionSender {
  /**
   * Sends a call; `undefined` where it would no longer succeed with its gas. A call that is under way is not sent again.
   *
   * @throws SalusError `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`, `RELAY_NO_FUNDS`, `RELAY_FEE_CAP`
   */
  send(call: OutboxCall, purse: Purse): Promise<OutboxEntry | undefined>
  /** The receipt of the attempt that got into a block. */
  receipt(entry: OutboxEntry): Promise<TransactionReceipt | undefined>
  /**
   * Hands it in again where the chain forgot it; false once nothing of it is under way: another transaction has used its nonce, as several looks
   * and the witness say, or the chain takes none of its attempts.
   */
  keepAlive(entry: OutboxEntry): Promise<boolean>
  /**
   * Sends it again for more where it is the next one and has waited too long; true if it did.
   *
   * @param afford - what it may cost then, in place of what is booked; `undefined` where that is too much
   */
  replace(
    entry: OutboxEntry,
    stuckMs: number,
    afford: (entry: OutboxEntry, wei: bigint) => Promise<Booking | undefined>
  ): Promise<boolean>
}

/** Gas above the estimate: state may change between estimate and block. */
const GAS_MARGIN_PERCENT = 25n
/** Attempts with one nonce; the last one is handed in for ever. */
const MAX_ATTEMPTS = 16
/** Most gas of any transaction (EIP-7825), so also of the operator's own. */
export const MAX_TRANSACTION_GAS = 16_777_216
/** Looks in a row that find the nonce used and no receipt: one endpoint's receipts may come later than its count. */
const LOST_LOOKS = 8
/** Errors of JSON-RPC after which a transaction may have been taken all the same: a fault inside, a time-out. */
const AMBIGUOUS: readonly unknown[] = [-32_603, -32_002]

/** Makes a sender. */
export function createTransactionSender(
  { provider, witness, wallet, outbox, clock, drop }: SenderComponents,
  maxFeePerGasWei: bigint
): TransactionSender {
  /** Nonces are given out one after the other. */
  let turn: Promise<unknown> = Promise.resolve()
  /** Looks that found a nonce used and no receipt, by nonce. */
  const missing = new Map<number, number>()

  async function suggestion(): Promise<GasOffer> {
    const fees = await provider.getFeeData()
    const maxFeePerGas = fees.maxFeePerGas ?? fees.gasPrice ?? 0n
    return { maxFeePerGas, maxPriorityFeePerGas: fees.maxPriorityFeePerGas ?? 0n }
  }

  /** Writes the transaction down, then sends it: a crash in between is made good by keeping it alive. */
  async function attempt(entry: Omit<OutboxEntry, 'blockNumber'>, offer: GasOffer): Promise<OutboxEntry> {
    const { nonce, call, gasLimit, attempts } = entry
    const { chainId } = await provider.getNetwork()
    const raw = await wallet.signTransaction({
      ...{ type: 2, to: call.to, data: call.data, nonce, chainId, gasLimit },
      ...{ maxFeePerGas: offer.maxFeePerGas, maxPriorityFeePerGas: offer.maxPriorityFeePerGas }
    })
    const next: Attempt = { ...offer, hash: Transaction.from(raw).hash ?? '', raw, sentMs: clock() }
    const written = { ...entry, attempts: [...attempts, next], blockNumber: null }
    await outbox.put(written)
    await broadcast(raw)
    return written
  }

  async function sendNow(call: OutboxCall, purse: Purse): Promise<OutboxEntry | undefined> {
    const underWay = outbox.waitingFor(call)
    if (underWay != null) return underWay
    let [nonce, booking]: [number | undefined, Booking | undefined] = [undefined, undefined]
    try {
      const { to, data, maxGas } = call
      const [gas, suggested] = await Promise.all([
        provider.estimateGas({ from: wallet.address, to, data, gasLimit: maxGas }),
        suggestion()
      ])
      const gasLimit = least(gas + (gas * GAS_MARGIN_PERCENT) / 100n, BigInt(MAX_TRANSACTION_GAS))
      const offer = offerWithin(suggested, maxFeePerGasWei)
      booking = await purse.book({ gas: gasLimit, wei: gasLimit * offer.maxFeePerGas })
      nonce = await nextNonce()
      return await attempt({ nonce, call, gasLimit, attempts: [], booking }, offer)
    } catch (cause) {
      const isWritten = nonce != null && outbox.get(nonce) != null
      // Not taken by the chain: what was written down is not under way. Where it may have been taken it is kept alive.
      if (nonce != null && isWritten && isRefused(cause)) await outbox.remove(nonce)
      if (booking != null && (!isWritten || isRefused(cause))) await purse.giveBack(booking)
      // The chain changed since the rehearsal: another one will say why.
      if (isError(cause, 'CALL_EXCEPTION') || isError(cause, 'NONCE_EXPIRED')) return undefined
      throw isError(cause, 'INSUFFICIENT_FUNDS')
        ? new SalusError('RELAY_NO_FUNDS', 'The relayer’s account cannot pay; its operator must fund it.', { cause })
        : rpcError(cause)
    }
  }

  /** The chain's own count, not ours: it may have lost transactions, and a gap would stop all later ones. Those it lost go first. */
  async function nextNonce(): Promise<number> {
    const count = async (): Promise<number> => provider.getTransactionCount(wallet.address, 'pending')
    let nonce = await count()
    for (let entry = outbox.get(nonce); entry != null; entry = outbox.get(nonce)) {
      try {
        await broadcast(entry.attempts.at(-1)?.raw ?? '')
      } catch (cause) {
        if (await isHopeless(entry, cause)) {
          await drop(entry)
          return nonce
        }
        const isTaken = isError(cause, 'NONCE_EXPIRED') || isError(cause, 'REPLACEMENT_UNDERPRICED')
        if (!isTaken) throw cause
      }
      const after = await count()
      // A pool that does not count it yet: it comes after all that is under way.
      nonce = after > nonce ? after : nonce + 1
    }
    return nonce
  }

  /** Whether the chain takes no attempt of an entry, and has none. */
  async function isHopeless({ attempts }: OutboxEntry, cause: unknown): Promise<boolean> {
    // Funds may come, and a used nonce is somebody's transaction.
    if (!isRefused(cause) || isError(cause, 'INSUFFICIENT_FUNDS') || isError(cause, 'NONCE_EXPIRED')) return false
    for (const { hash } of attempts) {
      if ((await provider.send('eth_getTransactionByHash', [hash])) != null) return false
    }
    return true
  }

  async function broadcast(raw: string): Promise<void> {
    try {
      await provider.send('eth_sendRawTransaction', [raw])
    } catch (cause) {
      // Handing in the same bytes twice is what keeping alive means.
      if (!/already ?known|already imported|known transaction/i.test(String(cause))) throw cause
    }
  }

  async function receiptOf(of: JsonRpcProvider, attempts: readonly Attempt[]): Promise<TransactionReceipt | undefined> {
    for (const { hash } of attempts.toReversed()) {
      const receipt = await of.getTransactionReceipt(hash)
      if (receipt != null) return receipt
    }
    return undefined
  }

  /** Whether another transaction has used a nonce; said only after several looks, and if the witness says no other. */
  async function isLost({ nonce, attempts }: OutboxEntry): Promise<boolean> {
    const looks = (missing.get(nonce) ?? 0) + 1
    missing.set(nonce, looks)
    if (looks < LOST_LOOKS) return false
    if (witness != null) {
      if ((await witness.getTransactionCount(wallet.address, 'latest')) <= nonce) return false
      if ((await receiptOf(witness, attempts)) != null) return false
    }
    missing.delete(nonce)
    return true
  }

  async function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = turn.then(act)
    turn = done.catch(() => undefined)
    return done
  }

  return {
    send: async (call, purse) => inTurn(async () => sendNow(call, purse)),
    receipt: async ({ attempts }) => receiptOf(provider, attempts),
    async keepAlive(entry) {
      const { nonce, attempts } = entry
      try {
        if ((await provider.getTransactionCount(wallet.address, 'latest')) > nonce) {
          return (await receiptOf(provider, attempts)) != null || !(await isLost(entry))
        }
        missing.delete(nonce)
        const newest = attempts.at(-1)
        if (newest == null || (await provider.send('eth_getTransactionByHash', [newest.hash])) != null) return true
        await broadcast(newest.raw)
        return true
      } catch (cause) {
        // An endpoint that is away, or that prefers an older attempt, says nothing about the transaction.
        return !(await isHopeless(entry, cause).catch(() => false))
      }
    },
    async replace({ nonce }, stuckMs, afford) {
      return inTurn(async () => {
        const entry = outbox.get(nonce)
        const newest = entry?.attempts.at(-1)
        if (entry == null || newest == null || entry.blockNumber != null) return false
        if (clock() - newest.sentMs < stuckMs || entry.attempts.length >= MAX_ATTEMPTS) return false
        // Only the next one can be stuck; the others wait for it.
        if ((await provider.getTransactionCount(wallet.address, 'latest')) !== nonce) return false
        const offer = replacementOffer(newest, await suggestion(), maxFeePerGasWei)
        if (offer == null) return false
        const booking = await afford(entry, entry.gasLimit * offer.maxFeePerGas)
        if (booking == null) return false
        await attempt({ ...entry, booking }, offer)
        return true
      })
    }
  }
}

/** Whether an endpoint said that it does not take a transaction, and not only that something went wrong. */
function isRefused(cause: unknown): boolean {
  if (isError(cause, 'INSUFFICIENT_FUNDS') || isError(cause, 'NONCE_EXPIRED')) return true
  if (isError(cause, 'UNSUPPORTED_OPERATION')) return true
  if (!isError(cause, 'UNKNOWN_ERROR')) return false
  const { code } = (cause['error'] ?? {}) as { readonly code?: unknown }
  return typeof code === 'number' && !AMBIGUOUS.includes(code)
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
