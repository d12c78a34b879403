/** What must not be found on the chain, in every form in which it could get there. */
import { createHash } from 'node:crypto'
import { keccak256, getBytes } from 'ethers'
import { CID } from 'multiformats/cid'

/** Something that a person or a record would be known by. */
export type Secret =
  | { readonly kind: 'text'; readonly name: string; readonly value: string }
  | { readonly kind: 'bytes'; readonly name: string; readonly value: Uint8Array }
  | { readonly kind: 'cid'; readonly name: string; readonly value: string }

/** One form of a secret. */
export interface Needle {
  /** The secret's name, and the form. */
  readonly name: string
  readonly bytes: Uint8Array
  /** Whether capitals match too; `bytes` has none then. */
  readonly isText: boolean
}

/** Words that tell of a person's health wherever they stand; whole FHIR names, so that chance finds none. */
export const HEALTH_WORDS: readonly string[] = [
  'vitals',
  'medication',
  'diagnos',
  'allerg',
  'condition',
  'observation',
  'encounter',
  'immunization',
  'procedure',
  'genomic',
  'mental',
  'sexual',
  'substance',
  'emergency',
  'heart rate',
  'blood',
  'oxygen',
  'treatment',
  'monitoring',
  'hospital',
  'loinc.org',
  'snomed.info',
  'resourceType'
]

/** Forms of which nobody makes hashes. */
const ENCODED = / in (?:base64|hexadecimal)$/

/**
 * All forms of the secrets: as they are, in UTF-16, hexadecimal and base64, and hashed without salt, as whoever guesses them would. A hash is looked
 * for by its first 20 bytes, so that one cut to an address is found too.
 */
export function needlesOf(secrets: readonly Secret[]): Needle[] {
  return secrets.flatMap(secret =>
    formsOf(secret).flatMap(form => [
      { ...form, bytes: form.isText ? lowerCase(form.bytes) : form.bytes },
      ...(ENCODED.test(form.name) ? [] : hashesOf(form))
    ])
  )
}

/** The same bytes with the capitals of ASCII made small. */
export function lowerCase(bytes: Uint8Array): Uint8Array {
  return bytes.map(byte => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte))
}

function formsOf(secret: Secret): Needle[] {
  const { name, kind } = secret
  const form = (suffix: string, bytes: Uint8Array, isText = false): Needle => ({ name: name + suffix, bytes, isText })
  if (kind === 'bytes') return [form('', secret.value)]
  const text = Buffer.from(secret.value)
  if (kind === 'text') {
    const lower = Buffer.from(secret.value.toLowerCase())
    const wide = Buffer.from(secret.value, 'utf16le')
    return [
      form('', text, true),
      form(' in lower case', lower, true),
      form(' in UTF-16', wide, true),
      form(' in UTF-16', Buffer.from(wide).swap16(), true),
      ...[text, lower].flatMap(each => [
        form(' in hexadecimal', Buffer.from(each.toString('hex')), true),
        ...base64Of(each).map(bytes => form(' in base64', bytes))
      ])
    ]
  }
  const cid = CID.parse(secret.value)
  return [form('', text, true), form(' as bytes', cid.bytes), form(' as digest', cid.multihash.digest)]
}

/** What is the same in base64, and in its form for URLs, whatever stands before and after: one form for each place in a group of three. */
function base64Of(bytes: Uint8Array): Uint8Array[] {
  return [0, 1, 2].flatMap(before => {
    const whole = Buffer.concat([new Uint8Array(before), bytes])
    const start = Math.ceil((before * 8) / 6)
    const end = Math.floor((whole.length * 8) / 6)
    return (['base64', 'base64url'] as const).map(encoding => Buffer.from(whole.toString(encoding).slice(start, end)))
  })
}

function hashesOf({ name, bytes }: Needle): Needle[] {
  const sha256 = createHash('sha256').update(bytes).digest()
  return [
    { name: `keccak-256 of ${name}`, bytes: getBytes(keccak256(bytes)).subarray(-20), isText: false },
    { name: `keccak-256 of ${name}, cut`, bytes: getBytes(keccak256(bytes)).subarray(0, 20), isText: false },
    { name: `SHA-256 of ${name}`, bytes: sha256.subarray(0, 20), isText: false }
  ]
}
