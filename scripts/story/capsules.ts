import { Contract, JsonRpcProvider } from 'ethers'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import { patientRegistryAbi } from '#core/abi/PatientRegistry.ts'
import { acceptCapsule, type CapsuleOnChain } from '#core/agent/grantee-state.ts'
import { decodeCapsule } from '#core/grant/capsule.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import type { StoryNode } from '#scripts/story/network.ts'
import type { DemoClinician } from '#scripts/story/people.ts'
import type { Stage } from '#scripts/story/stage.ts'

/** Asks the chain itself, not the node, what a capsule must agree with. */
async function chainSays(
  { chain, deployment }: Stage,
  { client }: StoryNode,
  grantId: Uint8Array,
  patient: Uint8Array
): Promise<CapsuleOnChain> {
  const provider = new JsonRpcProvider(chain.rpcUrl)
  try {
    const { AccessGrants, PatientRegistry } = deployment.contracts
    const grants = new Contract(AccessGrants.address, accessGrantsAbi, provider)
    const registry = new Contract(PatientRegistry.address, patientRegistryAbi, provider)
    const terms = (await grants.getFunction('termsOf')(toHex(grantId))) as bigint
    const keyBundle = (await registry.getFunction('keyBundleOf')(toHex(patient))) as string
    // The scope stands in an event, not in a slot: the node's word is enough, a wrong one only makes this fail.
    const { scope } = await client.grant(toHex(grantId))
    return { terms, scope: fromHex(scope, 32), keyBundle: fromHex(keyBundle, 32) }
  } finally {
    provider.destroy()
  }
}

/** Fetches and opens the capsule of a grant; false where the node has none yet. */
export async function claimGrant(
  stage: Stage,
  node: StoryNode,
  clinician: DemoClinician,
  grantId: Uint8Array
): Promise<boolean> {
  const [found] = await node.client.queryCapsules(toHex(grantId))
  if (found == null) return false
  const { patient } = decodeCapsule(found.capsule)
  const onChain = await chainSays(stage, node, grantId, patient)
  clinician.state = await acceptCapsule(nativePrimitives, clinician.state, clinician.keys, found.capsule, onChain)
  return true
}
