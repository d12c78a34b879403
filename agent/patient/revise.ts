import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { dayOf } from '#core/record/day.ts'
import type { Agent } from '#agent/agent.ts'
import { packEntry } from '#agent/network/record.ts'
import { planRevision, type RevisionWish } from '#agent/record/revision.ts'

/** What became of a revision. */
export interface Revised {
  /** Id of the entry; of a comment, its own. */
  readonly entry: string
  /** Name of the header that was written. */
  readonly header: string
  /** How much a node has still to take. */
  readonly waiting: number
}

/**
 * Writes a revision of an entry of the patient's record. It lies in the outbox before it is handed in.
 *
 * @throws SalusError as `planRevision`; `ENTRY_WAITING` (the node has yet to take what was written before), `ENTRY_REVISION_USED`
 * (another device of the patient was first)
 */
export async function reviseEntry(agent: Agent, wish: RevisionWish): Promise<Revised> {
  const { p, random, clock, accounts, keeper, outbox, operations, record } = agent
  await operations.resume()
  // A second revision on top of what no node has yet would be one beside it.
  if ((await outbox.names()).length > 0) {
    throw new SalusError('ENTRY_WAITING', 'The node has yet to take what was written before; try again soon.')
  }
  const nowMs = clock()
  const { content, ...planned } = await planRevision(random, record, wish, nowMs)
  const { account, keys, evidence } = await accounts.patient()
  const { state } = account
  const revision = { ...planned, day: dayOf(nowMs), content: { ...content, recordedAtMs: nowMs } }
  const sealed = sealAsPatient(p, random, { state, keys }, revision)
  await outbox.put(keeper.state().deviceSeed, packEntry(state.network, sealed, evidence))
  const waiting = await operations.resume()
  const header = sealed.cid.toString()
  const isTaken = waiting > 0 || (await record.log()).node(header) != null
  if (!isTaken && (await outbox.names()).length === 0) {
    throw new SalusError('ENTRY_REVISION_USED', 'Another device revised the entry at once; look at it and try again.')
  }
  return { entry: toHex(planned.entry), header, waiting }
}
