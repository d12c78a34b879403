/**
 * Compact, lossless coding of columns of integers (docs/specs/batch.md): differences of first or second order, zigzag,
 * runs of zero folded, LEB128 varints. Monitor numerics change rarely, so most of a column is one run.
 */
import { SalusError } from '#core/error.ts'
import { MAX_INTEGER } from '#core/batch/reading.ts'

/** 1: each value as the difference to the one before; 2: each difference as the difference to the one before. */
export type DifferenceOrder = 1 | 2

const MAX_VARINT_BYTES = 8

/** Largest magnitude of a residual: the second difference of bounded values. */
const MAX_RESIDUAL = 4 * MAX_INTEGER

/**
 * Codes a column. Each value must be an integer of at most 2^48 in magnitude.
 *
 * @see https://protobuf.dev/programming-guides/encoding/#signed-ints for zigzag and LEB128
 */
export function packColumn(values: readonly number[], order: DifferenceOrder): Uint8Array {
  let out = new Uint8Array(Math.max(16, values.length))
  let length = 0
  const write = (token: number): void => {
    if (length + MAX_VARINT_BYTES > out.length) {
      const larger = new Uint8Array(out.length * 2)
      larger.set(out)
      out = larger
    }
    let rest = token
    while (rest >= 128) {
      out[length++] = (rest % 128) + 128
      rest = Math.floor(rest / 128)
    }
    out[length++] = rest
  }
  let previous = 0
  let previousDifference = 0
  let zeros = 0
  for (const value of values) {
    const difference = value - previous
    const residual = order === 1 ? difference : difference - previousDifference
    previous = value
    previousDifference = difference
    if (residual === 0) {
      zeros++
      continue
    }
    if (zeros > 0) write(2 * zeros + 1)
    zeros = 0
    write(2 * (residual > 0 ? 2 * residual : -2 * residual - 1))
  }
  if (zeros > 0) write(2 * zeros + 1)
  return out.slice(0, length)
}

/**
 * Reads a column of exactly `count` integers. Nothing is allocated beyond `count`, and each column has one coding only.
 *
 * @throws SalusError `BATCH_COLUMN`
 */
export function unpackColumn(bytes: Uint8Array, order: DifferenceOrder, count: number): number[] {
  const values: number[] = []
  let offset = 0
  let previous = 0
  let difference = 0
  let afterRun = false
  while (offset < bytes.length) {
    let token = 0
    let scale = 1
    const start = offset
    for (;;) {
      const byte = bytes[offset++]
      if (byte == null || offset - start > MAX_VARINT_BYTES) refuse('a number in it is cut off or too long')
      token += (byte % 128) * scale
      scale *= 128
      if (byte < 128) {
        if (byte === 0 && offset - start > 1) refuse('a number in it has leading zeros')
        break
      }
    }
    const folded = Math.floor(token / 2)
    if (token % 2 === 1) {
      if (afterRun || folded === 0 || folded > count - values.length) refuse('a run in it is too long')
      if (order === 1) difference = 0
      for (let i = 0; i < folded; i++) values.push((previous = bounded(previous + difference)))
    } else {
      if (folded === 0 || values.length >= count) refuse('it holds more values than announced')
      const residual = folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2
      if (Math.abs(residual) > MAX_RESIDUAL) refuse('a difference in it is out of bounds')
      difference = order === 1 ? residual : difference + residual
      values.push((previous = bounded(previous + difference)))
    }
    afterRun = token % 2 === 1
  }
  if (values.length !== count) refuse('it holds fewer values than announced')
  return values
}

function bounded(value: number): number {
  if (Math.abs(value) > MAX_INTEGER) refuse('a value in it is out of bounds')
  return value
}

function refuse(why: string): never {
  throw new SalusError('BATCH_COLUMN', `Refused: a column of the batch is damaged: ${why}.`)
}
