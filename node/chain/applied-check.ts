/** How it is found out whether a refused request had been applied before. */
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
  /** Calls a view of the contract. */
  view(method: string, ...args: unknown[]): Promise<readonly unknown[]>
  /** Arguments of the contract's newest events with these indexed values; those asked for happen once at most. */
  events(name: string, indexed: readonly unknown[]): Promise<(readonly unknown[])[]>
}
