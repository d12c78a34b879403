/** What a grant says in words; the chain keeps only its salted hash (docs/specs/grant.md). */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { SalusError } from '#core/error.ts'
import { concat } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readPlace, type Place } from '#core/encoding/place.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { CID } from 'multiformats/cid'
import { DAG_CBOR_CODEC, readSha256Cid } from '#core/record/cid.ts'
import { COMPARTMENTS, readCompartment, type Compartment } from '#core/record/compartment.ts'
import { LAST_DAY } from '#core/record/day.ts'

const AREA = 'GRANT'
const MAX_PURPOSE_LENGTH = 200
const MAX_PATH_LENGTH = 256

/** The most entries that one grant names. */
export const MAX_GRANT_ITEMS = 16

/** The most attributes that one grant names, over all its entries. */
export const MAX_GRANT_PATHS = 64

/** The most bytes a grant document may have. */
export const MAX_GRANT_DOCUMENT_BYTES = 2048

/** Days, both included, since 1970-01-01 UTC. */
export interface DaySpan {
  readonly fromDay: number
  readonly toDay: number
}

/** One revision of one entry, or some of its attributes. */
export interface GrantItem {
  /** Name of its header. */
  readonly name: CID
  /** JSON pointers of the attributes; none for the whole entry. */
  readonly paths: readonly string[]
}

/** The readable part of a grant, known to patient and grantee only. */
export interface GrantDocument {
  readonly network: Uint8Array
  readonly patient: Uint8Array
  /** Address, 20 bytes. */
  readonly grantee: Uint8Array
  /** At least one, in the order of `COMPARTMENTS`. */
  readonly compartments: readonly Compartment[]
  /** Purpose of use in words or as a code, for example `TREAT`. */
  readonly purpose: string
  /** 32 random bytes that keep the hash from being guessed. */
  readonly salt: Uint8Array
  /** Entries of these days and no others; absent where the terms alone say it. */
  readonly days?: DaySpan
  /** These entries, or attributes of them, and nothing else; absent for whole compartments. */
  readonly items?: readonly GrantItem[]
}

/** The canonical bytes of a grant document. */
export function encodeGrantDocument({ days, items, ...document }: GrantDocument): Uint8Array {
  const limits = {
    ...(days == null ? {} : { days: [days.fromDay, days.toDay] }),
    ...(items == null ? {} : { items: items.map(({ name, paths }) => [name, paths]) })
  }
  return encodeCanonical({ v: 1, ...document, ...limits })
}

/** The hash that the chain keeps as `scope`: keccak-256 of the document's bytes. */
export function grantScope(documentBytes: Uint8Array): Uint8Array {
  return keccak_256(documentBytes)
}

/** Id of a grant on the chain: a hash of who gives it and of its scope, `keccak256(abi.encode(patient, scope))`. */
export function grantIdOf(patient: Uint8Array, scope: Uint8Array): Uint8Array {
  return keccak_256(concat(patient, scope))
}

/**
 * Reads a grant document.
 *
 * @throws SalusError `GRANT_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`, `_NETWORK`, `_PATIENT`
 */
export function decodeGrantDocument(bytes: Uint8Array, expected: Place = {}): GrantDocument {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_GRANT_DOCUMENT_BYTES })
  readVersion(value, AREA)
  const fields = ['v', 'network', 'patient', 'grantee', 'compartments', 'purpose', 'salt']
  const map = readMap(value, AREA, fields, ['days', 'items'])
  return {
    ...readPlace(map, AREA, expected),
    grantee: readBytes(map['grantee'], AREA, 'grantee', 20),
    compartments: orderedCompartments(
      readList(map['compartments'], AREA, 'compartments', COMPARTMENTS.length, item => readCompartment(item, AREA))
    ),
    purpose: readText(map['purpose'], AREA, 'purpose', MAX_PURPOSE_LENGTH),
    salt: readBytes(map['salt'], AREA, 'salt', 32),
    ...(map['days'] === undefined ? {} : { days: readDays(map['days']) }),
    ...(map['items'] === undefined ? {} : { items: readItems(map['items']) })
  }
}

function readDays(value: unknown): DaySpan {
  const [fromDay = 0, toDay = -1, ...rest] = readList(value, AREA, 'days', 2, item =>
    readUint(item, AREA, 'days', LAST_DAY)
  )
  if (rest.length === 0 && fromDay <= toDay) return { fromDay, toDay }
  throw new SalusError('GRANT_SHAPE', 'Refused: a span of days is its first and its last.')
}

function readItems(value: unknown): GrantItem[] {
  const items = readList(value, AREA, 'items', MAX_GRANT_ITEMS, item => {
    const [name, paths, ...rest] = Array.isArray(item) ? (item as unknown[]) : []
    if (rest.length > 0) throw new SalusError('GRANT_SHAPE', 'Refused: an item is an entry and its paths.')
    return {
      name: readSha256Cid(name, AREA, 'items', [DAG_CBOR_CODEC]),
      paths: readList(paths, AREA, 'paths', MAX_GRANT_PATHS, path => readText(path, AREA, 'path', MAX_PATH_LENGTH))
    }
  })
  const names = new Set(items.map(({ name }) => name.toString()))
  const isEachOnce = names.size === items.length && items.every(({ paths }) => new Set(paths).size === paths.length)
  const paths = items.reduce((sum, item) => sum + item.paths.length, 0)
  if (isEachOnce && items.length > 0 && paths <= MAX_GRANT_PATHS) return items
  throw new SalusError('GRANT_SHAPE', 'Refused: a grant of entries names at least one, and each once.')
}

/**
 * Returns the compartments if there is at least one and they stand in the order of `COMPARTMENTS`, each once.
 *
 * @throws SalusError `GRANT_SHAPE`
 */
export function orderedCompartments(compartments: readonly Compartment[]): readonly Compartment[] {
  const places = compartments.map(each => COMPARTMENTS.indexOf(each))
  if (places.length === 0 || places.some((place, i) => i > 0 && place <= (places[i - 1] ?? 0))) {
    throw new SalusError('GRANT_SHAPE', 'A grant names at least one compartment, each once, in the order of the list.')
  }
  return compartments
}
