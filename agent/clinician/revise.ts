import { toHex } from '#core/encoding/bytes.ts'
import type { Agent } from '#agent/agent.ts'
import { writeEntry } from '#agent/clinician/entries.ts'
import { planRevision, type RevisionWish } from '#agent/record/revision.ts'

/**
 * Writes a revision under a grant; of what somebody else wrote it is a proposal.
 *
 * @returns id of the entry; of a comment, its own
 * @throws SalusError as `planRevision` and `writeEntry`
 */
export async function reviseGranted(agent: Agent, grantId: Uint8Array, wish: RevisionWish): Promise<string> {
  const { random, clock, granted } = agent
  const { content, ...planned } = await planRevision(random, await granted.of(grantId), wish, clock())
  return toHex(await writeEntry(agent, grantId, { ...planned, ...content }))
}
