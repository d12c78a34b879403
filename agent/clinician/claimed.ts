/**
 * What a claim of a one-time grant opens: nodes hand it out for ten minutes after the claim, custodians give the keys only when the claim
 * is final, which may be later. So it is fetched sealed at once and kept, as the outbox keeps entries, and read from there.
 */
import type { Invitation } from '#core/agent/agent-state.ts'
import { equalBytes, toHex, utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { decodeMessage } from '#core/network/envelope.ts'
import { decodeEntry } from '#core/record/entry.ts'
import type { Accounts } from '#agent/accounts.ts'
import type { AgentComponents } from '#agent/components.ts'
import { packEntry, readRecord } from '#agent/network/record.ts'
import type { RecordSource } from '#agent/record/source.ts'
import type { StoredEntry } from '#node/http/client.ts'

type Components = AgentComponents & { readonly accounts: Accounts }

const PAGE_ENTRIES = 64

/** Fetches what the claim opens, and keeps it sealed; on the disk when it resolves. */
export async function fetchClaimed(components: Components, { patient, grantId: grant }: Invitation): Promise<void> {
  const { node, keeper, claimed, accounts } = components
  const { account, keys, evidence } = await accounts.clinician()
  const { state } = account
  const kept = await Promise.all((await claimed.names()).map(async name => readKept(components, name, 0)))
  const known = new Set(kept.flatMap(entry => (entry == null ? [] : toHex(entry.header))))
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

/** Reads a patient’s entries that claims fetched. */
export function createClaimedSource(components: Components, patient: Uint8Array): RecordSource {
  const { p, claimed } = components
  return {
    // Names are random: one that is added later may stand between others, which moves those after it.
    name: async () => `claimed/${toHex(p.sha256(utf8((await claimed.names()).join()))).slice(2)}`,
    async page({ after, limit = PAGE_ENTRIES }) {
      const names = await claimed.names()
      const entries: StoredEntry[] = []
      let position = after
      while (position < names.length && entries.length < limit) {
        const entry = await readKept(components, names[position++] ?? '', position)
        if (entry != null && equalBytes(decodeEntry(entry.header).header.patient, patient)) entries.push(entry)
      }
      return { entries, next: position < names.length ? position : null }
    },
    // Nodes tell under a right to read, which the claim has used up.
    notices: async after => Promise.resolve({ notices: [], next: null, last: after }),
    async whole({ header: headerBytes, slot: slotBytes, evidence: evidenceBytes, blob }) {
      if (blob == null)
        throw new SalusError('BLOB_NOT_FOUND', 'What the claim fetched is not whole; ask for a new grant.')
      return Promise.resolve({ headerBytes, slotBytes, evidenceBytes, blob })
    }
  }
}

async function readKept(
  { keeper, claimed }: Components,
  name: string,
  position: number
): Promise<StoredEntry | undefined> {
  const { deviceSeed, network } = keeper.state()
  const kept = await claimed.read(deviceSeed, name)
  const message = kept == null ? undefined : decodeMessage(kept.message, network)
  if (message?.kind !== 'entry') return undefined
  const { header, slot, evidence } = message
  return { position, header, slot, evidence, blob: message.blob ?? kept?.blob?.bytes ?? null }
}
