/** Lossless coding of samples: predicted, and what the prediction missed Rice coded (docs/specs/waveform.md). */
import { SalusError } from '#core/error.ts'
import { createPredictor } from '#core/signal/predictor.ts'
import { createRiceReader, createRiceWriter } from '#core/signal/rice.ts'
import { MAX_SAMPLE } from '#core/signal/segment.ts'

/** Codes samples piece by piece. */
export interface SampleWriter {
  /** Adds whole numbers of at most `MAX_SAMPLE` in magnitude. */
  write(samples: Iterable<number>): void
  finish(): Uint8Array
}

/** Makes a writer. */
export function createSampleWriter(): SampleWriter {
  const predictor = createPredictor()
  const writer = createRiceWriter()
  return {
    write(samples) {
      for (const sample of samples) {
        writer.write(sample - predictor.predict())
        predictor.learn(sample)
      }
    },
    finish: () => writer.finish()
  }
}

/** Reads samples piece by piece. */
export interface SampleReader {
  /**
   * The next samples.
   *
   * @throws SalusError `WAVEFORM_CODE`
   */
  read(count: number): number[]
  /**
   * Holds the bytes to their end.
   *
   * @throws SalusError `WAVEFORM_CODE`
   */
  finish(): void
}

/**
 * Makes a reader of exactly `total` samples. Nothing is allocated beyond what the bytes can hold, and each list of samples has one
 * coding only.
 *
 * @throws SalusError `WAVEFORM_CODE` if the bytes cannot hold as many
 */
export function createSampleReader(bytes: Uint8Array, total: number): SampleReader {
  // Each sample takes a bit at least.
  if (total > 8 * bytes.length) refuse('fewer samples than it announces')
  const predictor = createPredictor()
  const reader = createRiceReader(bytes)
  return {
    read(count) {
      const samples: number[] = []
      for (let i = 0; i < count; i++) {
        const sample = predictor.predict() + reader.read()
        if (Math.abs(sample) > MAX_SAMPLE) refuse('a sample out of bounds')
        samples.push(sample)
        predictor.learn(sample)
      }
      return samples
    },
    finish: () => reader.finish()
  }
}

/** Codes samples. */
export function packSamples(samples: Iterable<number>): Uint8Array {
  const writer = createSampleWriter()
  writer.write(samples)
  return writer.finish()
}

/**
 * Reads exactly `count` samples.
 *
 * @throws SalusError `WAVEFORM_CODE`
 */
export function unpackSamples(bytes: Uint8Array, count: number): number[] {
  const reader = createSampleReader(bytes, count)
  const samples = reader.read(count)
  reader.finish()
  return samples
}

function refuse(why: string): never {
  throw new SalusError('WAVEFORM_CODE', `Refused: the coded samples are damaged: ${why}.`)
}
