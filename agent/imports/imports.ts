/**
 * Imports of FHIR, of any size: a source is sealed to the disk, checked, and then written entry by entry until it is done, through
 * locking, crashes and nodes that are away (docs/specs/agent-api.md#imports).
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import type { Survey } from '#core/fhir/import/survey.ts'
import type { FhirSnapshot } from '#agent/fhir-record/fhir-record.ts'
import { checkImport } from '#agent/imports/check-import.ts'
import { readImportState, writeImportState, type ImportState } from '#agent/imports/import-state.ts'
import type { ImportProgress } from '#agent/imports/progress.ts'
import { runImport } from '#agent/imports/run-import.ts'
import { readSpool, writeSpool } from '#agent/imports/spool.ts'
import type { WriteComponents } from '#agent/imports/write-entry.ts'
import { isTransient } from '#agent/patient/refusals.ts'
import { removeDurably } from '#node/store/durable-file.ts'

/** Imports under way and those that ended since the agent was started. */
export interface Imports {
  /**
   * Takes a source; the rest follows by itself. Within `hold`.
   *
   * @param again - writes it once more even if it was imported before
   * @param server - the hospital’s server that it is from: states of its resources are revisions
   * @throws SalusError as `surveyImport`; nothing is kept then
   */
  take(
    bytes: AsyncIterable<Uint8Array>,
    options?: { readonly again?: boolean; readonly server?: string }
  ): Promise<ImportProgress>
  list(): readonly ImportProgress[]
  /** Goes on with what a crash or a lock interrupted. Within `hold`. */
  resume(): Promise<void>
  /** Waits for the entry that is being written, and writes no more. */
  stop(): Promise<void>
}

/** What imports may be told. */
export interface ImportsInit {
  /** Folder of sources that wait. */
  readonly folder: string
  /** The record as it is. */
  readonly record: () => Promise<FhirSnapshot>
}

const SOURCE = '.source'
const STATE = '.state'
const ID_FILE = /^([0-9a-f]{32})\.state$/
const MAX_ENDED = 100

/** Makes the service. */
export function createImports(components: WriteComponents, { folder, record }: ImportsInit): Imports {
  const { p, random, clock, keeper, log } = components
  const known = new Map<string, ImportProgress>()
  const surveys = new Map<string, Survey>()
  let queue: Promise<unknown> = Promise.resolve()
  let ending = new AbortController()

  const pathOf = (id: string, ending: string): string => join(folder, `${id}${ending}`)
  const seedOf = (): Uint8Array => keeper.state().deviceSeed
  const note = (id: string, change: Partial<ImportProgress>): ImportProgress => {
    const fresh = { id, state: 'running', code: null, resources: null, unsound: null, done: 0, manifest: null } as const
    const next = { ...fresh, ...known.get(id), ...change }
    known.set(id, next)
    return next
  }

  async function remove(id: string): Promise<void> {
    // The state first: a source without one is litter, a state without its source would never end.
    await removeDurably(pathOf(id, STATE))
    await removeDurably(pathOf(id, SOURCE))
    const ended = [...known.values()].filter(({ state }) => state === 'done' || state === 'refused')
    for (const each of ended.slice(0, -MAX_ENDED)) known.delete(each.id)
  }

  async function go(id: string, { signal }: AbortController): Promise<void> {
    try {
      const state = await keeper.hold(async () => readImportState(p, { path: pathOf(id, STATE), id, seed: seedOf() }))
      if (state == null) return
      const survey = surveys.get(id)
      surveys.delete(id)
      await runImport(components, {
        state,
        open: readSpool(p, pathOf(id, SOURCE), seedOf()),
        record,
        signal,
        note: change => void note(id, change),
        keep: async done => {
          const next = { ...state, done }
          await keeper.hold(async () =>
            writeImportState({ p, random }, { path: pathOf(id, STATE), id, seed: seedOf() }, next)
          )
        },
        ...(survey == null ? {} : { survey })
      })
      await remove(id)
      note(id, { state: 'done', code: null })
    } catch (error) {
      if (signal.aborted || isSalusError(error, 'AGENT_LOCKED')) {
        note(id, { state: 'waiting', code: 'AGENT_LOCKED' })
        return
      }
      const code = isSalusError(error) ? error.code : 'HTTP_INTERNAL'
      log.error({ code }, 'an import was refused')
      note(id, { state: 'refused', code })
      // What is not ours to judge stays for the next start.
      if (isSalusError(error)) await remove(id)
    }
  }

  function enqueue(id: string): void {
    const mine = ending
    queue = queue.then(async () => (mine.signal.aborted ? undefined : go(id, mine)))
  }

  keeper.onChange(status => {
    if (status === 'unlocked') return
    ending.abort()
    surveys.clear()
  })

  return {
    async take(bytes, { again = false, server = '' } = {}) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const id = toHex(random(16)).slice(2)
      const seed = seedOf()
      const { digest } = await writeSpool({ p, random }, pathOf(id, SOURCE), seed, bytes)
      const atMs = clock()
      const state: ImportState = {
        what: again ? random(32) : digest,
        server,
        today: Math.floor(atMs / 86_400_000),
        atMs,
        done: 0
      }
      const places = await record().then(snapshot => snapshot.places(), whileAway)
      let survey: Survey
      try {
        survey = await checkImport(p, readSpool(p, pathOf(id, SOURCE), seed), state.today, name => places?.get(name))
        await writeImportState({ p, random }, { path: pathOf(id, STATE), id, seed }, state)
      } catch (error) {
        await rm(pathOf(id, SOURCE), { force: true })
        throw error
      }
      if (places != null) surveys.set(id, survey)
      const unsound = survey.resources.filter(({ issues }) => issues.length > 0).length
      const progress = note(id, { resources: survey.resources.length, unsound })
      enqueue(id)
      return progress
    },
    list: () => [...known.values()],
    async resume() {
      if (ending.signal.aborted) ending = new AbortController()
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const files = await readdir(folder)
      const ids = files.map(name => ID_FILE.exec(name)?.[1]).filter(id => id != null)
      const isRunning = (id: string): boolean => ['running', 'done'].includes(known.get(id)?.state ?? '')
      for (const id of ids) {
        if (isRunning(id)) continue
        note(id, { state: 'running', code: null })
        enqueue(id)
      }
      const isLitter = (name: string): boolean =>
        !ids.includes(name.slice(0, 32)) && known.get(name.slice(0, 32)) == null
      for (const name of files.filter(isLitter)) await rm(join(folder, name), { force: true })
    },
    async stop() {
      ending.abort()
      await queue
    }
  }
}

/** A source is checked without a node; where its resources lie is decided when one has told what the record holds. */
function whileAway(error: unknown): undefined {
  if (!isTransient(error)) throw error
}

/**
 * One of them.
 *
 * @throws SalusError `IMPORT_UNKNOWN`
 */
export function importNamed(imports: Imports, id: string): ImportProgress {
  const found = imports.list().find(each => each.id === id)
  if (found == null) throw new SalusError('IMPORT_UNKNOWN', 'There is no such import since the agent was started.')
  return found
}
