/**
 * What a claim of a one-time grant opens: nodes hand it out for ten minutes after the claim, custodians give the keys only when the claim
 * is final, which may be later. So it is fetched sealed at once and kept, as the outbox keeps entries, and opened from there.
 */
import { openAsGrantee } from '#core/agent/grantee-entries.ts'
import type { ReceivedEntry } from '#core/agent/author.ts'
import type { Invitation } from '#core/agent/agent-state.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { decodeMessage } from '#core/network/envelope.ts'
import { decodeEntry } from '#core/record/entry.ts'
import type { Accounts } from '#agent/accounts.ts'
import type { AgentComponents } from '#agent/components.ts'
import { packEntry, readRecord } from '#agent/network/record.ts'
import type { OpenedRecordEntry, RecordIndex } from '#agent/record-index.ts'

type Components = AgentComponents & { readonly accounts: Accounts }

/** Fetches what the claim opens, and keeps it sealed; on the disk when it resolves. */
export async function fetchClaimed(components: Components, { patient, grantId: grant }: Invitation): Promise<void> {
  const { node, keeper, claimed, accounts } = components
  const { account, keys, evidence } = await accounts.clinician()
  const { state } = account
  const known = new Set((await readClaimed(components)).map(({ headerBytes }) => toHex(headerBytes)))
  for (const entry of await readRecord(components, node, { state, keys, evidence }, { patient, grant })) {
    if (known.has(toHex(entry.headerBytes))) continue
    const { headerBytes, slotBytes, blob } = entry
    const { cid } = decodeEntry(headerBytes)
    await claimed.put(
      keeper.state().deviceSeed,
      packEntry(state.network, { cid, headerBytes, slotBytes, blob }, entry.evidenceBytes)
    )
  }
}

async function readClaimed({ keeper, claimed }: Components): Promise<ReceivedEntry[]> {
  const { deviceSeed, network } = keeper.state()
  const entries: ReceivedEntry[] = []
  for (const name of await claimed.names()) {
    const kept = await claimed.read(deviceSeed, name)
    const message = kept == null ? undefined : decodeMessage(kept.message, network)
    if (message?.kind !== 'entry') continue
    const blob = message.blob ?? kept?.blob?.bytes
    const { header: headerBytes, slot: slotBytes, evidence: evidenceBytes } = message
    if (blob != null) entries.push({ headerBytes, slotBytes, evidenceBytes, blob })
  }
  return entries
}

/** The record as a claim opened it. Entries that the grant does not open are not in it. */
export function createClaimedRecord(components: Components, grantId: Uint8Array): RecordIndex {
  const { p, chain, accounts } = components

  async function opened(): Promise<OpenedRecordEntry[]> {
    const { account } = await accounts.clinician()
    const grants = account.state.grants.filter(each => equalBytes(each.grantId, grantId))
    const [held] = grants
    if (held == null) return []
    const record = await chain.recordOf(held.patient)
    const entries: OpenedRecordEntry[] = []
    for (const sealed of await readClaimed(components)) {
      const { header, cid } = decodeEntry(sealed.headerBytes)
      if (!equalBytes(header.patient, held.patient)) continue
      try {
        const { content, compartment, author } = openAsGrantee(p, { ...account.state, grants }, sealed, record)
        const { type, recordedAtMs, body } = content
        const summary = { compartment, author, type, recordedAtMs, bodyBytes: body.length }
        entries.push({ position: entries.length + 1, header, cid, summary, content })
      } catch (error) {
        if (!isSalusError(error)) throw error
      }
    }
    return entries
  }

  return {
    async list({ after, limit }) {
      const later = (await opened()).filter(({ position }) => position > after)
      const entries = later.slice(0, limit)
      return { entries, next: later.length > limit ? (entries.at(-1)?.position ?? null) : null }
    },
    async open(name) {
      const named = (await opened()).filter(
        ({ header, cid }) => toHex(header.entry) === name || cid.toString() === name
      )
      const found = named.sort((a, b) => b.header.revision - a.header.revision)[0]
      if (found == null) throw new SalusError('ENTRY_UNKNOWN', 'There is no such entry that this agent knows.')
      return found
    }
  }
}
