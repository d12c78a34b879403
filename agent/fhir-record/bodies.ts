/** Bodies of entries whose headers were judged already: read ahead page by page, the last ones kept for a while. */
import { placeOfEntry } from '#core/agent/patient-entries.ts'
import { SalusError, isSalusError } from '#core/error.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { openEntry } from '#core/record/seal-entry.ts'
import type { Accounts } from '#agent/accounts.ts'
import type { AgentComponents } from '#agent/components.ts'
import type { EntryVersion } from '#agent/fhir-record/versions.ts'
import { readPage, withBlob } from '#agent/network/record.ts'
import type { StoredEntry } from '#node/http/client.ts'

/** Most bytes of bodies that are kept. */
const KEPT_BYTES = 33_554_432

/** Opens bodies. */
export interface Bodies {
  /** @throws SalusError `ENTRY_UNKNOWN` if the node has it no more, and what opening throws */
  open(version: Pick<EntryVersion, 'cid' | 'position'>): Promise<Uint8Array>
  /** Forgets all of them. */
  clear(): void
}

/** Makes an empty store. */
export function createBodies(components: AgentComponents & { readonly accounts: Accounts }): Bodies {
  const { p, node, accounts } = components
  const kept = new Map<string, Uint8Array>()
  let keptBytes = 0

  function keep(cid: string, body: Uint8Array): void {
    if (kept.has(cid) || body.length > KEPT_BYTES / 4) return
    kept.set(cid, body)
    keptBytes += body.length
    for (const [oldest, { length }] of kept) {
      if (keptBytes <= KEPT_BYTES) break
      kept.delete(oldest)
      keptBytes -= length
    }
  }

  /** Node and page are not trusted: the name of a header is its digest, and it was judged under that name. */
  async function openStored(stored: StoredEntry): Promise<Uint8Array> {
    const { state } = (await accounts.patient()).account
    const received = await withBlob(node, stored)
    const { tag, leafKey } = placeOfEntry(p, state, decodeEntry(received.headerBytes, state).header)
    return openEntry(p, { ...received, tag, leafKey }).content.body
  }

  return {
    async open({ cid, position }) {
      const known = kept.get(cid)
      if (known != null) return known
      const { account, ...reader } = await accounts.patient()
      const { state } = account
      const query = { patient: state.patient, grant: null, after: position - 1 }
      const page = await readPage(components, node, { ...reader, state }, query)
      let found: Uint8Array | undefined
      for (const stored of page.entries) {
        const name = decodeEntry(stored.header).cid.toString()
        if (name === cid) found = await openStored(stored)
        else if (stored.blob != null && !kept.has(name)) {
          // What does not open is told of when it is asked for.
          const ahead = await openStored(stored).catch((error: unknown) => {
            if (isSalusError(error)) return undefined
            throw error
          })
          if (ahead != null) keep(name, ahead)
        }
      }
      if (found == null) throw new SalusError('ENTRY_UNKNOWN', 'The node does not have this entry any more.')
      keep(cid, found)
      return found
    },
    clear() {
      for (const body of kept.values()) body.fill(0)
      kept.clear()
      keptBytes = 0
    }
  }
}
