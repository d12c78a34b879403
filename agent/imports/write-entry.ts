import { CID } from 'multiformats/cid'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { isSalusError } from '#core/error.ts'
import type { PlannedEntry } from '#core/fhir/import/planned-entry.ts'
import type { Accounts } from '#agent/accounts.ts'
import type { AgentComponents } from '#agent/components.ts'
import type { EntryVersion } from '#agent/fhir-record/versions.ts'
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
  /** The state of the same resource that it replaces. */
  readonly revises?: Pick<EntryVersion, 'revision' | 'cid'>
}

/**
 * Seals one entry of an import and hands it in. Written once more it is refused as known, which is as good. What has its blob
 * beside it waits in the outbox first: once a node has the entry, only the very same sealed bytes are its blob.
 *
 * @throws SalusError what a node refuses it with
 */
export async function writeEntry(
  components: WriteComponents,
  planned: PlannedEntry,
  { recordedAtMs, revises }: WriteInit
): Promise<void> {
  const { p, random, node, accounts, backups, keeper, outbox } = components
  const { compartment, day, entry, type, body } = planned
  const follows = revises == null ? {} : { revision: revises.revision + 1, parents: [CID.parse(revises.cid)] }
  async function pack(): Promise<OutgoingEntry> {
    const { account, keys, evidence } = await accounts.patient()
    const { state } = account
    const content = { type, recordedAtMs, body }
    return packEntry(
      state.network,
      sealAsPatient(p, random, { state, keys }, { compartment, day, content, entry, ...follows }),
      evidence
    )
  }
  const outgoing = await pack()
  if (outgoing.blob != null) {
    const name = await outbox.put(keeper.state().deviceSeed, outgoing)
    try {
      await publishPacked(node, outgoing)
    } catch (error) {
      // Whatever passes by itself, and keys that another device replaced, the outbox deals with.
      if (isTransient(error) || isSalusError(error, 'ENTRY_RETIRED')) return
      if (!isKnown(error)) throw error
    }
    await outbox.remove(name)
    return
  }
  try {
    await publishPacked(node, outgoing)
  } catch (error) {
    if (isKnown(error)) return
    if (!isSalusError(error, 'ENTRY_RETIRED')) throw error
    await backups.pull()
    await publishPacked(node, await pack())
  }
}
