/** One grant from the patient's word to the keys in the clinician's hands, timed in its parts. */
import { prepareGrant } from '#core/agent/patient-grant.ts'
import { acceptCapsule } from '#core/agent/grantee-state.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { decodeCapsule } from '#core/grant/capsule.ts'
import { RIGHT_HISTORY, RIGHT_READ, UNLIMITED_USES } from '#core/grant/terms.ts'
import { encodeMessage } from '#core/network/envelope.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { deadlineS, nowS, osRandom, type DemoClinician, type DemoPatient } from '#scripts/story/people.ts'
import { endsOf, followed, lookUntil, type BenchWorld } from '#scripts/bench/grants/world.ts'

const YEAR_S = 365 * 24 * 3600

/** A grant that was given, and what it took, in milliseconds from the patient's word on. */
export interface TimedGrant {
  readonly grantId: Uint8Array
  /** Capsule and signatures are made: the patient's own work. */
  readonly preparedMs: number
  /** The chain has it in a block. */
  readonly inBlockMs: number
  /** The clinician has opened the capsule, found at another node, and checked it against the chain. */
  readonly claimedMs: number
  readonly gas: number
}

/** What signs for the patient now. */
export function signing({ deployment }: BenchWorld, { state, keys, signTypedData }: DemoPatient) {
  return { state, keys, target: deployment, deadlineS: deadlineS(), signTypedData }
}

/** Gives a grant of two compartments with their history, and has it claimed. */
export async function timedGrant(
  world: BenchWorld,
  patient: DemoPatient,
  clinician: DemoClinician
): Promise<TimedGrant> {
  const { near, far } = endsOf(world)
  const begun = performance.now()
  const now = nowS()
  const prepared = await prepareGrant(p, osRandom, signing(world, patient), {
    grantee: clinician.address,
    bundle: clinician.keys.bundleBytes,
    rights: RIGHT_READ | RIGHT_HISTORY,
    uses: UNLIMITED_USES,
    // A minute back: the chain's clock and this one need not agree to the second.
    notBefore: now - 60,
    expiresAt: now + YEAR_S,
    compartments: ['vitals', 'documents'],
    purpose: 'treatment',
    nowS: now
  })
  const preparedMs = performance.now() - begun
  const { call, capsuleBytes, grantId } = prepared
  const { blockNumber, txHash } = await near.client.relay({ ...call, args: [...call.args] })
  const inBlockMs = performance.now() - begun
  patient.state = prepared.state
  await followed([near], blockNumber)
  await near.client.publish(encodeMessage({ kind: 'capsule', network: patient.state.network, capsule: capsuleBytes }))
  await lookUntil(async () => {
    const [found] = await far.client.queryCapsules(toHex(grantId))
    if (found == null) return false
    const onChain = await world.facts.capsuleOf(grantId, decodeCapsule(found.capsule).patient)
    clinician.state = await acceptCapsule(p, clinician.state, clinician.keys, found.capsule, onChain)
    return true
  })
  const claimedMs = performance.now() - begun
  const receipt = txHash == null ? null : await world.provider.getTransactionReceipt(txHash)
  return { grantId, preparedMs, inBlockMs, claimedMs, gas: Number(receipt?.gasUsed ?? Number.NaN) }
}
