/** The terms of a grant as `AccessGrants` keeps them, one 256-bit word (docs/specs/grant.md). */
import { SalusError } from '#core/error.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'

/** Bit of `rights`: open entries. */
export const RIGHT_READ = 1
/** Bit of `rights`: add entries. */
export const RIGHT_WRITE = 2
/** Bit of `rights`: the keys reach back before the grant. */
export const RIGHT_HISTORY = 4

/** `uses` of a grant that is never spent. */
export const UNLIMITED_USES = 255

/** `expiresAt` of a grant that ends only by revocation. */
export const NO_EXPIRY: number = 2 ** 40 - 1

/** What a grant allows, to whom and when. */
export interface Terms {
  /** Address of the grantee, 20 bytes. */
  readonly grantee: Uint8Array
  /** Seconds since 1970-01-01. */
  readonly notBefore: number
  /** Seconds since 1970-01-01; {@link NO_EXPIRY} for none. */
  readonly expiresAt: number
  /** Sum of the `RIGHT_` bits. */
  readonly rights: number
  /** 1 = one-time, 255 = unlimited. */
  readonly uses: number
}

/** Fields after the address, from the low end, with their bits. */
const FIELDS = [
  ['notBefore', 40],
  ['expiresAt', 40],
  ['rights', 8],
  ['uses', 8]
] as const

const ADDRESS_BITS = 160n

/**
 * Packs terms: grantee 160 bits (low), notBefore 40, expiresAt 40, rights 8, uses 8.
 *
 * @throws SalusError `TERMS_RANGE` if a field does not fit
 */
export function packTerms(terms: Terms): bigint {
  if (terms.grantee.length !== 20) throw range('grantee')
  let packed = BigInt(toHex(terms.grantee))
  let shift = ADDRESS_BITS
  for (const [field, bits] of FIELDS) {
    const value = terms[field]
    if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** bits) throw range(field)
    packed |= BigInt(value) << shift
    shift += BigInt(bits)
  }
  return packed
}

/**
 * Undoes {@link packTerms}.
 *
 * @throws SalusError `TERMS_RANGE` if the number does not fit 256 bits
 */
export function unpackTerms(packed: bigint): Terms {
  if (packed < 0n || packed >= 2n ** 256n) throw range('terms')
  const values: number[] = []
  let rest = packed >> ADDRESS_BITS
  for (const [, bits] of FIELDS) {
    values.push(Number(rest & (2n ** BigInt(bits) - 1n)))
    rest >>= BigInt(bits)
  }
  const [notBefore = 0, expiresAt = 0, rights = 0, uses = 0] = values
  const grantee = fromHex((packed & (2n ** ADDRESS_BITS - 1n)).toString(16).padStart(40, '0'), 20)
  return { grantee, notBefore, expiresAt, rights, uses }
}

/** The packed terms as 32 bytes, big-endian, as formats hold them. */
export function termsBytes(packed: bigint): Uint8Array {
  return fromHex(packed.toString(16).padStart(64, '0'), 32)
}

function range(field: string): SalusError {
  return new SalusError('TERMS_RANGE', `The grant’s ${field} does not fit its field.`)
}
