/**
 * Adaptive Rice coding of residuals (docs/specs/waveform.md): a residual is folded to a whole number from 0, its quotient by 2^k
 * written in ones ended by a zero, its remainder in k bits. k follows a running mean. Each list of residuals has one coding.
 *
 * @see R. F. Rice, "Some practical universal noiseless coding techniques", JPL 79-22, 1979
 */
import { SalusError } from '#core/error.ts'
import { MAX_SAMPLE } from '#core/signal/segment.ts'

/** As many ones mean that the folded residual follows in full. */
const ESCAPE = 24
const ESCAPE_BITS = 27
/** The mean is kept in 32nds and moves by an eighth. */
const MEAN_UNIT = 32
const FIRST_MEAN = 32 * MEAN_UNIT

/** Largest magnitude of a residual: a prediction lies within three times the largest sample, so that 2^25 is never passed. */
export const MAX_RESIDUAL: number = 4 * MAX_SAMPLE

/** Writes residuals. */
export interface RiceWriter {
  /** Adds a whole number of at most `MAX_RESIDUAL` in magnitude. */
  write(residual: number): void
  /** The bytes, the last one filled up with zeros. */
  finish(): Uint8Array
}

/** Makes a writer. */
export function createRiceWriter(): RiceWriter {
  let out = new Uint8Array(1024)
  let length = 0
  let mean = FIRST_MEAN
  let held = 0
  let heldBits = 0

  /** Adds at most 24 bits. */
  function put(value: number, bits: number): void {
    held = held * 2 ** bits + value
    heldBits += bits
    while (heldBits >= 8) {
      heldBits -= 8
      const byte = Math.floor(held / 2 ** heldBits)
      held -= byte * 2 ** heldBits
      if (length === out.length) {
        const larger = new Uint8Array(2 * length)
        larger.set(out)
        out = larger
      }
      out[length++] = byte
    }
  }

  return {
    write(residual) {
      const folded = residual >= 0 ? 2 * residual : -2 * residual - 1
      const k = parameterOf(mean)
      const quotient = Math.floor(folded / 2 ** k)
      if (quotient >= ESCAPE) {
        put(2 ** ESCAPE - 1, ESCAPE)
        put(Math.floor(folded / 2 ** 12), ESCAPE_BITS - 12)
        put(folded % 2 ** 12, 12)
      } else {
        put(2 ** (quotient + 1) - 2, quotient + 1)
        // k is at most 26: in two parts.
        if (k > 12) put(Math.floor((folded % 2 ** k) / 2 ** 12), k - 12)
        put(folded % 2 ** Math.min(k, 12), Math.min(k, 12))
      }
      mean = meanAfter(mean, folded)
    },
    finish() {
      if (heldBits > 0) put(0, 8 - heldBits)
      return out.slice(0, length)
    }
  }
}

/** Reads residuals. */
export interface RiceReader {
  /**
   * The next residual.
   *
   * @throws SalusError `WAVEFORM_CODE` where the bytes end, or hold another coding than the writer's
   */
  read(): number
  /**
   * Holds the bytes to their end: nothing may be left but the zeros of the last byte.
   *
   * @throws SalusError `WAVEFORM_CODE`
   */
  finish(): void
}

/** Makes a reader. */
export function createRiceReader(bytes: Uint8Array): RiceReader {
  const end = 8 * bytes.length
  let at = 0
  let mean = FIRST_MEAN

  function bit(): number {
    if (at >= end) refuse('it ends too early')
    const value = ((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1
    at++
    return value
  }

  function bits(count: number): number {
    let value = 0
    let left = count
    while (left > 0) {
      if (at >= end) refuse('it ends too early')
      const inByte = Math.min(left, 8 - (at & 7))
      const byte = bytes[at >> 3] ?? 0
      value = value * 2 ** inByte + ((byte >> (8 - (at & 7) - inByte)) & (2 ** inByte - 1))
      at += inByte
      left -= inByte
    }
    return value
  }

  return {
    read() {
      const k = parameterOf(mean)
      let quotient = 0
      while (quotient < ESCAPE && bit() === 1) quotient++
      const isEscaped = quotient === ESCAPE
      const folded = isEscaped ? bits(ESCAPE_BITS) : quotient * 2 ** k + bits(k)
      if (isEscaped && folded < ESCAPE * 2 ** k) refuse('a number in it has a shorter form')
      if (folded > 2 * MAX_RESIDUAL) refuse('a number in it is out of bounds')
      mean = meanAfter(mean, folded)
      return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2
    },
    finish() {
      if (end - at >= 8 || bits(end - at) !== 0) refuse('something follows its last number')
    }
  }
}

/** Remainder bits for a running mean: the least k for which 2^k is not below 5/8 of it. */
function parameterOf(mean: number): number {
  const wanted = Math.floor((5 * mean + 8 * MEAN_UNIT - 1) / (8 * MEAN_UNIT))
  return wanted <= 1 ? 0 : 32 - Math.clz32(wanted - 1)
}

function meanAfter(mean: number, folded: number): number {
  return mean + Math.floor((MEAN_UNIT * folded - mean) / 8)
}

function refuse(why: string): never {
  throw new SalusError('WAVEFORM_CODE', `Refused: the coded samples are damaged: ${why}.`)
}
