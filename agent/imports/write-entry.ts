import { CID } from 'multiformats/cid'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { isSalusError } from '#core/error.ts'
import type { PlannedEntry } from '#core/fhir/import/planned-entry.ts'
import type { Accounts } from '#agent/accounts.ts'
import type { AgentComponents } from '#agent/components.ts'
import { packEntry, publishPacked, type OutgoingEntry } from '#agent/network/record.ts'
import type { Backups } from '#agent/patient/backups.ts'
import { isKnown, isTransient } from '#agent/patient/refusals.ts'

/** What writing an entry of an import takes. */
export interface WriteComponents extends AgentComponents {
  readonly accounts: Accounts
  readonly backups: Backups
}

/** How it is written. */
export interface WriteInit {
  /** Milliseconds since 1970. */
  readonly recordedAtMs: number
  readonly revision: number
  /** Names of the headers that it follows. */
  readonly parents: readonly string[]
}

/**
 * Seals one entry of an import and hands it in. Written once more it is refused as known, which is as good. What has its blob
 * beside it waits in the outbox first: once a node has the entry, only the very same sealed bytes are its blob.
 *
 * @returns the name of its header, for others to follow, if the node took that
 * @throws SalusError what a node refuses it with
 */
export async function writeEntry(
  components: WriteComponents,
  planned: PlannedEntry,
  { recordedAtMs, revision, parents }: WriteInit
): Promise<string | undefined> {
  const { p, random, node, accounts, backups, keeper, outbox } = components
  const { compartment, day, entry, type, body } = planned
  const follows = { revision, parents: parents.map(name => CID.parse(name)) }
  async function pack(): Promise<OutgoingEntry & { readonly name: string }> {
    const { account, keys, evidence } = await accounts.patient()
    const { state } = account
    const content = { type, recordedAtMs, body }
    const sealed = sealAsPatient(p, random, { state, keys }, { compartment, day, content, entry, ...follows })
    return { ...packEntry(state.network, sealed, evidence), name: sealed.cid.toString() }
  }
  const outgoing = await pack()
  if (outgoing.blob != null) {
    const name = await outbox.put(keeper.state().deviceSeed, outgoing)
    try {
      await publishPacked(node, outgoing)
    } catch (error) {
      // Whatever passes by itself, and keys that another device replaced, the outbox deals with.
      if (isTransient(error) || isSalusError(error, 'ENTRY_RETIRED')) return undefined
      if (!isThere(error)) throw error
      await outbox.remove(name)
      return undefined
    }
    await outbox.remove(name)
    return outgoing.name
  }
  try {
    await publishPacked(node, outgoing)
    return outgoing.name
  } catch (error) {
    if (isThere(error)) return undefined
    if (!isSalusError(error, 'ENTRY_RETIRED')) throw error
    await backups.pull()
    const renewed = await pack()
    await publishPacked(node, renewed)
    return renewed.name
  }
}

/**
 * Whether the record has what was to be written, or needs it no more. Ids of imports follow from what is imported: a revision that is taken is that of the
 * same import, of one whose entry was erased since and stays so, or of a sync on another device, which the next sync compares with.
 */
function isThere(error: unknown): boolean {
  return isKnown(error) || isSalusError(error, 'ENTRY_REVISION_USED')
}
