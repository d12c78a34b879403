import type { RequestContract } from '#core/chain/contract-names.ts'

/** An argument of a contract's method; structs are lists in the order of their fields. */
export type CallValue = string | number | readonly CallValue[]

/** A signed request to a contract, as a relayer submits it; byte strings and large numbers as `0x…`. */
export interface ChainCall {
  readonly contract: RequestContract
  readonly method: string
  readonly args: readonly CallValue[]
}

/** The chain and the contracts that an agent signs for; a `Deployment` fits. */
export interface SigningTarget {
  readonly chainId: number
  readonly contracts: Readonly<Record<'AccessGrants', { readonly address: string }>>
}
