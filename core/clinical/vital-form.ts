/** A vital sign's state as a list (docs/specs/alarm.md#state). */
import { readList, readUint } from '#core/encoding/shape.ts'
import { MAX_EVIDENCE } from '#core/clinical/alert.ts'
import type { VitalState } from '#core/clinical/engine-state.ts'
import { STATE_AREA, readMilli, readNullable, readTime, readTruth, readTuple } from '#core/clinical/state-fields.ts'

/** `[milli, atMs, isHeld, sameMs, reportedMs, isWorn, [[atMs, milli, flags]…]]`, or null before the first report. */
export function packVital(vital: VitalState | null): unknown[] | null {
  if (vital == null) return null
  const recent = vital.recent.map(each => [each.atMs, each.milli, each.flags])
  return [vital.milli, vital.atMs, vital.isHeld, vital.sameMs, vital.reportedMs, vital.isWorn, recent]
}

/**
 * Reads what {@link packVital} wrote.
 *
 * @throws SalusError `CLINICAL_STATE_SHAPE`
 */
export function readVitalState(value: unknown): VitalState | null {
  return readNullable(value, item => {
    const [milli, atMs, isHeld, sameMs, reportedMs, isWorn, recent] = readTuple(item, 7)
    return {
      milli: readNullable(milli, readMilli),
      atMs: readTime(atMs),
      isHeld: readTruth(isHeld),
      sameMs: readTime(sameMs),
      reportedMs: readTime(reportedMs),
      isWorn: readTruth(isWorn),
      recent: readList(recent, STATE_AREA, 'recent', MAX_EVIDENCE, each => {
        const [time, of, flags] = readTuple(each, 3)
        return {
          atMs: readTime(time),
          milli: readNullable(of, readMilli),
          flags: readUint(flags, STATE_AREA, 'flags', 255)
        }
      })
    }
  })
}
