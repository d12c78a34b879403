/** Splitting the root seed among guardians, and giving it back after a recovery (docs/specs/guardian-share.md). */
import { SalusError } from '#core/error.ts'
import type { ChainView } from '#core/chain/view.ts'
import { equalBytes, fromHex, toHex } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { SharingTools, SharedOut } from '#core/custody/share-out.ts'
import { shareOut } from '#core/custody/share-out.ts'
import { guardianLeaf, guardianTree, type GuardianTree } from '#core/custody/guardian-tree.ts'
import { MAX_SHARES, type DecodedSharePlan } from '#core/custody/plan.ts'
import type { PatientState } from '#core/agent/patient-state.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'

const AREA = 'GUARDIAN_NOTE'
const MAX_NOTE_BYTES = 2048
const SEED_BYTES = 32

/** A guardian, as its patient names it. */
export interface Guardian {
  /** Id of its signer on the chain, 20 bytes. */
  readonly address: Uint8Array
  /** Encoded key bundle; that it is the guardian's, its evidence says. */
  readonly bundle: Uint8Array
}

/** What each guardian is told with its share: all that it takes to approve a recovery on the chain. */
export interface GuardianNote {
  readonly address: Uint8Array
  /** Salt of its leaf, 32 bytes. */
  readonly salt: Uint8Array
  /** All leaves, in order. */
  readonly leaves: readonly Uint8Array[]
}

/** The shares to send, and the tree whose root goes to the chain (`setGuardians`). */
export interface GuardedSeed extends SharedOut {
  readonly tree: GuardianTree
}

/**
 * Splits the agent's root seed. A refresh is the same with the next revision: the seed is sealed under a fresh key, and shares of
 * that key do not fit with any before.
 *
 * @param revision - 1 the first time, then one more each time
 * @throws SalusError `SHARES_RANGE`, `CAPSULE_SUITE`, `KEY_BUNDLE_*`, `HPKE_PUBLIC_KEY`
 */
export async function splitSeed(
  tools: SharingTools,
  { state, keys }: { readonly state: Pick<PatientState, 'network' | 'patient' | 'seed'>; readonly keys: AgentKeys },
  guardians: readonly Guardian[],
  { threshold, revision }: { readonly threshold: number; readonly revision: number }
): Promise<GuardedSeed> {
  const { network, patient, seed } = state
  const salted = guardians.map(guardian => ({ ...guardian, salt: tools.random(32) }))
  const leaves = salted.map(({ address, salt }) => guardianLeaf(patient, address, salt))
  const shared = await shareOut(tools, {
    network,
    patient,
    rule: 'recovery',
    subject: null,
    revision,
    threshold,
    notAfterS: null,
    payload: seed,
    keepers: salted.map(({ bundle, address, salt }) => ({ bundle, note: encodeNote({ address, salt, leaves }) })),
    patientKeys: keys
  })
  return { ...shared, tree: guardianTree(leaves) }
}

/** The bytes of a note. */
function encodeNote(note: GuardianNote): Uint8Array {
  return encodeCanonical({ v: 1, ...note })
}

/**
 * Reads the note that came with a guardian's share.
 *
 * @throws SalusError `GUARDIAN_NOTE_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`
 */
export function decodeGuardianNote(bytes: Uint8Array): GuardianNote {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_NOTE_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'address', 'salt', 'leaves'])
  return {
    address: readBytes(map['address'], AREA, 'address', 20),
    salt: readBytes(map['salt'], AREA, 'salt', 32),
    leaves: readList(map['leaves'], AREA, 'leaves', MAX_SHARES, item => readBytes(item, AREA, 'leaves', 32))
  }
}

/**
 * Checks that a plan is of the patient that the chain knows, under its present key bundle or one before.
 *
 * @throws SalusError `SHARE_PLAN_STRANGER` if the chain has no such patient or never had this key bundle of it
 */
export function requirePatientsPlan(chain: Pick<ChainView, 'patient'>, plan: DecodedSharePlan): void {
  const record = chain.patient(toHex(plan.patient))
  const digest = toHex(keyBundleDigest(plan.bundle))
  const isKnown = record?.keyBundle === digest || record?.pastKeyBundles.some(past => past.digest === digest) === true
  if (!isKnown) {
    throw new SalusError('SHARE_PLAN_STRANGER', 'Refused: the chain does not know this patient by this key bundle.')
  }
}

/**
 * Checks that the patient was recovered: opened by its guardians, not vetoed, completed after the delay, in a block that counts as final,
 * and to an account that still controls the record.
 *
 * @param finalS - time of the newest block that counts as final, seconds since 1970
 * @returns the address that the recovery named; its binding names the keys that shares are released to
 * @throws SalusError `RECOVERY_NOT_FINAL` (none, open, void, or completed in too new a block), `RECOVERY_OVER` (somebody else signs
 * for the patient by now), `RECOVERY_UNSUPPORTED` (to a signer that is not a plain account)
 */
export function requireRecovered(
  chain: Pick<ChainView, 'patient' | 'recovery'>,
  patient: Uint8Array,
  finalS: number
): Uint8Array {
  const recovery = chain.recovery(toHex(patient))
  if (recovery?.state !== 'completed' || recovery.completedAtS == null || recovery.completedAtS > finalS) {
    throw new SalusError('RECOVERY_NOT_FINAL', 'The chain has no final recovery of this patient; wait for its delay.')
  }
  if (chain.patient(toHex(patient))?.signer !== recovery.newSigner) {
    throw new SalusError('RECOVERY_OVER', 'Refused: the signer that was recovered to no longer signs for the patient.')
  }
  if (recovery.newSigner.length !== 42) {
    throw new SalusError('RECOVERY_UNSUPPORTED', 'Only recoveries to a plain account are supported so far.')
  }
  return fromHex(recovery.newSigner, 20)
}

/**
 * Checks what the guardians gave back: a seed of this length whose keys are those of the plan's bundle.
 *
 * @throws SalusError `RECOVERED_SEED` if it is not
 */
export function requireSeedOf(plan: DecodedSharePlan, seed: Uint8Array, keys: Pick<AgentKeys, 'bundleBytes'>): void {
  if (seed.length !== SEED_BYTES || !equalBytes(keys.bundleBytes, plan.bundle)) {
    throw new SalusError(
      'RECOVERED_SEED',
      'Refused: what the guardians gave back is not the seed of the patient’s keys.'
    )
  }
}
