/** What a rule pack must hold beyond its shape, so that no rule of it hides what another is to show. */
import type { AlarmTest, RulePack } from '#core/clinical/rule-pack.ts'

/** Rules that adapt look at vital signs with a baseline, and its spread is learned from so many means at least. */
const LEAST_SLOTS = 12
const MOST_SLOTS = 288

/** Why a pack is refused; undefined if nothing is wrong with it. */
export function checkPack(pack: RulePack): string | undefined {
  const { vitals, scores, alarms, adapt, timers } = pack
  if (!isSet(vitals.map(each => each.vital))) return 'it names a vital sign twice'
  if (!isSet(scores.map(each => each.name)) || !isSet(alarms.map(each => each.name))) return 'it has a name twice'
  if (vitals.some(each => each.minMilli >= each.maxMilli)) return 'no value of a vital sign would be plausible'
  if (adapt.leastSlots < LEAST_SLOTS || adapt.leastSlots > MOST_SLOTS)
    return 'its baselines have too few means, or too many'
  if (adapt.weightMilli > 1000) return 'a mean would leave what it follows'
  if (timers.confirmMs < 1000 || timers.respondMs < 1000 || timers.remindMs < 1000) return 'it would never rest'
  for (const { test, mayBeOff } of alarms) {
    const problem = checkTest(pack, test)
    if (problem != null) return problem
    if (test.on === 'technical' && test.cause === 'alarmPath' && mayBeOff)
      return 'the alarm of the alarm path could be off'
  }
  return undefined
}

function checkTest(pack: RulePack, test: AlarmTest): string | undefined {
  const ruleOf = (vital: string): RulePack['vitals'][number] | undefined =>
    pack.vitals.find(each => each.vital === vital)
  if (test.on === 'score')
    return pack.scores.some(each => each.name === test.score) ? undefined : 'a rule names no score'
  const vitals = test.on === 'drift' ? [test.vital] : test.vitals
  if (vitals.some(each => ruleOf(each) == null)) return 'a rule names a vital sign that the pack does not describe'
  if (test.on === 'drift' && (ruleOf(test.vital)?.sigmaMilli ?? 0) === 0) return 'a rule of drift has no baseline'
  if (test.on !== 'limit') return undefined
  if (test.vitals.length === 0) return 'a limit is of no vital sign'
  if (test.floorMilli == null) return undefined
  if (test.vitals.some(each => (ruleOf(each)?.sigmaMilli ?? 0) === 0)) return 'a limit adapts without a baseline'
  if (isBeyond(test, test.limitMilli, test.floorMilli)) return 'a limit lies beyond its floor'
  return isWatched(pack, test) ? undefined : 'a floor is watched by no rule that cannot be switched off'
}

/** The floor of a rule that adapts is the limit of another one that cannot adapt or be off. */
function isWatched(pack: RulePack, test: Extract<AlarmTest, { on: 'limit' }>): boolean {
  return pack.alarms.some(
    ({ mayBeOff, test: other }) =>
      !mayBeOff &&
      other.on === 'limit' &&
      other.floorMilli == null &&
      other.side === test.side &&
      (other.scale === 0 || other.scale === test.scale) &&
      !isBeyond(test, test.floorMilli ?? 0, other.limitMilli) &&
      test.vitals.every(each => other.vitals.includes(each))
  )
}

/** Tells whether a limit is on the far side of another: it would be reached later. */
function isBeyond({ side }: { readonly side: 'low' | 'high' }, milli: number, otherMilli: number): boolean {
  return side === 'low' ? milli < otherMilli : milli > otherMilli
}

function isSet(names: readonly string[]): boolean {
  return new Set(names).size === names.length
}
