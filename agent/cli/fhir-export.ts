/** `salus patient export --format …`: the record as one file of FHIR. */
import { open, rename, rm } from 'node:fs/promises'
import { connect, print } from '#agent/cli/command.ts'
import { exportRecord } from '#agent/cli/export.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import { SalusError } from '#core/error.ts'
import { flushFolderOf } from '#node/store/durable-file.ts'

/** What to write, and where. */
export interface ExportOptions extends AgentOptions {
  readonly out: string
  readonly format: 'files' | 'bundle' | 'ndjson' | 'ips'
  readonly original?: string | true
  readonly compartments?: readonly string[]
}

/** What was imported and can be made again. */
interface Original {
  readonly entry: string
  readonly recordedAtMs: number
  readonly author: string
}

/** Writes a folder of files, or one file, whole or not at all, for its owner only. */
export async function exportAs(options: ExportOptions): Promise<void> {
  const { format, original, out, compartments } = options
  if (original != null) {
    await writeTo(options, `/v1/patient/originals/${await originalOf(options, original)}/body`)
    return
  }
  if (format === 'files') {
    await exportRecord({ ...options, out })
    return
  }
  const chosen = compartments == null ? {} : { compartments: compartments.join(',') }
  await writeTo(options, `/v1/patient/fhir-export?${new URLSearchParams({ format, ...chosen }).toString()}`)
}

/** Lists what was imported and can be made again to the byte. */
export async function listOriginals(options: AgentOptions): Promise<void> {
  const client = await connect(options)
  const answer = await client.get<{ originals: readonly Original[] }>('/v1/patient/originals')
  const lines = answer.originals.map(
    each => `${each.entry} ${new Date(each.recordedAtMs).toISOString()} by the ${each.author}`
  )
  print(options, answer, lines)
}

async function originalOf(options: AgentOptions, named: string | true): Promise<string> {
  if (named !== true) return named.toLowerCase()
  const client = await connect(options)
  const { originals } = await client.get<{ originals: readonly Original[] }>('/v1/patient/originals')
  const [first, ...more] = originals
  if (first != null && more.length === 0) return first.entry
  throw new SalusError(
    'CLI_ORIGINAL',
    'There is not exactly one import; name one of those that "salus patient originals" lists.'
  )
}

async function writeTo(options: ExportOptions, path: string): Promise<void> {
  const { out } = options
  const client = await connect(options)
  const temporary = `${out}.tmp`
  const file = await open(temporary, 'w', 0o600)
  let bytes = 0
  try {
    for await (const piece of client.download(path)) {
      await file.write(piece)
      bytes += piece.length
    }
    await file.sync()
    await file.close()
    await rename(temporary, out)
    await flushFolderOf(out)
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(temporary, { force: true })
    throw error
  }
  print(options, { out, bytes }, `${String(bytes)} bytes in ${out}, in plain text: keep it well.`)
}
