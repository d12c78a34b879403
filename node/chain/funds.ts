/** The balance of the account that pays: watched, so that it never runs out unsaid. */
import type { JsonRpcProvider } from 'ethers'
import { SalusError } from '#core/error.ts'
import type { Log } from '#node/log.ts'

/** How an account stands. */
export type BalanceState = 'unknown' | 'good' | 'low' | 'empty'

/** Watches an account. */
export interface Funds {
  /**
   * Asks for the balance where the one known is old or short.
   *
   * @param leavesReserve - whether the operator's reserve must be left
   * @throws SalusError `RELAY_NO_FUNDS` before the account is empty; `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED` as errors of the provider
   */
  require(wei: bigint, leavesReserve: boolean): Promise<void>
  status(): { readonly balanceWei: string | null; readonly balanceState: BalanceState }
}

/** Time for which a balance is taken for what it was, less what was spent since, ms. */
const FRESH_MS = 15_000

/** Makes a watcher; nothing is asked before it must be known. */
export function createFunds(
  { provider, address, log }: { readonly provider: JsonRpcProvider; readonly address: string; readonly log: Log },
  { lowBalanceWei, reserveWei }: { readonly lowBalanceWei: bigint; readonly reserveWei: bigint }
): Funds {
  let balance: bigint | undefined
  let askedMs = -Infinity
  let isShort = false

  async function ask(): Promise<bigint> {
    balance = await provider.getBalance(address)
    askedMs = performance.now()
    return balance
  }

  function stateOf(wei: bigint): BalanceState {
    return isShort || wei <= reserveWei ? 'empty' : wei < lowBalanceWei ? 'low' : 'good'
  }

  return {
    async require(wei, leavesReserve) {
      const needed = wei + (leavesReserve ? reserveWei : 0n)
      const before = balance == null ? 'good' : stateOf(balance)
      const isFresh = balance != null && performance.now() < askedMs + FRESH_MS
      const known = isFresh && balance != null && balance >= needed ? balance : await ask()
      isShort = known < needed
      if (before === 'good' && stateOf(known) !== 'good') {
        log.warn({ code: 'RELAY_NO_FUNDS', balanceWei: String(known) }, 'the relayer’s account runs low; fund it')
      }
      if (isShort) {
        throw new SalusError('RELAY_NO_FUNDS', 'The relayer’s account cannot pay; its operator must fund it.')
      }
      balance = known - wei
    },
    status: () => ({
      balanceWei: balance == null ? null : String(balance),
      balanceState: balance == null ? 'unknown' : stateOf(balance)
    })
  }
}
