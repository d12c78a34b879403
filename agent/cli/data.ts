/** `salus clinician read --at-once|--wait`: what is here of a record, and how new it is (docs/specs/data-access.md). */
import { print } from '#agent/cli/command.ts'
import type { AgentClient } from '#agent/cli/client.ts'
import { entryLine, type EntryView } from '#agent/cli/entry-view.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'

/** Which page, and how long to wait for something new, seconds; undefined for not at all. */
export interface DataOptions extends AgentOptions {
  readonly after: number
  readonly limit: number
  readonly wait?: number
}

interface DataView {
  readonly entries: readonly EntryView[]
  readonly asOf: { readonly position: number; readonly header: string } | null
  readonly freshness: 'current' | 'stale'
}

const LONGEST_WAIT_S = 60
const MAX_ENTRIES = 100

/** Prints it. */
export async function readData(client: AgentClient, grant: string, options: DataOptions): Promise<void> {
  const path = `/v1/clinician/grants/${grant}/data`
  const { wait, after, limit } = options
  if (wait != null) {
    const { asOf } = await client.get<DataView>(`${path}?limit=1`)
    const waitMs = 1000 * Math.min(LONGEST_WAIT_S, wait)
    await client.get(`${path}/fresh?after=${String(asOf?.position ?? 0)}&waitMs=${String(waitMs)}`)
  }
  const query = `after=${String(after)}&limit=${String(Math.min(MAX_ENTRIES, limit))}`
  const data = await client.get<DataView>(`${path}?${query}`)
  const asOf = data.asOf == null ? 'nothing was fetched yet' : `as of ${data.asOf.header}`
  print(options, data, [`${data.freshness}: ${asOf}`, ...data.entries.map(entryLine)])
}
