import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect, endingOf, print } from '#agent/cli/command.ts'
import { counted } from '#agent/cli/counted.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import type { EntryView } from '#agent/cli/entry-view.ts'

const INDEX_FILE = 'entries.json'

/**
 * Writes every entry's body to a file of its own, below a folder for each compartment, and a list of all: in plain text, for the
 * owner of the folder only. One entry is in memory at a time.
 */
export async function exportRecord(options: AgentOptions & { readonly out: string }): Promise<void> {
  const { out } = options
  const client = await connect(options)
  await mkdir(out, { recursive: true, mode: 0o700 })
  const listed: (EntryView & { readonly file: string | null })[] = []
  let after: number | null = 0
  while (after != null) {
    const page: { entries: EntryView[]; next: number | null } = await client.get(
      `/v1/patient/entries?after=${String(after)}`
    )
    for (const entry of page.entries) {
      const { header, compartment, type } = entry
      // A retraction says nothing: the list alone tells of it.
      if (compartment == null || type == null || entry.act === 'retract') {
        listed.push({ ...entry, file: null })
        continue
      }
      const file = join(compartment, `${header}${endingOf(type)}`)
      await mkdir(join(out, compartment), { recursive: true, mode: 0o700 })
      await writeFile(join(out, file), await client.bytes(`/v1/patient/entries/${header}/body`), { mode: 0o600 })
      listed.push({ ...entry, file })
    }
    after = page.next
  }
  await writeFile(join(out, INDEX_FILE), JSON.stringify({ entries: listed }, null, 2), { mode: 0o600 })
  const unopened = listed.filter(({ file, act }) => file == null && act !== 'retract').length
  const rest = unopened === 0 ? '' : `; ${counted(unopened, 'does', 'do')} not open, the list says why`
  print(
    options,
    { out, entries: listed.length, unopened },
    `${counted(listed.length, 'entry', 'entries')} in ${out}${rest}.`
  )
}
