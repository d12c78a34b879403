import { SalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { proveAuthor, type Author, type ReceivedEntry } from '#core/agent/author.ts'
import type { RecordOnChain } from '#core/agent/record-on-chain.ts'
import type { GranteeState, HeldGrant } from '#core/agent/grantee-state.ts'
import type { NewEntry } from '#core/agent/patient-entries.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import type { CapsuleKey } from '#core/grant/capsule-keys.ts'
import { RIGHT_WRITE } from '#core/grant/terms.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import type { Compartment } from '#core/record/compartment.ts'
import { leafFromCover } from '#core/record/day-tree.ts'
import { decodeEntry } from '#core/record/entry.ts'
import {
  openAttribute,
  openEntry,
  openEntryWithKey,
  sealEntry,
  type OpenedAttribute,
  type OpenedEntry,
  type SealedEntry
} from '#core/record/seal-entry.ts'

interface UsableKey extends CapsuleKey {
  readonly grantId: Uint8Array
}

function keysFor(
  state: GranteeState,
  patient: Uint8Array,
  fits: (key: CapsuleKey, grant: HeldGrant) => boolean
): UsableKey[] {
  return state.grants
    .filter(grant => equalBytes(grant.patient, patient))
    .flatMap(grant => grant.keys.filter(key => fits(key, grant)).map(key => ({ ...key, grantId: grant.grantId })))
}

/** The first of the keys that opens the day. */
function leafOfAny(p: Primitives, keys: readonly UsableKey[], day: number): { key: UsableKey; leafKey: Uint8Array } {
  let refusal: unknown
  for (const key of keys) {
    try {
      return { key, leafKey: leafFromCover(p, key.cover, day) }
    } catch (error) {
      refusal = error
    }
  }
  throw refusal
}

/**
 * Opens an entry with the keys of whatever grant fits and says who wrote it.
 *
 * @param record - what the chain says of the entry's patient
 * @throws SalusError `GRANT_NO_KEY` (no grant holds keys of its patient, compartment and generation), `DAY_NOT_COVERED`, and as
 * `proveAuthor` and `openEntry`
 */
export function openAsGrantee(
  p: Primitives,
  state: GranteeState,
  sealed: ReceivedEntry,
  record: RecordOnChain
): OpenedEntry & { readonly compartment: Compartment; readonly author: Author } {
  const { header, cid } = decodeEntry(sealed.headerBytes, { network: state.network })
  const single = heldBy(state, header.patient, ({ entries }) => entries).find(({ name }) => name.equals(cid))
  if (single != null) {
    const { compartment, key: contentKey } = single
    const author = proveAuthor({ ...sealed, header, compartment }, record, state.grants)
    return { ...openEntryWithKey(p, { ...sealed, contentKey }), compartment, author }
  }
  const usable = keysFor(
    state,
    header.patient,
    key => key.generation === header.generation && equalBytes(key.tag, header.tag)
  )
  if (usable.length === 0) {
    throw new SalusError('GRANT_NO_KEY', 'No grant opens this entry: it was never granted, or the grant was revoked.')
  }
  const { key, leafKey } = leafOfAny(p, usable, header.day)
  const { compartment, tag } = key
  const author = proveAuthor({ ...sealed, header, compartment }, record, state.grants)
  return { ...openEntry(p, { ...sealed, leafKey, tag }), compartment, author }
}

/**
 * Opens the attributes of an entry that were granted one by one, and says who wrote it. Nothing else of it opens.
 *
 * @param sealed - the slot is not needed
 * @throws SalusError `GRANT_NO_KEY` (no attribute of this entry was granted), `ATTRIBUTE_PATH` (another attribute than was
 * granted), and as `proveAuthor` and `openAttribute`
 */
export function openAttributesAsGrantee(
  p: Primitives,
  state: GranteeState,
  sealed: Omit<ReceivedEntry, 'slotBytes'>,
  record: RecordOnChain
): { readonly attributes: readonly OpenedAttribute[]; readonly compartment: Compartment; readonly author: Author } {
  const { header, cid } = decodeEntry(sealed.headerBytes, { network: state.network })
  const held = heldBy(state, header.patient, ({ attributes }) => attributes).filter(({ name }) => name.equals(cid))
  const [first] = held
  if (first == null) throw new SalusError('GRANT_NO_KEY', 'No grant opens an attribute of this entry.')
  const { compartment } = first
  const author = proveAuthor({ ...sealed, header, compartment }, record, state.grants)
  const attributes = held.map(({ index, key, path }) => {
    const opened = openAttribute(p, { ...sealed, index, key })
    if (opened.path === path) return opened
    throw new SalusError('ATTRIBUTE_PATH', 'Refused: the key opens another attribute than was granted.')
  })
  return { attributes, compartment, author }
}

/** All single keys of a patient's entries that a grantee holds. */
function heldBy<T>(
  state: GranteeState,
  patient: Uint8Array,
  keysIn: (grant: HeldGrant) => readonly T[] | undefined
): T[] {
  return state.grants.filter(grant => equalBytes(grant.patient, patient)).flatMap(grant => keysIn(grant) ?? [])
}

/**
 * Seals an entry into a patient's record under a grant with the right to write.
 *
 * @throws SalusError `GRANT_NO_WRITE` (no such grant for this patient and compartment), `DAY_NOT_COVERED`
 */
export function sealAsGrantee(
  p: Primitives,
  random: Random,
  by: { readonly state: GranteeState; readonly keys: AgentKeys; readonly patient: Uint8Array },
  { compartment, ...entry }: NewEntry
): SealedEntry {
  const { patient, state } = by
  const writable = keysFor(
    state,
    patient,
    (key, grant) => key.compartment === compartment && (grant.rights & RIGHT_WRITE) !== 0
  )
  if (writable.length === 0) {
    throw new SalusError('GRANT_NO_WRITE', 'No grant allows writing into this part of the record; ask the patient.')
  }
  const newest = Math.max(...writable.map(key => key.generation))
  const { key, leafKey } = leafOfAny(
    p,
    writable.filter(each => each.generation === newest),
    entry.day
  )
  const { tag, generation, grantId: grant } = key
  const { network } = state
  return sealEntry(p, random, { ...entry, network, patient, tag, generation, leafKey, author: by.keys, grant })
}
