/**
 * SMART Health Cards that are handed to the patient (docs/specs/smart-health-link.md#cards): a signed bundle in a file, a QR code
 * or a link.
 *
 * @see https://spec.smarthealth.cards/
 */
import { compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose'
import { base64url } from 'multiformats/bases/base64'
import { Inflate } from 'fflate'
import { concat, utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { isJsonObject, parseJson } from '#core/fhir/json/parse.ts'

const MAX_FILE_BYTES = 1_048_576
const MAX_PAYLOAD_BYTES = 5_242_880
const MAX_CARDS = 20
const MAX_CHUNKS = 50
const PACKED_CHUNK = 4096
const NUMERIC = /^shc:\/(?:(\d{1,2})\/(\d{1,2})\/)?((?:\d\d){1,20000})$/
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** A card whose signature holds. */
export interface HealthCard {
  /** Address of the issuer; whether to trust it is for the reader to say. */
  readonly issuer: string
  /** For example `https://smarthealth.cards#immunization`. */
  readonly types: readonly string[]
  /** Since when, in seconds since 1970. */
  readonly notBeforeS: number
  /** The FHIR bundle: canonical text of what was signed. */
  readonly bundle: Uint8Array
}

/**
 * The signed cards in a file (`application/smart-health-card`).
 *
 * @throws SalusError `SHC_MALFORMED`, `JSON_*`
 */
export function cardsInFile(file: Uint8Array): string[] {
  const value = parseJson(file, { maxBytes: MAX_FILE_BYTES, maxDepth: 4, maxItems: 100 })
  const list = isJsonObject(value) ? value['verifiableCredential'] : undefined
  if (!Array.isArray(list) || list.length > MAX_CARDS) return refuse()
  return list.map((card: unknown) => (typeof card === 'string' && COMPACT.test(card) ? card : refuse()))
}

/**
 * The signed card in the texts of one or several QR codes, in any order.
 *
 * @throws SalusError `SHC_MALFORMED`
 */
export function cardInCodes(codes: readonly string[]): string {
  const parts: string[] = []
  for (const code of codes.slice(0, MAX_CHUNKS)) {
    const [whole, index = '1', of = '1', digits = ''] = NUMERIC.exec(code.trim()) ?? []
    if (whole == null || Number(of) !== codes.length || Number(index) < 1 || Number(index) > codes.length) refuse()
    parts[Number(index) - 1] = digits
  }
  const all = parts.join('')
  // Each character is two digits: its code less 45.
  const card = all.replaceAll(/\d\d/g, pair => String.fromCharCode(Number(pair) + 45))
  return parts.length === codes.length && COMPACT.test(card) ? card : refuse()
}

/** Who claims to have signed a card, to find the keys by; nothing is checked yet. */
export function issuerOf(card: string): string {
  const payload = payloadOf(base64Part(card, 1))
  const issuer = isJsonObject(payload) ? payload['iss'] : undefined
  return typeof issuer === 'string' && /^https:\/\/[^\s?#]+$/.test(issuer) ? issuer : refuse()
}

/**
 * Checks a card's signature and unpacks it.
 *
 * @param keys - of the issuer, from `{issuer}/.well-known/jwks.json`
 * @throws SalusError `SHC_MALFORMED`, `SHC_SIGNATURE`, `SHC_NOT_YET`, `JSON_*`
 */
export async function openHealthCard(card: string, keys: readonly JWK[], nowS: number): Promise<HealthCard> {
  if (!COMPACT.test(card)) refuse()
  const signed = await verified(card, keys)
  const payload = payloadOf(signed)
  const { iss, nbf, vc } = isJsonObject(payload) ? payload : {}
  const { type, credentialSubject } = isJsonObject(vc) ? vc : {}
  const bundle = isJsonObject(credentialSubject) ? credentialSubject['fhirBundle'] : undefined
  if (typeof iss !== 'string' || typeof nbf !== 'number' || !isJsonObject(bundle)) return refuse()
  if (nbf > nowS) throw new SalusError('SHC_NOT_YET', 'The health card is not valid yet; check the clock.')
  const types = Array.isArray(type) ? type.filter(each => typeof each === 'string') : []
  return { issuer: iss, types, notBeforeS: nbf, bundle: utf8(JSON.stringify(bundle)) }
}

async function verified(card: string, keys: readonly JWK[]): Promise<Uint8Array> {
  try {
    const { kid } = decodeProtectedHeader(card)
    const key = keys.find(each => each.kid === kid && each.kty === 'EC' && each.crv === 'P-256')
    if (key == null) throw new Error('no such key')
    const { payload } = await compactVerify(card, await importJWK(key, 'ES256'), { algorithms: ['ES256'] })
    return payload
  } catch (cause) {
    throw new SalusError('SHC_SIGNATURE', 'Refused: the health card is not signed by a key of its issuer.', { cause })
  }
}

function base64Part(card: string, index: number): Uint8Array {
  try {
    return base64url.decode(`u${card.split('.')[index] ?? ''}`)
  } catch {
    return refuse()
  }
}

/** Raw deflate, as far as a card may grow. */
function payloadOf(packed: Uint8Array): unknown {
  const pieces: Uint8Array[] = []
  let size = 0
  const inflate = new Inflate(piece => {
    size += piece.length
    if (size > MAX_PAYLOAD_BYTES) refuse()
    pieces.push(piece)
  })
  try {
    for (let i = 0; i < packed.length; i += PACKED_CHUNK) {
      inflate.push(packed.subarray(i, i + PACKED_CHUNK), i + PACKED_CHUNK >= packed.length)
    }
  } catch {
    return refuse()
  }
  return parseJson(concat(...pieces))
}

function refuse(): never {
  throw new SalusError('SHC_MALFORMED', 'Refused: this is not a SMART Health Card.')
}
