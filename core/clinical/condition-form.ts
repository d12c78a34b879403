/** A condition as a list (docs/specs/alarm.md#state). */
import { readUint } from '#core/encoding/shape.ts'
import { PHASES, type Condition } from '#core/clinical/condition.ts'
import { readChoice } from '#core/clinical/pack-fields.ts'
import { STATE_AREA, readNullable, readTime, readTruth, readTuple } from '#core/clinical/state-fields.ts'

/** `[phase, sinceMs, badMs, goodMs, missing, isGone, offUntilMs, remindMs]`. */
export function packCondition(condition: Condition): unknown[] {
  const { phase, sinceMs, badMs, goodMs, missing, isGone, offUntilMs, remindMs } = condition
  return [phase, sinceMs, badMs, goodMs, missing, isGone, offUntilMs, remindMs]
}

/**
 * Reads what {@link packCondition} wrote.
 *
 * @throws SalusError `CLINICAL_STATE_SHAPE`
 */
export function readCondition(value: unknown): Condition {
  const [phase, sinceMs, badMs, goodMs, missing, isGone, offUntilMs, remindMs] = readTuple(value, 8)
  return {
    phase: readChoice(phase, 'phase', PHASES, STATE_AREA),
    sinceMs: readTime(sinceMs),
    badMs: readTime(badMs),
    goodMs: readNullable(goodMs, readTime),
    missing: readUint(missing, STATE_AREA, 'missing', 0xffff),
    isGone: readTruth(isGone),
    offUntilMs: readNullable(offUntilMs, readTime),
    remindMs: readNullable(remindMs, readTime)
  }
}
