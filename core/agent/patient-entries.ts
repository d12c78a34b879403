import { SalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { proveAuthor, type Author, type ReceivedEntry } from '#core/agent/author.ts'
import { currentGeneration, type PatientState } from '#core/agent/patient-state.ts'
import type { RecordOnChain } from '#core/agent/record-on-chain.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { COMPARTMENTS, type Compartment } from '#core/record/compartment.ts'
import { leafOf } from '#core/record/day-tree.ts'
import { decodeEntry, type EntryHeader } from '#core/record/entry.ts'
import { compartmentTag } from '#core/record/generation.ts'
import { openEntry, sealEntry, type EntryInput, type OpenedEntry, type SealedEntry } from '#core/record/seal-entry.ts'

/** What a writer says of a new entry; the rest follows from its keys. */
export type NewEntry = Pick<EntryInput, 'day' | 'content' | 'entry' | 'revision' | 'parents' | 'attributes'> & {
  readonly compartment: Compartment
}

/** Seals an entry of the patient's own, under the compartment's present generation. */
export function sealAsPatient(
  p: Primitives,
  random: Random,
  by: { readonly state: PatientState; readonly keys: AgentKeys },
  { compartment, ...entry }: NewEntry
): SealedEntry {
  const { network, patient } = by.state
  const { number: generation, key } = currentGeneration(by.state, compartment)
  const tag = compartmentTag(p, key, compartment)
  const leafKey = leafOf(p, key, entry.day)
  return sealEntry(p, random, { ...entry, network, patient, tag, generation, leafKey, author: by.keys, grant: null })
}

/** The compartment that an entry lies in, with its tag and the key of its day. */
export interface EntryPlace {
  readonly compartment: Compartment
  readonly tag: Uint8Array
  readonly leafKey: Uint8Array
}

/**
 * Where an entry of the patient's record lies.
 *
 * @throws SalusError `ENTRY_TAG` if it lies in no compartment of this record
 */
export function placeOfEntry(p: Primitives, state: PatientState, header: EntryHeader): EntryPlace {
  for (const compartment of COMPARTMENTS) {
    for (const { key, number } of state.generations[compartment]) {
      if (number !== header.generation) continue
      const tag = compartmentTag(p, key, compartment)
      if (equalBytes(tag, header.tag)) return { compartment, tag, leafKey: leafOf(p, key, header.day) }
    }
  }
  throw new SalusError('ENTRY_TAG', 'Refused: the entry lies in no compartment of this record.')
}

/**
 * Opens any entry of the patient's record and says who wrote it.
 *
 * @param record - what the chain says of this patient
 * @throws SalusError `ENTRY_TAG` if it lies in no compartment of this record, and as `proveAuthor` and `openEntry`
 */
export function openAsPatient(
  p: Primitives,
  state: PatientState,
  sealed: ReceivedEntry,
  record: RecordOnChain
): OpenedEntry & { readonly compartment: Compartment; readonly author: Author } {
  const { header } = decodeEntry(sealed.headerBytes, state)
  const { compartment, tag, leafKey } = placeOfEntry(p, state, header)
  const author = proveAuthor({ ...sealed, header, compartment }, record, state.grants)
  return { ...openEntry(p, { ...sealed, leafKey, tag }), compartment, author }
}
