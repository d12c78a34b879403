import { acceptCapsule } from '#core/agent/grantee-state.ts'
import { decodeCapsule } from '#core/grant/capsule.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import type { StoryNode } from '#scripts/story/network.ts'
import type { DemoClinician } from '#scripts/story/people.ts'
import type { Stage } from '#scripts/story/stage.ts'

/** Fetches and opens the capsule of a grant; false where the node has none yet. */
export async function claimGrant(
  stage: Stage,
  node: StoryNode,
  clinician: DemoClinician,
  grantId: Uint8Array
): Promise<boolean> {
  const [found] = await node.client.queryCapsules(toHex(grantId))
  if (found == null) return false
  const onChain = await stage.facts.capsuleOf(grantId, decodeCapsule(found.capsule).patient)
  clinician.state = await acceptCapsule(nativePrimitives, clinician.state, clinician.keys, found.capsule, onChain)
  return true
}
