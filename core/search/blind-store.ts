/** The node's side of the blind index: lists by tag, of which it can read nothing (docs/specs/blind-index.md). */
import { SalusError } from '#core/error.ts'
import { concat, toHex } from '#core/encoding/bytes.ts'
import type { Place } from '#core/encoding/place.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { decodeBlindList, verifyBlindList, type BlindPlace } from '#core/search/blind-list.ts'

/** Lists of any number of patients. */
export interface BlindStore {
  /**
   * Takes in a list, if it is newer than the one it has. That its author may write into the index is for the caller to check.
   *
   * @throws SalusError `BLIND_LIST_*`, `BLIND_LIST_SIGNATURE`, `BLIND_LIST_STALE` (a newer one is here)
   */
  put(bytes: Uint8Array): void
  get(place: BlindPlace, blindTag: Uint8Array): Uint8Array | undefined
  /** Forgets all lists under a compartment tag, as when a rotation replaced it. */
  forget(tag: Uint8Array): void
}

/** A store in memory. */
export function createBlindStore(p: Primitives, expected: Place = {}): BlindStore {
  const byTag = new Map<string, Map<string, { readonly revision: number; readonly bytes: Uint8Array }>>()
  return {
    put(bytes) {
      const list = decodeBlindList(bytes, expected)
      if (!verifyBlindList(p, list)) {
        throw new SalusError('BLIND_LIST_SIGNATURE', 'Refused: the list’s signature does not match.')
      }
      const lists = byTag.get(toHex(list.tag)) ?? new Map<string, { revision: number; bytes: Uint8Array }>()
      const key = keyOf(list, list.blindTag)
      const held = lists.get(key)
      if (held != null && held.revision >= list.revision) {
        throw new SalusError('BLIND_LIST_STALE', 'A newer revision of this list is here.')
      }
      byTag.set(toHex(list.tag), lists.set(key, { revision: list.revision, bytes }))
    },
    get: (place, blindTag) => byTag.get(toHex(place.tag))?.get(keyOf(place, blindTag))?.bytes,
    forget(tag) {
      byTag.delete(toHex(tag))
    }
  }
}

function keyOf({ network, patient }: Pick<BlindPlace, 'network' | 'patient'>, blindTag: Uint8Array): string {
  return toHex(concat(network, patient, blindTag))
}
