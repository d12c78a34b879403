/** Gives each transaction of one account its nonce, in order, and keeps it alive until it is in a block. */
import { Transaction, isError, type JsonRpcProvider, type Wallet } from 'ethers'
import { SalusError } from '#core/error.ts'
import { rpcError } from '#node/chain/chain-rpc.ts'

/** A transaction that was handed to the chain. */
export interface SentTransaction {
  readonly hash: string
  readonly nonce: number
  readonly raw: string
}

/** Sends transactions of one account. */
export interface TransactionSender {
  /**
   * Sends a call; `undefined` where it would no longer succeed with `maxGas`. `admit` hears the gas it may use, before it is sent,
   * and may throw.
   *
   * @throws SalusError `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`, `RELAY_NO_FUNDS`
   */
  send(
    call: { readonly to: string; readonly data: string; readonly maxGas: number },
    admit: (gas: bigint) => void
  ): Promise<SentTransaction | undefined>
  /** Hands it in again where the chain forgot it; false once another transaction has used its nonce. */
  keepAlive(sent: SentTransaction): Promise<boolean>
}

/** Gas above the estimate: state may change between estimate and block. */
const GAS_MARGIN_PERCENT = 25n

/** Makes a sender; nobody else may send from this account. */
export function createTransactionSender({
  provider,
  wallet
}: {
  readonly provider: JsonRpcProvider
  readonly wallet: Wallet
}): TransactionSender {
  /** Nonces are given out one after the other. */
  let turn: Promise<unknown> = Promise.resolve()

  async function sendNow(
    { to, data, maxGas }: { to: string; data: string; maxGas: number },
    admit: (gas: bigint) => void
  ): Promise<SentTransaction | undefined> {
    try {
      const [gas, fees] = await Promise.all([
        provider.estimateGas({ from: wallet.address, to, data, gasLimit: maxGas }),
        provider.getFeeData()
      ])
      const gasLimit = gas + (gas * GAS_MARGIN_PERCENT) / 100n
      admit(gasLimit)
      // The chain's own count, not ours: it may have lost transactions, and a gap would stop all later ones.
      const nonce = await provider.getTransactionCount(wallet.address, 'pending')
      const raw = await wallet.signTransaction({
        type: 2,
        to,
        data,
        nonce,
        chainId: (await provider.getNetwork()).chainId,
        gasLimit,
        maxFeePerGas: fees.maxFeePerGas ?? fees.gasPrice ?? 0n,
        maxPriorityFeePerGas: fees.maxPriorityFeePerGas ?? 0n
      })
      await broadcast(raw)
      return { hash: Transaction.from(raw).hash ?? '', nonce, raw }
    } catch (cause) {
      // The chain changed since the rehearsal: another one will say why.
      if (isError(cause, 'CALL_EXCEPTION') || isError(cause, 'NONCE_EXPIRED')) return undefined
      throw isError(cause, 'INSUFFICIENT_FUNDS')
        ? new SalusError('RELAY_NO_FUNDS', 'The relayer’s account cannot pay; its operator must fund it.', { cause })
        : rpcError(cause)
    }
  }

  async function broadcast(raw: string): Promise<void> {
    try {
      await provider.send('eth_sendRawTransaction', [raw])
    } catch (cause) {
      // Handing in the same bytes twice is what keeping alive means.
      if (!/already known|already imported|known transaction/i.test(String(cause))) throw cause
    }
  }

  return {
    async send(call, admit) {
      const sent = turn.then(async () => sendNow(call, admit))
      turn = sent.catch(() => undefined)
      return sent
    },
    async keepAlive({ hash, nonce, raw }) {
      try {
        if ((await provider.send('eth_getTransactionByHash', [hash])) != null) return true
        if ((await provider.getTransactionCount(wallet.address, 'latest')) > nonce) {
          return (await provider.getTransactionReceipt(hash)) != null
        }
        await broadcast(raw)
        return true
      } catch (cause) {
        // An endpoint that is away says nothing about the transaction.
        if (isError(cause, 'NONCE_EXPIRED') || isError(cause, 'REPLACEMENT_UNDERPRICED')) return false
        return true
      }
    }
  }
}
