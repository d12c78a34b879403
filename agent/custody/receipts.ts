/** Who opened what, by the receipts that custodians wrote before they handed anything out; each log is followed from where it was left. */
import type { FollowedReceipts, KeptReceipt } from '#core/agent/agent-state.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'
import { receiptLogOrigin } from '#core/receipts/origin.ts'
import { MAX_OWN_RECEIPTS, collectReceipts, type LogSource } from '#core/receipts/collect.ts'
import { UNFOLLOWED } from '#core/receipts/follow.ts'
import type { Agent } from '#agent/agent.ts'
import { meetCustodian } from '#agent/custody/custodians.ts'
import type { Access } from '#agent/patient/accesses.ts'

/** Longest look at one log: the vault stays open for it. */
const MAX_LOOK_MS = 120_000

/** A log that could not be followed, and why; `RECEIPTS_FORKED` and `RECEIPTS_TRUNCATED` convict its node. */
export interface LogAlarm {
  readonly url: string
  readonly code: string
}

/** What the logs tell, and which of them are not to be believed. */
export interface ReceiptAccesses {
  readonly accesses: readonly Access[]
  readonly alarms: readonly LogAlarm[]
}

/**
 * Follows the logs of all custodians that the patient has used, and of those named, which are followed from now on.
 *
 * @throws SalusError `AGENT_*`, `VAULT_*`; what a custodian does wrong is told as an alarm
 */
export async function followReceipts(agent: Agent, urls: readonly string[] = []): Promise<ReceiptAccesses> {
  const { keeper } = agent
  const { logs: known = [], patient } = keeper.state()
  const used = (patient?.state.grants ?? []).flatMap(({ custodians = [] }) => custodians)
  const all = new Set([...known.map(({ url }) => url), ...used, ...urls])
  const alarms: LogAlarm[] = []
  for (const url of all) {
    try {
      await follow(agent, url)
    } catch (error) {
      if (!isSalusError(error) || /^(?:AGENT|VAULT)_/.test(error.code)) throw error
      alarms.push({ url, code: error.code })
    }
  }
  const logs = keeper.state().logs ?? []
  return { accesses: logs.flatMap(({ peer, receipts }) => receipts.map(each => accessOf(peer, each))), alarms }
}

async function follow({ p, keeper, chain, accounts, clock }: Agent, url: string): Promise<void> {
  const { account, keys } = await accounts.patient()
  const { network, patient } = account.state
  const before = keeper.state().logs?.find(each => each.url === url)
  const { card, client } = await meetCustodian(p, url, network)
  const publicKey = decodeKeyBundle(card.bundle).sign
  // Another log at the same address would begin anew, as if nothing had happened before.
  if (before != null && !(equalBytes(before.peer, card.peer) && equalBytes(before.key, publicKey))) {
    throw new SalusError('RECEIPTS_OTHER', 'Another node answers at this address than the one that was followed.')
  }
  const key = { origin: receiptLogOrigin(network, publicKey), publicKey }
  const range = before == null ? UNFOLLOWED.range : { size: before.size, peaks: before.peaks }
  const from = { range, note: before?.note ?? null }
  const anchor = await chain.anchorOf(card.log)
  const known = before?.receipts ?? []
  const untilMs = clock() + MAX_LOOK_MS
  const source: LogSource = {
    checkpoint: async () => client.checkpoint(),
    async tile(name) {
      if (clock() < untilMs) return client.tile(name)
      throw new SalusError('RECEIPTS_SLOW', 'The custodian gives its log too slowly, or has no end of it.')
    }
  }
  const of = { key, keys, anchor, maxOwn: MAX_OWN_RECEIPTS - known.length }
  const { followed, receipts } = await collectReceipts(p, source, from, of)
  const own = receipts
    // What the patient read itself is no news to it.
    .filter(each => each.subject != null && equalBytes(each.patient, patient))
    .map(({ number, kind, subject, atMs, address }) => ({ number, kind, subject, atMs, address }))
  const next: FollowedReceipts = {
    url,
    peer: card.peer,
    key: publicKey,
    size: followed.range.size,
    peaks: followed.range.peaks,
    note: followed.note,
    receipts: [...known, ...own]
  }
  await keeper.update(state => {
    const { logs = [] } = state
    const now = logs.find(each => each.url === url)
    // Followed twice at once: the one that came first counts, and the next look goes on from there.
    if (now?.size !== before?.size) return state
    return { ...state, logs: [...logs.filter(each => each.url !== url), next] }
  })
}

function accessOf(peer: Uint8Array, { number, kind, subject, atMs }: KeptReceipt): Access {
  const grantId = toHex(subject ?? new Uint8Array(32))
  return { atMs, what: kind === 'share' ? 'key-released' : 'read', grantId, source: `${toHex(peer)}#${String(number)}` }
}
