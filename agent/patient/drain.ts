/** Hands in the entries that wait in the outbox. */
import type { CID } from 'multiformats/cid'
import { isSalusError } from '#core/error.ts'
import { decodeMessage } from '#core/network/envelope.ts'
import { decodeEntry, ENTRY_ID_BYTES, MAX_PARENTS, type EntryHeader } from '#core/record/entry.ts'
import type { Accounts } from '#agent/accounts.ts'
import type { AgentComponents } from '#agent/components.ts'
import { publishPacked, type OutgoingEntry } from '#agent/network/record.ts'
import type { Backups } from '#agent/patient/backups.ts'
import { isKnown } from '#agent/patient/refusals.ts'
import { resealEntry } from '#agent/patient/reseal.ts'

/** Hands in what waits; gives how many entries a node has not taken yet. */
export type Drain = () => Promise<number>

/** The place of an entry's next revision in the record as it is; undefined where the record has no such entry. */
export type OnTopOf = (entry: Uint8Array) => Promise<Pick<EntryHeader, 'parents' | 'revision'> | undefined>

/** What draining needs. */
export interface DrainComponents extends AgentComponents {
  readonly accounts: Accounts
  readonly backups: Backups
  readonly onTopOf: OnTopOf
}

/** Makes the service. What another device's change has made stale is sealed again: who wrote it was told that it is kept. */
export function createDrain(components: DrainComponents): Drain {
  const { node, keeper, outbox, backups, log, onTopOf, random } = components

  async function drain(): Promise<number> {
    const seed = keeper.state().deviceSeed
    let waiting = 0
    for (const name of await outbox.names()) {
      try {
        const entry = await outbox.read(seed, name)
        if (entry != null) await handIn(seed, name, entry)
      } catch (error) {
        if (!isSalusError(error)) throw error
        if (!isKnown(error)) {
          log.warn({ code: error.code }, 'an entry waits')
          waiting++
          continue
        }
      }
      await outbox.remove(name)
    }
    return waiting
  }

  async function handIn(seed: Uint8Array, name: string, entry: OutgoingEntry): Promise<void> {
    try {
      await publishPacked(node, entry)
    } catch (error) {
      const isRetired = isSalusError(error, 'ENTRY_RETIRED')
      if (!isRetired && !isSalusError(error, 'ENTRY_REVISION_USED')) throw error
      const place = isRetired ? {} : await otherPlace(entry)
      if (place == null) return
      if (isRetired) await backups.pull()
      const renewed = await resealEntry(components, entry, place)
      // In its place: two copies of one entry would become two versions of it.
      await outbox.replace(seed, name, renewed)
      await publishPacked(node, renewed)
    }
  }

  /** Where to put what another header was in the place of; undefined where the record has it already. */
  async function otherPlace({ message }: OutgoingEntry): Promise<Partial<EntryHeader> | undefined> {
    const read = decodeMessage(message, keeper.state().network)
    if (read.kind !== 'entry') return undefined
    const { entry, revision, parents } = decodeEntry(read.header).header
    const next = await onTopOf(entry)
    if (revision > 1) return next == null ? undefined : { ...next, parents: allOf(next.parents, parents) }
    // The same file again is the same entry, but for one that was erased: that name is used up.
    return next == null ? { entry: random(ENTRY_ID_BYTES) } : undefined
  }

  return drain
}

/** What stands now and what the revision was about, as far as one header names them. */
function allOf(now: readonly CID[], before: readonly CID[]): CID[] {
  return [...now, ...before.filter(each => !now.some(other => other.equals(each)))].slice(0, MAX_PARENTS)
}
