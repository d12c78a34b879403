/** `/salus/pledge/1`: asks a peer for the pledges that it has heard since it was last asked (docs/specs/pledge.md). */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { MAX_PLEDGE_BYTES } from '#core/placement/pledge.ts'

const AREA = 'PLEDGES'

/** Most pledges of one answer. */
export const MAX_PLEDGES = 256

/** Most bytes of a request. */
export const MAX_PLEDGES_REQUEST_BYTES = 64

/** Most bytes of an answer. */
export const MAX_PLEDGES_ANSWER_BYTES: number = MAX_PLEDGES * (MAX_PLEDGE_BYTES + 3) + 64

/** Where the answering peer shall go on. */
export interface PledgesRequest {
  /** Which run of the answering peer `after` is of, 8 bytes; zeros where it is not known. */
  readonly run: Uint8Array
  /** What the last answer called `next`; 0 at first. */
  readonly after: number
}

/** Some pledges, oldest news first. */
export interface PledgesAnswer {
  readonly run: Uint8Array
  readonly next: number
  readonly pledges: readonly Uint8Array[]
}

/** The canonical bytes of a request. */
export function encodePledgesRequest({ run, after }: PledgesRequest): Uint8Array {
  return encodeCanonical({ v: 1, run, after })
}

/**
 * Reads a request.
 *
 * @throws SalusError the `PLEDGES_*` codes of the canonical decoder; `PLEDGES_SHAPE`, `PLEDGES_VERSION`
 */
export function decodePledgesRequest(bytes: Uint8Array): PledgesRequest {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_PLEDGES_REQUEST_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'run', 'after'])
  return { run: readBytes(map['run'], AREA, 'run', 8), after: readUint(map['after'], AREA, 'after') }
}

/** The canonical bytes of an answer. */
export function encodePledgesAnswer({ run, next, pledges }: PledgesAnswer): Uint8Array {
  return encodeCanonical({ v: 1, run, next, pledges })
}

/**
 * Reads an answer; the pledges in it are not looked at.
 *
 * @throws SalusError the `PLEDGES_*` codes of the canonical decoder; `PLEDGES_SHAPE`, `PLEDGES_VERSION`
 */
export function decodePledgesAnswer(bytes: Uint8Array): PledgesAnswer {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_PLEDGES_ANSWER_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'run', 'next', 'pledges'])
  return {
    run: readBytes(map['run'], AREA, 'run', 8),
    next: readUint(map['next'], AREA, 'next'),
    pledges: readList(map['pledges'], AREA, 'pledges', MAX_PLEDGES, item =>
      readBytes(item, AREA, 'pledges', { min: 1, max: MAX_PLEDGE_BYTES })
    )
  }
}
