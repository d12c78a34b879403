/** Lossless coding of samples: predicted, and what the prediction missed Rice coded (docs/specs/waveform.md). */
import { SalusError } from '#core/error.ts'
import { createPredictor } from '#core/signal/predictor.ts'
import { createRiceReader, createRiceWriter } from '#core/signal/rice.ts'
import { MAX_SAMPLE } from '#core/signal/segment.ts'

/** Codes samples: whole numbers of at most `MAX_SAMPLE` in magnitude. */
export function packSamples(samples: Iterable<number>): Uint8Array {
  const predictor = createPredictor()
  const writer = createRiceWriter()
  for (const sample of samples) {
    writer.write(sample - predictor.predict())
    predictor.learn(sample)
  }
  return writer.finish()
}

/**
 * Reads exactly `count` samples. Nothing is allocated beyond what the bytes can hold, and each list of samples has one coding only.
 *
 * @throws SalusError `WAVEFORM_CODE`
 */
export function unpackSamples(bytes: Uint8Array, count: number): number[] {
  // Each sample takes a bit at least.
  if (count > 8 * bytes.length) refuse('fewer samples than it announces')
  const predictor = createPredictor()
  const reader = createRiceReader(bytes)
  const samples: number[] = []
  for (let i = 0; i < count; i++) {
    const sample = predictor.predict() + reader.read()
    if (Math.abs(sample) > MAX_SAMPLE) refuse('a sample out of bounds')
    samples.push(sample)
    predictor.learn(sample)
  }
  reader.finish()
  return samples
}

function refuse(why: string): never {
  throw new SalusError('WAVEFORM_CODE', `Refused: the coded samples are damaged: ${why}.`)
}
