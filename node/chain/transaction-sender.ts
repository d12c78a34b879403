/** Gives each transaction of one account its nonce, in order, and keeps it alive until it is in a block. */
import { Transaction, isError, type JsonRpcProvider, type TransactionReceipt, type Wallet } from 'ethers'
import { offerWithin, replacementOffer, type GasOffer } from '#core/chain/fees.ts'
import { SalusError } from '#core/error.ts'
import { rpcError } from '#node/chain/chain-rpc.ts'
import type { Attempt, Outbox, OutboxCall, OutboxEntry } from '#node/chain/outbox.ts'

/** What sending needs. */
export interface SenderComponents {
  readonly provider: JsonRpcProvider
  /** Nobody else may send from this account. */
  readonly wallet: Wallet
  readonly outbox: Outbox
  /** Milliseconds since 1970. */
  readonly clock: () => number
}

/** What is to be known before a transaction is sent. */
export interface Cost {
  readonly gas: bigint
  /** What it costs at most. */
  readonly wei: bigint
}

/** Sends transactions of one account. */
export interface TransactionSender {
  /**
   * Sends a call; `undefined` where it would no longer succeed with its gas. `admit` hears what it may cost before it is sent, and may
   * throw. A call that is under way is not sent again.
   *
   * @throws SalusError `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`, `RELAY_NO_FUNDS`, `RELAY_FEE_CAP`
   */
  send(call: OutboxCall, admit: (cost: Cost) => Promise<void>): Promise<OutboxEntry | undefined>
  /** The receipt of the attempt that got into a block. */
  receipt(entry: OutboxEntry): Promise<TransactionReceipt | undefined>
  /** Hands it in again where the chain forgot it; false once another transaction has used its nonce. */
  keepAlive(entry: OutboxEntry): Promise<boolean>
  /** Sends it again for more where it is the next one and has waited too long; true if it did. */
  replace(entry: OutboxEntry, stuckMs: number): Promise<boolean>
}

/** Gas above the estimate: state may change between estimate and block. */
const GAS_MARGIN_PERCENT = 25n
/** Attempts with one nonce; the last one is handed in for ever. */
const MAX_ATTEMPTS = 16

/** Makes a sender. */
export function createTransactionSender(
  { provider, wallet, outbox, clock }: SenderComponents,
  maxFeePerGasWei: bigint
): TransactionSender {
  /** Nonces are given out one after the other. */
  let turn: Promise<unknown> = Promise.resolve()

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

  async function sendNow(call: OutboxCall, admit: (cost: Cost) => Promise<void>): Promise<OutboxEntry | undefined> {
    const underWay = outbox.waitingFor(call)
    if (underWay != null) return underWay
    let nonce: number | undefined
    try {
      const { to, data, maxGas } = call
      const [gas, suggested] = await Promise.all([
        provider.estimateGas({ from: wallet.address, to, data, gasLimit: maxGas }),
        suggestion()
      ])
      const gasLimit = gas + (gas * GAS_MARGIN_PERCENT) / 100n
      const offer = offerWithin(suggested, maxFeePerGasWei)
      await admit({ gas: gasLimit, wei: gasLimit * offer.maxFeePerGas })
      nonce = await nextNonce()
      return await attempt({ nonce, call, gasLimit, attempts: [] }, offer)
    } catch (cause) {
      // Not taken by the chain: what was written down is not under way.
      const isRefused = isError(cause, 'INSUFFICIENT_FUNDS') || isError(cause, 'NONCE_EXPIRED')
      if (nonce != null && isRefused) await outbox.remove(nonce)
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
      await broadcast(entry.attempts.at(-1)?.raw ?? '')
      const after = await count()
      // A pool that does not count it yet: it comes after all that is under way.
      nonce = after > nonce ? after : nonce + 1
    }
    return nonce
  }

  async function broadcast(raw: string): Promise<void> {
    try {
      await provider.send('eth_sendRawTransaction', [raw])
    } catch (cause) {
      // Handing in the same bytes twice is what keeping alive means.
      if (!/already known|already imported|known transaction/i.test(String(cause))) throw cause
    }
  }

  async function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = turn.then(act)
    turn = done.catch(() => undefined)
    return done
  }

  return {
    send: async (call, admit) => inTurn(async () => sendNow(call, admit)),
    async receipt({ attempts }) {
      for (const { hash } of attempts.toReversed()) {
        const receipt = await provider.getTransactionReceipt(hash)
        if (receipt != null) return receipt
      }
      return undefined
    },
    async keepAlive({ nonce, attempts }) {
      try {
        if ((await provider.getTransactionCount(wallet.address, 'latest')) > nonce) {
          for (const { hash } of attempts) if ((await provider.getTransactionReceipt(hash)) != null) return true
          return false
        }
        const newest = attempts.at(-1)
        if (newest == null || (await provider.send('eth_getTransactionByHash', [newest.hash])) != null) return true
        await broadcast(newest.raw)
        return true
      } catch (cause) {
        // An endpoint that is away, or that prefers an older attempt, says nothing about the transaction.
        return !isError(cause, 'NONCE_EXPIRED')
      }
    },
    async replace({ nonce }, stuckMs) {
      return inTurn(async () => {
        const entry = outbox.get(nonce)
        const newest = entry?.attempts.at(-1)
        if (entry == null || newest == null || entry.blockNumber != null) return false
        if (clock() - newest.sentMs < stuckMs || entry.attempts.length >= MAX_ATTEMPTS) return false
        // Only the next one can be stuck; the others wait for it.
        if ((await provider.getTransactionCount(wallet.address, 'latest')) !== nonce) return false
        const offer = replacementOffer(newest, await suggestion(), maxFeePerGasWei)
        if (offer == null) return false
        await attempt(entry, offer)
        return true
      })
    }
  }
}
