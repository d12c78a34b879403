/** Reads one data record of an EDF or BDF recording: samples, and the time-stamped texts of EDF+. */
import { SalusError } from '#core/error.ts'
import type { EdfHeader } from '#core/signal/edf/header.ts'

const ONSET_END = 0x14
const DURATION = 0x15
const TAL_END = 0x00
const ONSET = /^[+-]\d{1,12}(?:\.\d{1,9})?$/
const MAX_TEXT = 256

/** A text of EDF+ with its time. */
export interface EdfAnnotation {
  /** Milliseconds since the recording began. */
  readonly onsetMs: number
  readonly text: string
}

/** A record. */
export interface EdfRecord {
  /** Samples of each signal, in the order of the header; none for annotations. */
  readonly samples: readonly Int32Array[]
  /** When it began, where it says so (EDF+). */
  readonly onsetMs: number | null
  readonly annotations: readonly EdfAnnotation[]
}

/**
 * Reads a record.
 *
 * @throws SalusError `EDF_RECORD` if it is cut off, or its annotations are damaged
 */
export function readEdfRecord({ signals, bytesPerSample, recordBytes }: EdfHeader, bytes: Uint8Array): EdfRecord {
  if (bytes.length !== recordBytes) refuse('a record is cut off')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const annotations: EdfAnnotation[] = []
  let onsetMs: number | null = null
  let from = 0
  const samples = signals.map(({ samplesPerRecord, isAnnotations }) => {
    const begin = from
    from += bytesPerSample * samplesPerRecord
    if (isAnnotations) {
      const lists = readTals(bytes.subarray(begin, from))
      onsetMs ??= lists[0]?.onsetMs ?? null
      for (const { onsetMs: at, texts } of lists) for (const text of texts) annotations.push({ onsetMs: at, text })
      return new Int32Array()
    }
    return Int32Array.from({ length: samplesPerRecord }, (_, i) => {
      const at = begin + bytesPerSample * i
      return bytesPerSample === 2 ? view.getInt16(at, true) : view.getUint16(at, true) + 65_536 * view.getInt8(at + 2)
    })
  })
  return { samples, onsetMs, annotations }
}

interface Tal {
  readonly onsetMs: number
  readonly texts: readonly string[]
}

/** Time-stamped annotation lists: onset, perhaps a duration, texts; the first of a record tells when the record began. */
function readTals(bytes: Uint8Array): Tal[] {
  const lists: Tal[] = []
  let at = 0
  while (at < bytes.length && bytes[at] !== TAL_END) {
    const end = bytes.indexOf(TAL_END, at)
    if (end < 0) refuse('an annotation has no end')
    const parts: string[] = []
    let part = at
    for (let i = at; i < end; i++) {
      if (bytes[i] !== ONSET_END) continue
      parts.push(textOf(bytes.subarray(part, i)))
      part = i + 1
    }
    const [stamp = '', ...texts] = parts
    const onset = stamp.split(String.fromCharCode(DURATION))[0] ?? ''
    if (!ONSET.test(onset) || part !== end) refuse('an annotation has no time')
    lists.push({ onsetMs: Math.round(Number(onset) * 1000), texts: texts.filter(text => text !== '') })
    at = end + 1
  }
  return lists
}

function textOf(bytes: Uint8Array): string {
  if (bytes.length > MAX_TEXT) refuse('an annotation is too long')
  let out = ''
  for (const byte of bytes) out += byte >= 0x20 || byte === DURATION ? String.fromCharCode(byte) : '?'
  return out
}

function refuse(why: string): never {
  throw new SalusError('EDF_RECORD', `Refused the recording: ${why}.`)
}
