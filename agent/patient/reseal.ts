import { openAsPatient, sealAsPatient } from '#core/agent/patient-entries.ts'
import { SalusError } from '#core/error.ts'
import { decodeMessage } from '#core/network/envelope.ts'
import { dayOf } from '#core/record/day.ts'
import type { EntryHeader } from '#core/record/entry.ts'
import type { Accounts } from '#agent/accounts.ts'
import type { AgentComponents } from '#agent/components.ts'
import { packEntry, type OutgoingEntry } from '#agent/network/record.ts'

/**
 * The same entry under the keys now in use, and where it is told in another place of the record: another device was first.
 *
 * @throws SalusError `ENTRY_RETIRED` if what waited is no entry; as `openAsPatient`
 */
export async function resealEntry(
  components: AgentComponents & { readonly accounts: Accounts },
  outgoing: OutgoingEntry,
  place: Partial<Pick<EntryHeader, 'entry' | 'revision' | 'parents'>> = {}
): Promise<OutgoingEntry> {
  const { p, random, clock, chain, accounts } = components
  const { account, keys, evidence } = await accounts.patient()
  const { state } = account
  const message = decodeMessage(outgoing.message, state.network)
  const blob = message.kind === 'entry' ? (message.blob ?? outgoing.blob?.bytes) : undefined
  if (message.kind !== 'entry' || blob == null) {
    throw new SalusError('ENTRY_RETIRED', 'What waits is no entry that can be sealed again.')
  }
  const received = { headerBytes: message.header, slotBytes: message.slot, evidenceBytes: message.evidence, blob }
  const { header, content, compartment } = openAsPatient(p, state, received, await chain.recordOf(state.patient))
  const { entry, revision, parents } = header
  const renewed = { compartment, day: dayOf(clock()), content, entry, revision, parents, ...place }
  return packEntry(state.network, sealAsPatient(p, random, { state, keys }, renewed), evidence)
}
