/**
 * Alarm onsets on bedside recordings of one value a second, by the rules of the shipped pack, beside what the plain rule
 * "so many seconds bad, so many good" counts (gateway reference, section 1.5).
 */
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRecording, type Recording } from '#core/batch/recording.ts'
import { initialEngine, type Event, type Rules } from '#core/clinical/engine-state.ts'
import { step } from '#core/clinical/engine.ts'
import { vitalOf, type VitalCode } from '#core/clinical/vital.ts'
import { isAtLimit } from '#core/clinical/limits.ts'

const START_MS = 1_700_000_000_000

/** One recording as the engine met it. */
export interface Played {
  readonly name: string
  readonly hours: number
  readonly events: readonly Event[]
  /** Values as recorded, by vital sign: `[atMs, milli or null]` in order. */
  readonly rows: Readonly<Partial<Record<VitalCode, readonly (readonly [number, number | null])[]>>>
}

/** Plays a recording through a new engine. */
export function playRecording(rules: Rules, name: string, recording: Recording): Played {
  const rows: Partial<Record<VitalCode, [number, number | null][]>> = {}
  const events: Event[] = []
  let state = initialEngine(rules)
  const firstMs = recording.rows[0]?.timeMs ?? 0
  let atMs = START_MS
  for (const { timeMs, values } of recording.rows) {
    atMs = START_MS + timeMs - firstMs
    for (const [i, mantissa] of values.entries()) {
      const column = recording.columns[i]
      const vital =
        column == null ? undefined : vitalOf({ stream: { ...column.metric, exponent: column.exponent }, mantissa })
      if (vital == null) continue
      const list = (rows[vital.vital] ??= [])
      list.push([atMs, vital.milli])
      const next = step(rules, state, {
        type: 'sample',
        device: 'monitor',
        ...vital,
        flags: mantissa === null ? 1 : 0,
        atMs
      })
      state = next.state
      events.push(...next.events)
    }
  }
  return { name, hours: recording.rows.length / 3600, events, rows }
}

/** Reads the numerics of every recording of the set. */
export async function readBidmc(folder: string): Promise<{ name: string; recording: Recording }[]> {
  const names = (await readdir(folder)).filter(name => name.endsWith('_Numerics.csv')).sort()
  return Promise.all(names.map(async name => ({ name, recording: parseRecording(await readFile(join(folder, name))) })))
}

/** Onsets of the rules with these names. */
export function onsetsOf(played: readonly Played[], rules: readonly string[]): number {
  return played
    .flatMap(({ events }) => events)
    .filter(each => each.type === 'alert' && each.kind === 'onset' && rules.includes(each.rule)).length
}

/** Spells in which every value is at the limit for at least so long; a missing value ends one. */
export function episodesOf(
  rows: readonly (readonly [number, number | null])[],
  limit: { readonly side: 'low' | 'high'; readonly milli: number },
  lastingMs: number
): { readonly fromMs: number; readonly toMs: number }[] {
  const episodes: { fromMs: number; toMs: number }[] = []
  let fromMs: number | undefined
  let toMs = 0
  const end = (): void => {
    if (fromMs != null && toMs - fromMs >= lastingMs) episodes.push({ fromMs, toMs })
    fromMs = undefined
  }
  for (const [atMs, milli] of rows) {
    if (milli !== null && isAtLimit(limit.side, milli, limit.milli)) {
      fromMs ??= atMs
      toMs = atMs
    } else end()
  }
  end()
  return episodes
}

/** Tells whether an alarm of one of the rules was active during an episode, from its fifteenth second on at the latest. */
export function isCaught(
  { events }: Played,
  rules: readonly string[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }
): boolean {
  let isActive = false
  for (const each of events) {
    if (each.type !== 'alert' || !rules.includes(each.rule)) continue
    if (each.atMs > toMs) break
    if (each.kind === 'onset') isActive = true
    if (each.kind === 'cleared' && each.atMs < fromMs) isActive = false
    if (isActive && each.atMs >= fromMs) return true
  }
  return isActive
}
