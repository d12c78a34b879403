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
 * @throws SalusError as `planRevision`; `ENTRY_WAITING` (the node has yet to take what was written before)
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
  const entry = toHex(planned.entry)
  return { entry, header: await headerOf(agent, entry, sealed.cid.toString()), waiting }
}

/** The header that was written: another one than was sealed first where another device of the patient revised the entry at once. */
async function headerOf({ record, outbox }: Agent, entry: string, sealed: string): Promise<string> {
  if ((await outbox.names()).length > 0) return sealed
  const log = await record.log()
  return log.node(sealed) != null ? sealed : (log.entry(entry)?.standing.at(-1)?.item.name ?? sealed)
}
