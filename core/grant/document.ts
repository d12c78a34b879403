/** What a grant says in words; the chain keeps only its salted hash (docs/specs/grant.md). */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { SalusError } from '#core/error.ts'
import { concat } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readPlace, type Place } from '#core/encoding/place.ts'
import { readBytes, readList, readMap, readText } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { COMPARTMENTS, readCompartment, type Compartment } from '#core/record/compartment.ts'

const AREA = 'GRANT'
const MAX_PURPOSE_LENGTH = 200

/** The most bytes a grant document may have. */
export const MAX_GRANT_DOCUMENT_BYTES = 2048

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
}

/** The canonical bytes of a grant document. */
export function encodeGrantDocument(document: GrantDocument): Uint8Array {
  return encodeCanonical({ v: 1, ...document })
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
  const map = readMap(value, AREA, ['v', 'network', 'patient', 'grantee', 'compartments', 'purpose', 'salt'])
  return {
    ...readPlace(map, AREA, expected),
    grantee: readBytes(map['grantee'], AREA, 'grantee', 20),
    compartments: orderedCompartments(
      readList(map['compartments'], AREA, 'compartments', COMPARTMENTS.length, item => readCompartment(item, AREA))
    ),
    purpose: readText(map['purpose'], AREA, 'purpose', MAX_PURPOSE_LENGTH),
    salt: readBytes(map['salt'], AREA, 'salt', 32)
  }
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
