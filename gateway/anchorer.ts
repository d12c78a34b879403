/** Puts the root of the gateway's tree on the chain, through a node's relayer: the gateway holds no money. */
import { anchorCall, gatewayRegistrationCall } from '#core/batch/anchor-calls.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import type { Clock } from '#core/crypto/primitives.ts'
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
  const { deployment, identity, node } = components
  await node.relay(await gatewayRegistrationCall(deployment, identity, identity.certificate, deadlineOf(components)))
}

/** Anchors a root under its exact number; the same anchor twice changes nothing. */
export async function sendAnchor(
  components: AnchorerComponents,
  plan: AnchorPlan
): Promise<{ readonly blockNumber: number }> {
  const { deployment, identity, node } = components
  return node.relay(await anchorCall(deployment, identity, plan, deadlineOf(components)))
}

function deadlineOf({ clock }: AnchorerComponents): number {
  return Math.floor(clock() / 1000) + DEADLINE_S
}
