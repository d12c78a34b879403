/** Takes FHIR of any size to the agent, and says how far it is. */
import { createReadStream } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { AgentClient } from '#agent/cli/client.ts'
import { print } from '#agent/cli/command.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import { SalusError } from '#core/error.ts'

/** An import as the agent tells of it. */
export interface ImportView {
  readonly id: string
  readonly state: 'running' | 'waiting' | 'done' | 'refused'
  readonly code: string | null
  readonly resources: number | null
  readonly unsound: number | null
  readonly done: number
  readonly manifest: string | null
}

const LOOK_MS = 200

/** Imports a FHIR file, read from the disk as it is sent. */
export async function importFhirFile(
  client: AgentClient,
  path: string,
  options: AgentOptions & { readonly again: boolean }
): Promise<void> {
  const query = options.again ? '?again=true' : ''
  const taken = await client.upload<ImportView>(`/v1/patient/imports${query}`, createReadStream(path))
  await followImports(client, [taken], options)
}

/** Waits until imports are done, or wait for something: then they follow by themselves. */
export async function followImports(
  client: AgentClient,
  taken: readonly ImportView[],
  options: AgentOptions
): Promise<void> {
  const ended: ImportView[] = []
  for (const { id } of taken) ended.push(await followImport(client, id))
  const sum = (field: 'done' | 'resources' | 'unsound'): number =>
    ended.reduce((total, each) => total + (each[field] ?? 0), 0)
  const waiting = ended.find(({ state }) => state === 'waiting')
  const answer = {
    importer: 'fhir',
    state: waiting == null ? 'done' : 'waiting',
    code: waiting?.code ?? null,
    ...{ resources: sum('resources'), unsound: sum('unsound'), written: sum('done') },
    imports: ended
  }
  const unsound = answer.unsound === 0 ? '' : `; ${String(answer.unsound)} are not as FHIR asks, and kept as they are`
  const rest = waiting == null ? '' : `; the rest follows by itself (${waiting.code ?? ''})`
  const words = `${String(answer.resources)} resources in ${String(answer.written)} entries${unsound}${rest}.`
  print(options, answer, words)
}

async function followImport(client: AgentClient, id: string): Promise<ImportView> {
  for (let shown = 0; ;) {
    const now = await client.get<ImportView>(`/v1/patient/imports/${id}`)
    if (now.state === 'refused') {
      throw new SalusError(now.code ?? 'AGENT_ANSWER', 'The import was refused; docs/errors.md says why.')
    }
    if (process.stderr.isTTY && now.done !== shown) process.stderr.write(`\r${String(now.done)} entries written`)
    shown = now.done
    if (now.state !== 'running') {
      if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
      return now
    }
    await pause(LOOK_MS)
  }
}
