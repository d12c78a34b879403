/** Vectors of docs/specs/waveform.md. */
import { toHex } from '#core/encoding/bytes.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import { waveformMetric } from '#core/signal/metrics.ts'
import { packSamples } from '#core/signal/sample-code.ts'
import {
  encodeSegment,
  MAX_SAMPLE,
  sampleRate,
  sampleScale,
  type WaveformSegment,
  type WaveformStream
} from '#core/signal/segment.ts'
import { encodeRun } from '#core/signal/waveform-run.ts'

const STREAM: WaveformStream = {
  device: 'monitor',
  channel: 'II',
  ...waveformMetric('II', 'mV'),
  rate: sampleRate(8, 1000),
  scale: sampleScale(1, -1024, 200)
}
const START_MS = 1_700_000_000_000

/** Samples of each kind: none, flat, rising, full scale, and a made-up beat. */
const SAMPLES: Readonly<Record<string, readonly number[]>> = {
  none: [],
  flat: [5, 5, 5, 5, 5, 5, 5, 5],
  rising: Array.from({ length: 20 }, (_, i) => 3 * i),
  'full scale': [MAX_SAMPLE, -MAX_SAMPLE, MAX_SAMPLE, -MAX_SAMPLE, 0],
  beat: [1024, 1026, 1023, 1030, 1080, 1220, 980, 1010, 1024, 1025, 1031, 1040, 1038, 1029, 1024, 1024]
}

/** Coded samples, segments and a run of them with a hole. */
export function signalVectors(): Record<string, unknown> {
  const beat = SAMPLES['beat'] ?? []
  const segments = [0, 1, 3].map((second): WaveformSegment => {
    const deviceTimeMs = 1000 * second
    const samples = beat.slice(8 * (second % 2), 8 * (second % 2) + 8)
    return {
      stream: STREAM,
      sequence: 8 * second,
      deviceTimeMs,
      receivedAtMs: START_MS + deviceTimeMs,
      flags: 0,
      samples
    }
  })
  const run = encodeRun(segments)
  return {
    waveform: {
      description: 'Waveforms: coded samples, segments, a run; docs/specs/waveform.md',
      coded: Object.entries(SAMPLES).map(([name, samples]) => ({ name, samples, bytes: toHex(packSamples(samples)) })),
      segments: segments.map(segment => ({ segment, bytes: toHex(encodeSegment(segment)) })),
      run: toHex(run),
      invalid: [
        { name: 'segment, cut in half', bytes: toHex(run.slice(0, run.length >> 1)), code: 'WAVEFORM_TRUNCATED' },
        { name: 'one byte more', bytes: toHex(Uint8Array.of(...run, 0)), code: 'WAVEFORM_TRAILING' },
        { name: 'not dag-cbor', bytes: '0xff', code: 'WAVEFORM_MALFORMED' },
        { name: 'a map', bytes: toHex(encodeCanonical({})), code: 'WAVEFORM_SHAPE' },
        {
          name: 'another version',
          bytes: toHex(encodeCanonical(['salus/waveform-run/2', ...new Array<number>(17).fill(0)])),
          code: 'WAVEFORM_VERSION'
        },
        {
          name: 'a bit more in the samples',
          bytes: toHex(run.map((b, i) => (i === run.length - 1 ? b ^ 1 : b))),
          code: 'WAVEFORM_CODE'
        }
      ]
    }
  }
}
