import { expect } from 'chai'
import type { BaseContract } from 'ethers'

/** Expects that a call is refused with this error, and with these arguments if any are given. */
export type Refuse = (call: Promise<unknown>, error: string, ...args: readonly unknown[]) => Promise<void>

/** Makes the expectation for one contract, which is asked for anew at each call: a test may open another one. */
export function refusalBy(contract: () => Pick<BaseContract, 'interface'>): Refuse {
  return async (call, error, ...args) => {
    const refusal = expect(call).to.be.revertedWithCustomError(contract(), error)
    await (args.length === 0 ? refusal : refusal.withArgs(...args))
  }
}
