/** What of a rule pack concerns which vital sign, found once per pack: every reading asks. */
import type { LimitTest } from '#core/clinical/limits.ts'
import type { RulePack, VitalRule } from '#core/clinical/rule-pack.ts'
import { VITALS, type VitalCode } from '#core/clinical/vital.ts'

/** Place of each vital sign in {@link VITALS}. */
export const PLACE_OF: Readonly<Record<VitalCode, number>> = Object.fromEntries(
  VITALS.map((vital, place) => [vital, place])
) as Record<VitalCode, number>

/** Lists follow {@link VITALS}; rules are numbers in the pack. */
export interface PackIndex {
  readonly vitals: readonly (VitalRule | undefined)[]
  /** Place of the baseline; -1 for a vital sign that has none. */
  readonly baselines: readonly number[]
  /** Rules that look at the vital sign. */
  readonly rules: readonly (readonly number[])[]
  /** Limits that never adapt. */
  readonly red: readonly (readonly LimitTest[])[]
  /** Scores that it is a part of. */
  readonly scores: readonly (readonly number[])[]
  /** Rules of scores, and rules about the patient that are more than information. */
  readonly scoreRules: readonly number[]
  readonly patientRules: readonly number[]
  readonly all: readonly number[]
}

const INDEXES = new WeakMap<RulePack, PackIndex>()

/** The index of a pack; the same object each time. */
export function indexOf(pack: RulePack): PackIndex {
  const known = INDEXES.get(pack)
  if (known != null) return known
  const index = makeIndex(pack)
  INDEXES.set(pack, index)
  return index
}

function makeIndex(pack: RulePack): PackIndex {
  const learned = pack.vitals.filter(each => each.sigmaMilli > 0).map(each => each.vital)
  const numbersOf = (isMeant: (rule: RulePack['alarms'][number]) => boolean): number[] =>
    pack.alarms.flatMap((rule, number) => (isMeant(rule) ? [number] : []))
  return {
    vitals: VITALS.map(vital => pack.vitals.find(each => each.vital === vital)),
    baselines: VITALS.map(vital => learned.indexOf(vital)),
    rules: VITALS.map(vital => numbersOf(({ test }) => looksAt(test, vital))),
    red: VITALS.map(vital =>
      pack.alarms.flatMap(({ test }) =>
        test.on === 'limit' && test.floorMilli == null && test.vitals.includes(vital) ? [test] : []
      )
    ),
    scores: VITALS.map(vital =>
      pack.scores.flatMap(({ parameters }, number) =>
        vital === 'oxygen' || parameters.some(({ rows }) => rows.some(row => row.vital === vital)) ? [number] : []
      )
    ),
    scoreRules: numbersOf(({ test }) => test.on === 'score'),
    patientRules: numbersOf(({ test, priority }) => test.on !== 'technical' && priority !== 'info'),
    all: pack.alarms.map((_, number) => number)
  }
}

function looksAt(test: RulePack['alarms'][number]['test'], vital: VitalCode): boolean {
  if (test.on === 'score') return false
  if (test.on === 'drift') return test.vital === vital
  if (test.on === 'technical' && test.cause === 'ratesDisagree') return vital === 'heartRate' || vital === 'pulseRate'
  return test.vitals.includes(vital)
}
