/** A second opinion on what one endpoint says is final. */
import type { JsonRpcProvider } from 'ethers'
import { createProvider } from '#node/chain/chain-rpc.ts'
import type { Endpoints } from '#node/chain/endpoints.ts'

/** Endpoints other than the one that is asked first. */
export interface Witness {
  readonly provider: JsonRpcProvider
  /** Hears that they say otherwise: the next question goes to one of them. */
  readonly differs: () => void
}

/** Makes a witness; `undefined` where there is but one endpoint. */
export function createWitness(endpoints: Endpoints | undefined, chainId: number): Witness | undefined {
  if (endpoints == null || endpoints.ranked().length < 2) return undefined
  // The endpoints are closed by whoever made them.
  const poster = { post: async (payload: unknown) => endpoints.postToOther(payload), close: () => undefined }
  return { provider: createProvider(poster, chainId), differs: () => endpoints.demote() }
}
