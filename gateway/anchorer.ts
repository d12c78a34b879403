/** Puts the root of the gateway's tree on the chain, through a node's relayer: the gateway holds no money. */
import type { Clock } from '#core/crypto/primitives.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { anchorTypes, gatewayRegistrationTypes } from '#core/abi/typed-data/anchors.ts'
import { domain } from '#core/abi/typed-data/domain.ts'
import { toHex } from '#core/encoding/bytes.ts'
import type { GatewayIdentity } from '#gateway/identity.ts'
import type { NodePort } from '#gateway/node-port.ts'
import type { AnchorPlan } from '#gateway/state.ts'

const DEADLINE_S = 3600

/** What anchoring needs. */
export interface AnchorerComponents {
  readonly clock: Clock
  readonly identity: GatewayIdentity
  readonly deployment: Deployment
  readonly node: Pick<NodePort, 'relay'>
}

/** Registers the gateway; nothing changes if it is registered already. */
export async function registerGateway(components: AnchorerComponents): Promise<void> {
  const { identity, node } = components
  const [gateway, signer, certificate] = [toHex(identity.id), toHex(identity.signer), toHex(identity.certificate)]
  const deadline = deadlineOf(components)
  const value = { gateway, signer, certificate, deadline }
  const signature = await sign(components, gatewayRegistrationTypes, value)
  const args = [signer, certificate, toHex(identity.signerSalt), deadline, signature]
  await node.relay({ contract: 'BatchAnchors', method: 'register', args })
}

/** Anchors a root under its exact number; the same anchor twice changes nothing. */
export async function sendAnchor(
  components: AnchorerComponents,
  { sequence, treeSize, root }: AnchorPlan
): Promise<{ readonly blockNumber: number }> {
  const { identity, node } = components
  const deadline = deadlineOf(components)
  const value = { gateway: toHex(identity.id), sequence, treeSize, root: toHex(root), deadline }
  const signature = await sign(components, anchorTypes, value)
  const args = [value.gateway, sequence, treeSize, value.root, deadline, toHex(identity.signer), signature]
  return node.relay({ contract: 'BatchAnchors', method: 'anchor', args })
}

function deadlineOf({ clock }: AnchorerComponents): number {
  return Math.floor(clock() / 1000) + DEADLINE_S
}

async function sign(
  { identity, deployment }: AnchorerComponents,
  types: typeof anchorTypes,
  value: Record<string, unknown>
): Promise<string> {
  const { address } = deployment.contracts.BatchAnchors
  return identity.wallet.signTypedData(domain('BatchAnchors', deployment.chainId, address), types, value)
}
