/**
 * A log's tree and entries as static resources (docs/specs/receipts.md).
 *
 * @see https://c2sp.org/tlog-tiles
 */
import { SalusError } from '#core/error.ts'
import { concat } from '#core/encoding/bytes.ts'

/** Hashes of a full tile, and entries of a full bundle. */
export const TILE_WIDTH = 256

/** One tile or bundle of entries. */
export interface TileName {
  /** `entries`, or the level from 0. */
  readonly level: 'entries' | number
  readonly index: number
  /** Hashes or entries in it, 1 to {@link TILE_WIDTH}. */
  readonly width: number
}

/** Path of a tile below the log's prefix. */
export function tilePath({ level, index, width }: TileName): string {
  const digits = String(index).padStart(3 * Math.ceil(String(index).length / 3), '0')
  const parts = digits.match(/.{3}/g) ?? []
  const path = parts.map((part, i) => (i < parts.length - 1 ? `x${part}` : part)).join('/')
  return `tile/${String(level)}/${path}${width === TILE_WIDTH ? '' : `.p/${String(width)}`}`
}

/**
 * Undoes {@link tilePath}.
 *
 * @throws SalusError `TILE_PATH` if it is the path of no tile
 */
export function readTilePath(path: string): TileName {
  const found = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/){0,4}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/.exec(path)
  const [, level = '', digits = '', partial] = found ?? []
  const name: TileName = {
    level: level === 'entries' ? level : Number(level),
    index: Number(digits.replaceAll(/[x/]/g, '')),
    width: partial == null ? TILE_WIDTH : Number(partial)
  }
  if (found == null || tilePath(name) !== path || (partial != null && name.width >= TILE_WIDTH)) {
    throw new SalusError('TILE_PATH', 'There is no tile of this name.')
  }
  return name
}

/** The bundles of entries that a tree of this size has from a position on, the last one partial; one by one, since a log may claim any size. */
export function* bundlesFrom(first: number, size: number): Generator<TileName> {
  for (let index = Math.floor(first / TILE_WIDTH); index * TILE_WIDTH < size; index++) {
    yield { level: 'entries', index, width: Math.min(TILE_WIDTH, size - index * TILE_WIDTH) }
  }
}

/** A bundle of entries, each behind its length in two bytes. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  return concat(...entries.flatMap(entry => [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry]))
}

/**
 * Reads a bundle of entries.
 *
 * @throws SalusError `ENTRY_BUNDLE_MALFORMED` if it does not hold exactly this many
 */
export function decodeBundle(bytes: Uint8Array, count: number): Uint8Array[] {
  const entries: Uint8Array[] = []
  let at = 0
  while (at < bytes.length && entries.length <= count) {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
    entries.push(bytes.slice(at + 2, at + 2 + length))
    at += 2 + length
  }
  if (at !== bytes.length || entries.length !== count) {
    throw new SalusError('ENTRY_BUNDLE_MALFORMED', 'Refused: this is not the bundle of entries that was asked for.')
  }
  return entries
}
