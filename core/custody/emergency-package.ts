/**
 * What a keeper of a share holds for an emergency without a network: the share, sealed to it, and the sealed entries that shares
 * together open (docs/specs/break-glass.md).
 */
import type { ReceivedEntry } from '#core/agent/author.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { MAX_SEALED_SHARE_BYTES } from '#core/custody/sealed-share.ts'

const AREA = 'EMERGENCY_PACKAGE'
const MAX_PART_BYTES = 32_768

/** The most bytes of an entry's blob in a package: what must be read in minutes is short. */
export const MAX_PACKAGED_BLOB_BYTES: number = 256 * 1024

/** The most entries of a package. */
export const MAX_PACKAGED_ENTRIES = 512

/** The most bytes of a package. */
export const MAX_PACKAGE_BYTES: number = 16 << 20

/** A package. */
export interface EmergencyPackage {
  /** A sealed share of the rule `offline-glass` (core/custody/sealed-share.ts). */
  readonly share: Uint8Array
  readonly entries: readonly ReceivedEntry[]
}

/** The canonical bytes of a package. */
export function encodePackage({ share, entries }: EmergencyPackage): Uint8Array {
  const parts = entries.map(({ headerBytes: header, slotBytes: slot, evidenceBytes: evidence, blob }) => ({
    ...{ header, slot, evidence, blob }
  }))
  return encodeCanonical({ v: 1, share, entries: parts })
}

/**
 * Reads a package; share and entries have checks of their own.
 *
 * @throws SalusError `EMERGENCY_PACKAGE_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`
 */
export function decodePackage(bytes: Uint8Array): EmergencyPackage {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_PACKAGE_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'share', 'entries'])
  return {
    share: readBytes(map['share'], AREA, 'share', { min: 1, max: MAX_SEALED_SHARE_BYTES }),
    entries: readList(map['entries'], AREA, 'entries', MAX_PACKAGED_ENTRIES, item => {
      const entry = readMap(item, AREA, ['header', 'slot', 'evidence', 'blob'])
      const part = (field: string, max: number): Uint8Array => readBytes(entry[field], AREA, field, { min: 1, max })
      return {
        headerBytes: part('header', MAX_PART_BYTES),
        slotBytes: part('slot', MAX_PART_BYTES),
        evidenceBytes: part('evidence', MAX_PART_BYTES),
        blob: part('blob', MAX_PACKAGED_BLOB_BYTES)
      }
    })
  }
}
