/** Grants of single entries, and of single attributes of them (docs/specs/grant.md). */
import { SalusError } from '#core/error.ts'
import type { ReceivedEntry } from '#core/agent/author.ts'
import type { SingleKeys } from '#core/agent/patient-capsule.ts'
import { placeOfEntry } from '#core/agent/patient-entries.ts'
import {
  planOpening,
  prepared,
  refuseEarly,
  type GrantWish,
  type PatientSigning,
  type PlannedGrant,
  type Planning,
  type PreparedGrant
} from '#core/agent/patient-grant.ts'
import type { PatientState } from '#core/agent/patient-state.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { RIGHT_READ } from '#core/grant/terms.ts'
import type { AttributeKey, EntryKey } from '#core/grant/capsule-keys.ts'
import { parseAttributeBlob } from '#core/record/attribute-blob.ts'
import { attributesOf, placesOf } from '#core/record/attributes.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { openContentKey, openEntryWithKey } from '#core/record/seal-entry.ts'

/** One revision of one entry to grant, or some attributes of it. */
export interface ItemWish {
  readonly sealed: Pick<ReceivedEntry, 'headerBytes' | 'slotBytes' | 'blob'>
  /** JSON pointers; absent or none for the whole entry. */
  readonly paths?: readonly string[]
}

/** What a patient wants to grant of single entries; their compartments follow from them. */
export interface ItemGrantWish extends Omit<GrantWish, 'compartments' | 'days'> {
  readonly items: readonly ItemWish[]
}

/** No generation has this number: the grant opens no days. */
const NO_GENERATION = 0xffff_ffff

/**
 * Plans a grant of single entries or attributes. Its keys open those and nothing else, now or later. A later revision is
 * another entry header, and needs another grant.
 *
 * @throws SalusError `GRANT_ITEMS` (other rights than to read, or nothing named), `ATTRIBUTE_PATH` (no such attribute),
 * `GRANT_HISTORY_EARLY`, `GRANT_OVERSIZE`, `ENTRY_*`, `SLOT_*`, `ATTRIBUTE_*`, `ATTRIBUTES_*`, and as `prepareGrant`
 */
export async function planItemGrant(
  p: Primitives,
  random: Random,
  by: Planning,
  wish: ItemGrantWish
): Promise<PlannedGrant> {
  refuseEarly(wish)
  if (wish.rights !== RIGHT_READ || wish.items.length === 0) {
    throw new SalusError(
      'GRANT_ITEMS',
      'A grant of single entries names at least one, and gives the right to read only.'
    )
  }
  const opened = wish.items.map(item => keysOfItem(p, by.state, item))
  const single = {
    entries: opened.flatMap(({ entries }) => entries),
    attributes: opened.flatMap(({ attributes }) => attributes)
  }
  const compartments = [...single.entries, ...single.attributes].map(({ compartment }) => compartment)
  const items = wish.items.map(({ sealed, paths = [] }) => ({ name: decodeEntry(sealed.headerBytes).cid, paths }))
  const opens = { fromDay: 0, toDay: 0, firstGeneration: () => NO_GENERATION, limits: { items }, single }
  return await planOpening(p, random, by, { ...wish, compartments }, opens)
}

/**
 * Prepares a grant of single entries or attributes for the chain and the network in one step.
 *
 * @throws SalusError as {@link planItemGrant}
 */
export async function prepareItemGrant(
  p: Primitives,
  random: Random,
  by: PatientSigning,
  wish: ItemGrantWish
): Promise<PreparedGrant> {
  return await prepared(by, await planItemGrant(p, random, by, wish))
}

function keysOfItem(p: Primitives, state: PatientState, { sealed, paths = [] }: ItemWish): SingleKeys {
  const { header, cid: name } = decodeEntry(sealed.headerBytes, state)
  const { compartment, leafKey } = placeOfEntry(p, state, header)
  const contentKey = openContentKey(p, { ...sealed, leafKey })
  const entry: EntryKey = { compartment, name, key: contentKey }
  // Also where the whole entry is granted: what does not open for its patient will not open for anyone.
  const { content } = openEntryWithKey(p, { ...sealed, contentKey })
  if (paths.length === 0) return { entries: [entry], attributes: [] }
  if (parseAttributeBlob(sealed.blob) == null) {
    throw new SalusError('ATTRIBUTE_NONE', 'The entry was sealed whole; seal it by attributes to grant one of them.')
  }
  const places = placesOf(p, contentKey, attributesOf(content))
  const attributes = paths.map((path): AttributeKey => {
    const index = places.findIndex(({ attribute }) => attribute?.path === path)
    const place = places[index]
    if (place != null) return { compartment, name, key: place.key, path, index }
    throw new SalusError('ATTRIBUTE_PATH', 'The entry has no attribute at that path.')
  })
  return { entries: [], attributes }
}
