/** What shares of a one-time grant or of an emergency give together: keys of spans and of single entries (docs/specs/custody.md). */
import type { CID } from 'multiformats/cid'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { MAX_SHARED_PAYLOAD_BYTES } from '#core/custody/plan.ts'
import { MAX_CAPSULE_KEYS, capsuleKeyFields, readCapsuleKey, type CapsuleKey } from '#core/grant/capsule-keys.ts'
import { MAX_GRANT_DOCUMENT_BYTES } from '#core/grant/document.ts'
import { DAG_CBOR_CODEC, readSha256Cid } from '#core/record/cid.ts'

const AREA = 'SHARED_KEYS'

/** The most single entries that one secret opens. */
export const MAX_SHARED_ENTRIES = 256

/** The content key of one entry. */
export interface EntryKey {
  /** Name of the entry's header. */
  readonly entry: CID
  /** 32 bytes. */
  readonly contentKey: Uint8Array
}

/** Keys that were shared out. */
export interface SharedKeys {
  /** Canonical bytes of the grant document whose hash is on the chain; null where there is no grant. */
  readonly document: Uint8Array | null
  /** Keys of spans of days, as in a capsule. */
  readonly keys: readonly CapsuleKey[]
  readonly entries: readonly EntryKey[]
}

/** The canonical bytes of shared keys. */
export function encodeSharedKeys({ document, keys, entries }: SharedKeys): Uint8Array {
  return encodeCanonical({
    v: 1,
    document,
    keys: keys.map(capsuleKeyFields),
    entries: entries.map(({ entry, contentKey }) => ({ entry, key: contentKey }))
  })
}

/**
 * Reads shared keys.
 *
 * @throws SalusError `SHARED_KEYS_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`; `CAPSULE_KEYS_SHAPE`
 */
export function decodeSharedKeys(bytes: Uint8Array): SharedKeys {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_SHARED_PAYLOAD_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'document', 'keys', 'entries'])
  const bounds = { min: 1, max: MAX_GRANT_DOCUMENT_BYTES }
  return {
    document: map['document'] === null ? null : readBytes(map['document'], AREA, 'document', bounds),
    keys: readList(map['keys'], AREA, 'keys', MAX_CAPSULE_KEYS, readCapsuleKey),
    entries: readList(map['entries'], AREA, 'entries', MAX_SHARED_ENTRIES, item => {
      const { entry, key } = readMap(item, AREA, ['entry', 'key'])
      return {
        entry: readSha256Cid(entry, AREA, 'entry', [DAG_CBOR_CODEC]),
        contentKey: readBytes(key, AREA, 'key', 32)
      }
    })
  }
}
