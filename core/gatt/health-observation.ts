/**
 * Live Health Observations, 2B8B: the generic health sensor service, after the abstract content model of IEEE 11073-10206. Written
 * from public descriptions and open implementations, not from the text of the standard (docs/specs/gatt.md): numeric observations and
 * bundles of them are read, every other class is refused by its code.
 */
import { READING_FLAGS } from '#core/batch/reading.ts'
import { createCursor, type Cursor } from '#core/gatt/cursor.ts'
import { measured, type Measured, type Measurement } from '#core/gatt/measured.ts'
import { readFloat } from '#core/gatt/medical-float.ts'
import { metricOfCode } from '#core/gatt/metrics.ts'
import { refuseGatt } from '#core/gatt/refuse.ts'

const NUMERIC = 0x01
const BUNDLE = 0xff
const HAS = {
  type: 1,
  time: 2,
  duration: 4,
  status: 8,
  object: 16,
  person: 32,
  supplement: 64,
  derived: 128,
  members: 256,
  more: 512
}
const MAX_BUNDLED = 32
/** 2000-01-01, from which the service counts. */
const EPOCH_MS = 946_684_800_000
const TICKS = 1
const RESOLUTION_MS = [1000, 100, 1, 0.1]
/** Invalid, questionable, not available, calibrating, test or demonstration data. */
const STATUS_ARTEFACT = 0x003f

/** UCUM units of the 16-bit codes of the nomenclature's partition of dimensions. */
const UNITS: ReadonlyMap<number, string> = new Map([
  [512, '1'],
  [544, '%'],
  [1297, 'cm'],
  [1731, 'kg'],
  [1760, '[lb_av]'],
  [2130, 'mg/dL'],
  [2720, '/min'],
  [2784, '/min'],
  [3843, 'kPa'],
  [3872, 'mm[Hg]'],
  [4416, '[degF]'],
  [4722, 'mmol/L'],
  [6048, 'Cel']
])

/**
 * Reads a whole observation, its segments already joined (core/gatt/segments.ts).
 *
 * @throws SalusError `GATT_TRUNCATED`, `GATT_TRAILING`, `GATT_VALUE`, `GATT_UNKNOWN`
 */
export function decodeHealthObservation(bytes: Uint8Array): Measurement {
  const cursor = createCursor(bytes)
  const measurement = readObservation(cursor, null, true)
  cursor.end()
  return measurement
}

function readObservation(outer: Cursor, inheritedMs: number | null, mayBundle: boolean): Measurement {
  const kind = outer.uint(1)
  const cursor = createCursor(outer.bytes(outer.uint(2)))
  const flags = cursor.uint(2)
  const has = (bit: number): boolean => (flags & bit) !== 0
  const type = has(HAS.type) ? cursor.uint(4) : undefined
  const deviceTimeMs = has(HAS.time) ? readElapsedTime(cursor) : inheritedMs
  if (has(HAS.duration)) readFloat(cursor)
  const status = has(HAS.status) ? cursor.uint(2) : 0
  if (has(HAS.object)) cursor.uint(4)
  const user = has(HAS.person) ? cursor.uint(1) : undefined
  for (const list of [HAS.supplement, HAS.derived, HAS.members]) {
    if (has(list)) cursor.bytes(4 * cursor.uint(1))
  }
  if (has(HAS.more) || flags >= 1024) refuseGatt('UNKNOWN')
  const values: Measured[] = []
  if (kind === NUMERIC) {
    if (type == null) refuseGatt('UNKNOWN')
    const unit = cursor.uint(2)
    const quality = (status & STATUS_ARTEFACT) === 0 ? 0 : READING_FLAGS.artefact
    const ucum = UNITS.get(unit) ?? refuseGatt('UNKNOWN')
    values.push(measured(metricOfCode(type, ucum), readFloat(cursor), quality))
  } else if (kind === BUNDLE && mayBundle) {
    const count = cursor.uint(1)
    if (count > MAX_BUNDLED) refuseGatt('VALUE')
    for (let i = 0; i < count; i++) values.push(...readObservation(cursor, deviceTimeMs, false).values)
  } else {
    refuseGatt('UNKNOWN')
  }
  cursor.end()
  return user == null ? { values, deviceTimeMs } : { values, deviceTimeMs, user }
}

/** Elapsed Time: flags, a count, what the clock was set by, the offset of the time zone. A counter of ticks tells no time. */
function readElapsedTime(cursor: Cursor): number | null {
  const flags = cursor.uint(1)
  const count = cursor.uint(6)
  cursor.bytes(2)
  if ((flags & TICKS) !== 0) return null
  const ms = Math.floor(count * (RESOLUTION_MS[(flags >> 2) & 3] ?? 1000))
  if (ms > 2 ** 47) refuseGatt('TIME')
  return EPOCH_MS + ms
}
