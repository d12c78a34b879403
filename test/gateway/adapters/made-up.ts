/** Recordings made up for the tests, in each form that is read. */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A new folder for files. */
export async function recordingFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'salus-recording-'))
}

/** Samples as pairs of 12 bits in three bytes. */
export function as212(samples: readonly number[]): Uint8Array {
  const out = new Uint8Array(Math.ceil(samples.length / 2) * 3)
  for (let i = 0; i < samples.length; i += 2) {
    const [a, b] = [(samples[i] ?? 0) & 0xfff, (samples[i + 1] ?? 0) & 0xfff]
    out.set([a & 0xff, (a >> 8) | ((b >> 8) << 4), b & 0xff], (i / 2) * 3)
  }
  return out
}

/** Samples of so many bytes each, little-endian. */
export function asBytes(samples: readonly number[], bytes: 1 | 2 | 3): Uint8Array {
  return Uint8Array.from(samples.flatMap(sample => Array.from({ length: bytes }, (_, i) => (sample >> (8 * i)) & 0xff)))
}

/** A record of ten seconds with a lead, twice as fast as the pressure beside it, at an odd number of samples a frame. */
export async function writeWfdb(folder: string): Promise<string> {
  const frames = Array.from({ length: 500 }, (_, i) => [i % 100, 200 - (i % 100), i % 7])
  await writeFile(join(folder, 'made.dat'), as212(frames.flat()))
  const header = `made 2 50 500\n# somebody, 80 years\nmade.dat 212x2 200(0)/mV 12 0 0 0 0 II\nmade.dat 212 1.25(-100)/mmHg 12 0 0 0 0 ABP\n`
  await writeFile(join(folder, 'made.hea'), header)
  return join(folder, 'made.hea')
}

/** Fields of an EDF header, padded as it wants them. */
export function edfHeader(
  signals: readonly {
    label: string
    samples: number
    units?: string
    low?: number
    high?: number
    from?: string
    to?: string
  }[],
  {
    records,
    seconds,
    bdf = false,
    reserved = ''
  }: { records: number; seconds: number; bdf?: boolean; reserved?: string }
): Uint8Array {
  const pad = (value: string | number, width: number): string => String(value).padEnd(width).slice(0, width)
  const column = (width: number, of: (signal: (typeof signals)[number]) => string | number): string =>
    signals.map(signal => pad(of(signal), width)).join('')
  const limit = bdf ? 8388607 : 32767
  const text =
    pad('0', 8) +
    pad('X X X X', 80) +
    pad('Startdate X X X X', 80) +
    '01.01.0100.00.00' +
    pad(256 * (signals.length + 1), 8) +
    pad(reserved, 44) +
    pad(records, 8) +
    pad(seconds, 8) +
    pad(signals.length, 4) +
    column(16, s => s.label) +
    column(80, () => '') +
    column(8, s => s.units ?? 'uV') +
    column(8, s => s.from ?? -limit) +
    column(8, s => s.to ?? limit) +
    column(8, s => s.low ?? -limit) +
    column(8, s => s.high ?? limit) +
    column(80, () => '') +
    column(8, s => s.samples) +
    column(32, () => '')
  const bytes = Uint8Array.from(text, character => character.charCodeAt(0))
  if (bdf) bytes.set([0xff, ...Array.from('BIOSEMI', character => character.charCodeAt(0))])
  return bytes
}

/** A text as bytes, filled up with zeros. */
export function talBytes(text: string, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => (i < text.length ? text.charCodeAt(i) : 0))
}

/** Ten records of a second with two channels and annotations; `onsets` tells when each began. */
export async function writeEdf(
  folder: string,
  onsets: readonly number[] = Array.from({ length: 10 }, (_, i) => i)
): Promise<string> {
  const isContinuous = onsets.every((onset, i) => onset === i)
  const header = edfHeader(
    [
      { label: 'ECG II', samples: 20, units: 'mV', from: '-5', to: '5', low: -2048, high: 2047 },
      { label: 'Fc5.', samples: 10 },
      { label: 'EDF Annotations', samples: 20 }
    ],
    { records: onsets.length, seconds: 1, reserved: isContinuous ? 'EDF+C' : 'EDF+D' }
  )
  const records = onsets.flatMap((onset, i) => [
    ...asBytes(
      Array.from({ length: 20 }, (_, at) => 20 * i + at - 100),
      2
    ),
    ...asBytes(
      Array.from({ length: 10 }, (_, at) => -at),
      2
    ),
    ...talBytes(`+${String(onset)}\x14\x14\0+${String(onset)}.5\x151\x14note ${String(i)}\x14\0`, 40)
  ])
  await writeFile(join(folder, 'made.edf'), Uint8Array.from([...header, ...records]))
  return join(folder, 'made.edf')
}
