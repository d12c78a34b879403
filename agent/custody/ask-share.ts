/** Asking one custodian for its share: a signed question of whoever the chain entitles, meant for this custodian alone. */
import { decodeCustodyAnswer, encodeCustodyRequest, type CustodyAnswer } from '#core/custody/release-request.ts'
import { signReadRequest } from '#core/grant/read-request.ts'
import type { AgentComponents } from '#agent/components.ts'
import { meetCustodian } from '#agent/custody/custodians.ts'
import type { Reader } from '#agent/network/record.ts'

/** Whose share is asked for, and what entitles to it. */
export interface ShareQuestion {
  readonly rule: 'claim' | 'glass'
  readonly patient: Uint8Array
  /** The grant that was claimed, or the emergency that was declared. */
  readonly grant: Uint8Array
}

/**
 * Asks; the plan in the answer is not checked yet.
 *
 * @throws SalusError as `meetCustodian`, `CUSTODY_ANSWER_*`, and what the custodian refuses it with
 */
export async function askForShare(
  { p, random, clock }: Pick<AgentComponents, 'p' | 'random' | 'clock'>,
  { state, keys, evidence }: Reader,
  url: string,
  { rule, patient, grant }: ShareQuestion
): Promise<CustodyAnswer> {
  const { network } = state
  const { card, client } = await meetCustodian(p, url, network)
  const asked = { network, patient, grant, audience: card.peer, issuedAtMs: clock(), nonce: random(16) }
  const authorization = signReadRequest(p, { ...asked, author: keys.bundle.sign, evidence }, keys.signSeed)
  return decodeCustodyAnswer(await client.release(encodeCustodyRequest({ rule, authorization })))
}
