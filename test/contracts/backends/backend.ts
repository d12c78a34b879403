import type { Provider, Signer, Wallet } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'

/** The chain under the contracts' tests. Each transaction gets a block of its own as it is sent. */
export interface ChainBackend {
  readonly provider: Provider
  /** Submits and pays. */
  readonly signer: Signer
  /** Time of the newest block, in seconds. */
  now(): Promise<number>
  /** Makes a block of this time, which is later than the newest. */
  moveTo(time: number): Promise<void>
  /** Makes many blocks, where that takes no time. */
  readonly makeBlocks?: (count: number) => Promise<void>
  /** Gives an account an EIP-7702 delegation. */
  delegate(account: Wallet, to: string): Promise<void>
  /** Gives an account enough to pay for gas. */
  fund(address: string): Promise<void>
  /** Remembers everything as it is; the function that comes back restores it, any number of times. */
  snapshot(): Promise<() => Promise<void>>
  /** Deploys instrumented contracts, where coverage is measured. */
  readonly deployInstrumented?: () => Promise<Deployment>
  close(): Promise<void>
}
