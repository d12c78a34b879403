import type { ReceivedEntry } from '#core/agent/author.ts'
import type { GranteeState } from '#core/agent/grantee-state.ts'
import { isSalusError } from '#core/error.ts'
import { leafFromCover } from '#core/record/day-tree.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { decodeSlot, openSlot } from '#core/record/slot.ts'
import { nativePrimitives } from '#node/crypto/native.ts'

/** Whether a key that the state holds opens the slot of an entry, whatever tag, generation or rule says otherwise. */
export function opensWithAnyKey(state: GranteeState, entry: ReceivedEntry): boolean {
  const { header } = decodeEntry(entry.headerBytes)
  const slot = decodeSlot(entry.slotBytes)
  const covers = state.grants.flatMap(grant => grant.keys.map(key => key.cover))
  return covers.some(cover => {
    try {
      openSlot(nativePrimitives, slot, leafFromCover(nativePrimitives, cover, header.day))
      return true
    } catch (error) {
      if (isSalusError(error, 'SLOT_KEY') || isSalusError(error, 'DAY_NOT_COVERED')) return false
      throw error
    }
  })
}
