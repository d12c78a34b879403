/** The signed requests by which a gateway, or a log that is anchored as one, comes on the chain (docs/specs/contracts-anchors.md). */
import { anchorTypes, gatewayRegistrationTypes, superRootTypes } from '#core/abi/typed-data/anchors.ts'
import { domain } from '#core/abi/typed-data/domain.ts'
import type { ChainCall } from '#core/agent/chain-call.ts'
import { toHex } from '#core/encoding/bytes.ts'
import type { SignTypedData } from '#core/identity/key-binding.ts'

/** Who signs; a gateway's identity fits. */
export interface AnchorSigner {
  /** Id on the chain, 32 bytes. */
  readonly id: Uint8Array
  /** Address, 20 bytes. */
  readonly signer: Uint8Array
  /** Of the id, 32 bytes. */
  readonly signerSalt: Uint8Array
  readonly wallet: { readonly signTypedData: SignTypedData }
}

/** The chain and its contract; a `Deployment` fits. */
export interface AnchorTarget {
  readonly chainId: number
  readonly contracts: Readonly<Record<'BatchAnchors', { readonly address: string }>>
}

/**
 * The request that registers a gateway.
 *
 * @param certificate - digest of the key bundle that signs its batches or checkpoints, 32 bytes
 * @param deadlineS - until when a relayer may submit it, seconds since 1970-01-01
 */
export async function gatewayRegistrationCall(
  target: AnchorTarget,
  by: AnchorSigner,
  certificate: Uint8Array,
  deadlineS: number
): Promise<ChainCall> {
  const [signer, digest] = [toHex(by.signer), toHex(certificate)]
  const value = { gateway: toHex(by.id), signer, certificate: digest, deadline: deadlineS }
  const signature = await by.wallet.signTypedData(domainOf(target), gatewayRegistrationTypes, value)
  const args = [signer, digest, toHex(by.signerSalt), deadlineS, signature]
  return { contract: 'BatchAnchors', method: 'register', args }
}

/**
 * The request that anchors a tree's root under its exact number.
 *
 * @param deadlineS - as for {@link gatewayRegistrationCall}
 */
export async function anchorCall(
  target: AnchorTarget,
  by: AnchorSigner,
  head: { readonly sequence: number; readonly treeSize: number; readonly root: Uint8Array },
  deadlineS: number
): Promise<ChainCall> {
  const { sequence, treeSize } = head
  const [gateway, root] = [toHex(by.id), toHex(head.root)]
  const value = { gateway, sequence, treeSize, root, deadline: deadlineS }
  const signature = await by.wallet.signTypedData(domainOf(target), anchorTypes, value)
  const args = [gateway, sequence, treeSize, root, deadlineS, toHex(by.signer), signature]
  return { contract: 'BatchAnchors', method: 'anchor', args }
}

function domainOf({ chainId, contracts }: AnchorTarget) {
  return domain('BatchAnchors', chainId, contracts.BatchAnchors.address)
}

/** Who anchors super-roots: an account, through a relayer. */
export interface SuperRootSigner {
  /** Address, 20 bytes. */
  readonly signer: Uint8Array
  readonly wallet: { readonly signTypedData: SignTypedData }
}

/**
 * The request that anchors the root over the heads of many gateways.
 *
 * @param deadlineS - as for {@link gatewayRegistrationCall}
 */
export async function superRootCall(
  target: AnchorTarget,
  by: SuperRootSigner,
  { epoch, count, root: bytes }: { readonly epoch: number; readonly count: number; readonly root: Uint8Array },
  deadlineS: number
): Promise<ChainCall> {
  const [aggregator, root] = [toHex(by.signer), toHex(bytes)]
  const value = { aggregator, epoch, count, root, deadline: deadlineS }
  const signature = await by.wallet.signTypedData(domainOf(target), superRootTypes, value)
  const args = [epoch, count, root, deadlineS, aggregator, signature]
  return { contract: 'BatchAnchors', method: 'anchorGateways', args }
}
