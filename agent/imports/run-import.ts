/** Writes the entries of one import, from where it stood, until all are written. */
import { setTimeout as pause } from 'node:timers/promises'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { planImport } from '#core/fhir/import/plan.ts'
import type { PlannedEntry, PlannedPart } from '#core/fhir/import/planned-entry.ts'
import { entryOfPart, entryOfResource, repeatableIds } from '#core/fhir/import/repeatable.ts'
import { surveyImport, type ImportSource, type Survey } from '#core/fhir/import/survey.ts'
import type { FhirSnapshot } from '#agent/fhir-record/fhir-record.ts'
import type { ImportState } from '#agent/imports/import-state.ts'
import type { ImportProgress } from '#agent/imports/progress.ts'
import { writeEntry, type WriteComponents } from '#agent/imports/write-entry.ts'
import { isTransient } from '#agent/patient/refusals.ts'

/** One run. */
export interface ImportRun {
  readonly state: ImportState
  readonly open: ImportSource
  /** The record as it is. */
  readonly record: () => Promise<FhirSnapshot>
  /** Of the same source, where it was just made. */
  readonly survey?: Survey
  readonly signal: AbortSignal
  readonly note: (change: Partial<ImportProgress>) => void
  /** Keeps how many entries are written. */
  readonly keep: (done: number) => Promise<void>
}

/** Entries on their way to a node at once. */
const AT_ONCE = 8
/** Bytes of bodies on their way at once, but for a single larger one. */
const BYTES_AT_ONCE = 4_194_304
/** After a crash, at most the entries of so long are handed in again. */
const KEEP_MS = 1_000
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 30_000

/**
 * Runs to the end.
 *
 * @throws SalusError `AGENT_LOCKED`, and what will not pass by itself
 */
export async function runImport(components: WriteComponents, run: ImportRun): Promise<void> {
  const { p, keeper, clock } = components
  const { state, note, keep, signal } = run
  const record = await untilTaken(async () => keeper.hold(run.record))
  const places = record.places()
  const { seed } = await keeper.hold(async () => (await components.accounts.patient()).account.state)
  const init = {
    ...{ primitives: p, random: repeatableIds(p, seed, state.what), today: state.today },
    elsewhere: (name: string) => places.get(name),
    ...(state.server === ''
      ? {}
      : {
          entryOf: (name: string) => entryOfResource(p, seed, state.server, name),
          entryOfPart: (part: PlannedPart) => entryOfPart(p, seed, part)
        })
  }
  const survey = run.survey ?? (await surveyImport(run.open, init))
  note({ resources: survey.resources.length })
  let done = 0
  let keptMs = clock()
  let batch: PlannedEntry[] = []
  let bytes = 0
  let heads = record.log.parentsOfNew()

  async function flush(): Promise<void> {
    const now = batch
    batch = []
    bytes = 0
    const shares = now.map((_, i) => shareOf(heads, i, now.length))
    const names = await untilTaken(async () =>
      keeper.hold(async () => Promise.all(now.map(async (planned, i) => write(planned, shares[i] ?? []))))
    )
    const taken = names.filter(name => name != null)
    // What a node refused as known has another name, which nothing here may follow.
    if (taken.length > 0) heads = taken
    done += now.length
    note({ done, state: 'running', code: null })
    if (clock() - keptMs < KEEP_MS) return
    await keep(done)
    keptMs = clock()
  }

  async function write(planned: PlannedEntry, parents: readonly string[]): Promise<string | undefined> {
    const { name, entry, body } = planned
    const known = state.server === '' || name == null ? undefined : record.versions.lastStated(entry)
    // What the server says as before is written once, whatever the patient has made of it.
    if (known != null && equalBytes(await record.open(known), body)) return undefined
    const place = known == null ? { revision: 1, parents } : record.log.parentsOfRevision(toHex(entry))
    return writeEntry(components, planned, { recordedAtMs: state.atMs, ...place })
  }

  async function untilTaken<T>(act: () => Promise<T>): Promise<T> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      signal.throwIfAborted()
      try {
        return await act()
      } catch (error) {
        if (!isTransient(error)) throw error
        note({ state: 'waiting', code: error.code })
        await pause(waitMs, undefined, { signal, ref: false })
      }
    }
  }

  for await (const planned of planImport(run.open, init, survey)) {
    if (done + batch.length < state.done) {
      // A node has it, or the outbox.
      done++
      continue
    }
    // The manifest names what must be there before it.
    const isAlone = planned.kind === 'manifest'
    if (batch.length > 0 && (isAlone || batch.length === AT_ONCE || bytes + planned.body.length > BYTES_AT_ONCE)) {
      await flush()
    }
    batch.push(planned)
    bytes += planned.body.length
    if (isAlone) {
      await flush()
      note({ manifest: toHex(planned.entry) })
    }
  }
}

/** Which of the heads one of several entries follows: each is followed by at least one, and each entry follows something. */
function shareOf(heads: readonly string[], index: number, of: number): readonly string[] {
  const own = heads.filter((_, i) => i % of === index)
  return own.length > 0 ? own : heads.slice(index % heads.length, (index % heads.length) + 1)
}
