/** In which form a client wants what a CID names, and which part of it (docs/specs/http-api.md). */
import { SalusError } from '#core/error.ts'

/** `file`: the bytes of a file; `raw`: one block; `car`: all its blocks, or the root alone. */
export type IpfsFormat = 'file' | 'raw' | 'car' | 'car-block'

const RAW_TYPE = 'application/vnd.ipld.raw'
const CAR_TYPE = 'application/vnd.ipld.car'

/**
 * The form that a request asks for; `format` in the address wins over the header, as the gateway specification says.
 *
 * @throws SalusError `HTTP_FORMAT`
 */
export function formatOf(accept: string, query: (name: string) => string | undefined): IpfsFormat {
  const types = accept.split(',').map(type => type.trim().toLowerCase())
  const wanted = query('format') ?? types.map(shortOf).find(format => format != null) ?? 'file'
  if (wanted === 'raw') return 'raw'
  if (wanted === 'file') return 'file'
  const car = types.find(type => type.startsWith(CAR_TYPE)) ?? ''
  const version = query('car-version') ?? /;\s*version=([^;\s]+)/.exec(car)?.[1] ?? '1'
  const order = query('car-order') ?? /;\s*order=([^;\s]+)/.exec(car)?.[1] ?? 'dfs'
  const scope = query('dag-scope') ?? 'all'
  const isKnown = version === '1' && ['dfs', 'unk'].includes(order) && query('entity-bytes') == null
  if (wanted !== 'car' || !isKnown || !['all', 'entity', 'block'].includes(scope)) throw unknownFormat()
  return scope === 'block' ? 'car-block' : 'car'
}

/** The form of a media type; other block formats are refused, and whatever else is a browser's. */
function shortOf(type: string): string | undefined {
  if (type.startsWith(RAW_TYPE)) return 'raw'
  if (type.startsWith(CAR_TYPE)) return 'car'
  return type.startsWith('application/vnd.ipld.') || type.startsWith('application/vnd.ipfs.') ? 'unknown' : undefined
}

function unknownFormat(): SalusError {
  return new SalusError(
    'HTTP_FORMAT',
    'This node gives raw blocks, CAR files of version 1 and the bytes of files only.'
  )
}

/** A part of some bytes: from `start`, up to and without `end`. */
export interface Part {
  readonly start: number
  readonly end: number
}

/**
 * The part that a `Range` header asks for, or undefined for all: no header, several parts, or another unit.
 *
 * @throws SalusError `HTTP_RANGE` where the part lies behind the end
 */
export function partOf(header: string | undefined, sizeBytes: number): Part | undefined {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '') ?? []
  if (from === '' && to === '') return undefined
  const start = from === '' ? Math.max(0, sizeBytes - Number(to)) : Number(from)
  const end = from === '' || to === '' ? sizeBytes : Math.min(sizeBytes, Number(to) + 1)
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined
  if (start >= end) throw new SalusError('HTTP_RANGE', 'What the range asks for lies behind the end of the block.')
  return { start, end }
}

/** Whether a client has the answer with this tag already. */
export function hasAlready(ifNoneMatch: string | undefined, etag: string): boolean {
  const bare = (tag: string): string => tag.trim().replace(/^W\//, '')
  return ifNoneMatch?.split(',').some(tag => tag.trim() === '*' || bare(tag) === bare(etag)) ?? false
}
