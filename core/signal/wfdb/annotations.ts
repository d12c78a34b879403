/**
 * Reads annotations in the MIT form: beats and rhythm changes with their sample numbers.
 *
 * @see https://physionet.org/physiotools/wag/annot-5.htm
 */
import { SalusError } from '#core/error.ts'

const SKIP = 59
const NUM = 60
const SUB = 61
const CHN = 62
const AUX = 63
const MAX_ANNOTATIONS = 2_000_000

/** Letters of the codes that are beats; the rest are rhythm, quality and notes. */
const BEATS: ReadonlyMap<number, string> = new Map([
  [1, 'N'],
  [2, 'L'],
  [3, 'R'],
  [4, 'a'],
  [5, 'V'],
  [6, 'F'],
  [7, 'J'],
  [8, 'A'],
  [9, 'S'],
  [10, 'E'],
  [11, 'j'],
  [12, '/'],
  [13, 'Q'],
  [25, 'B'],
  [30, '?'],
  [34, 'e'],
  [35, 'n'],
  [38, 'f'],
  [41, 'r']
])

/** One annotation. */
export interface Annotation {
  /** Number of the sample. */
  readonly sample: number
  readonly code: number
  /** Letter of a beat; null for anything else. */
  readonly beat: string | null
  /** Text beside it, for example `(VT` where a rhythm begins. */
  readonly note: string
}

/**
 * Reads a file of annotations.
 *
 * @throws SalusError `WFDB_ANNOTATIONS` if it is cut off or out of bounds
 */
export function parseAnnotations(bytes: Uint8Array): Annotation[] {
  const annotations: { sample: number; code: number; beat: string | null; note: string }[] = []
  let at = 0
  let time = 0
  const word = (): number => {
    if (at + 2 > bytes.length) refuse()
    at += 2
    return (bytes[at - 2] ?? 0) | ((bytes[at - 1] ?? 0) << 8)
  }
  for (;;) {
    const value = word()
    if (value === 0) return annotations
    const code = value >> 10
    const interval = value & 0x3ff
    if (code === SKIP) {
      const high = word()
      time += (high << 16) | word() | 0
    } else if (code === AUX) {
      if (at + interval > bytes.length) refuse()
      const last = annotations.at(-1)
      if (last != null) last.note = String.fromCharCode(...bytes.subarray(at, at + interval)).replace(/\0+$/, '')
      at += interval + (interval % 2)
    } else if (code !== NUM && code !== SUB && code !== CHN) {
      time += interval
      if (time < 0 || annotations.length >= MAX_ANNOTATIONS) refuse()
      annotations.push({ sample: time, code, beat: BEATS.get(code) ?? null, note: '' })
    }
  }
}

function refuse(): never {
  throw new SalusError('WFDB_ANNOTATIONS', 'Refused the annotations: they are cut off or out of bounds.')
}
