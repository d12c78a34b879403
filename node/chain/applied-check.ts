/** How it is found out whether a refused request had been applied before. */
import type { TypedDataDomain } from 'ethers'
import type { RequestContract } from '#core/chain/contract-names.ts'

/** A refused request: its decoded arguments, in the order of the method's parameters. */
export interface RefusedRequest {
  readonly contract: RequestContract
  readonly method: string
  readonly args: readonly unknown[]
  /** Name and arguments of the contract's error. */
  readonly errorName: string
  readonly errorArgs: readonly unknown[]
}

/** Asks the chain whether what was refused had been applied. */
export type Check = (chain: Asked, request: RefusedRequest) => Promise<boolean>

/** What a check may ask. */
export interface Asked {
  /** The domain of what is signed for the contract. */
  readonly domain: TypedDataDomain
  /** Calls a view of the contract. */
  view(method: string, ...args: unknown[]): Promise<readonly unknown[]>
  /** Calls any contract, which gets little gas; what it returns, nothing if it fails. */
  call(to: string, data: string): Promise<string>
  /**
   * Arguments of the contract's events with these indexed values: the newest, or the newest of those that are meant where there can
   * be more than one.
   */
  events(
    name: string,
    indexed: readonly unknown[],
    isMeant?: (args: readonly unknown[]) => boolean
  ): Promise<(readonly unknown[])[]>
}
