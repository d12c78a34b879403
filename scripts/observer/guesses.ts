/** Digests that whoever guesses makes too: hashes, without salt, of words, codes and dates that tell of a person. */
import { createHash } from 'node:crypto'
import { encodeBytes32String, getBytes, keccak256, toBeHex, toUtf8Bytes } from 'ethers'
import { ROLES, SPECIALTIES } from '#core/credential/roles.ts'
import { COMPARTMENTS } from '#core/record/compartment.ts'
import type { Finding } from '#scripts/observer/find.ts'
import { GUESSABLE_WORDS } from '#scripts/observer/guessable-words.ts'
import type { SeenTransaction } from '#scripts/observer/observe.ts'

/** So many bytes of a digest are met by nobody's chance. */
const KEY_BYTES = 8
/** Where they are taken from: the beginning, and the beginning of what is left if the digest is cut to an address. */
const KEY_STARTS = [0, 12] as const
/** Codes of any list are numbers below this. */
const FIRST_NO_CODE = 4096
const [FIRST_YEAR, LAST_YEAR] = [1900, 2035]

/** What was guessed, by 8 bytes of its digest. */
export type Guesses = ReadonlyMap<string, string>

/** All digests: some 300,000, in some seconds. */
export function guessableDigests(): Guesses {
  const digests = new Map<string, string>()
  const add = (name: string, bytes: Uint8Array): void => {
    for (const digest of [getBytes(keccak256(bytes)), createHash('sha256').update(bytes).digest()])
      for (const start of KEY_STARTS) digests.set(keyAt(digest, start), name)
  }
  for (const word of [...GUESSABLE_WORDS, ...COMPARTMENTS, ...Object.values(ROLES), ...Object.values(SPECIALTIES)])
    for (const form of new Set([word, word.toLowerCase(), word.toUpperCase(), capitalised(word)])) {
      add(form, toUtf8Bytes(form))
      if (form.length < 32) add(form, getBytes(encodeBytes32String(form)))
    }
  for (const text of [...diseaseCodes(), ...dates()]) add(text, toUtf8Bytes(text))
  for (let code = 0; code < FIRST_NO_CODE; code++) {
    add(`the number ${String(code)}`, toUtf8Bytes(String(code)))
    for (const width of [2, 4, 32]) add(`the number ${String(code)}`, getBytes(toBeHex(code, width)))
  }
  return digests
}

/** Looks for them at every place of everything that a transaction shows. */
export function findGuesses({ hash, parts }: SeenTransaction, guesses: Guesses): Finding[] {
  return parts.flatMap(({ place, bytes }) => {
    const found = new Set<string>()
    for (let at = 0; at + KEY_BYTES <= bytes.length; at++) {
      const name = guesses.get(keyAt(bytes, at))
      if (name != null) found.add(name)
    }
    return [...found].map(name => ({ needle: `hash of ${name}, without salt`, hash, place }))
  })
}

function keyAt(bytes: Uint8Array, at: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, KEY_BYTES).toString('latin1')
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

/** A00 to Z99 of the ICD-10, with and without the first digit after the point. */
function* diseaseCodes(): Generator<string> {
  for (let letter = 0; letter < 26; letter++)
    for (let group = 0; group < 100; group++) {
      const code = `${String.fromCharCode(0x41 + letter)}${String(group).padStart(2, '0')}`
      yield code
      for (let digit = 0; digit < 10; digit++) yield `${code}.${String(digit)}`
    }
}

/** Every day on which somebody can be born, as ISO 8601 writes it. */
function* dates(): Generator<string> {
  for (let day = Date.UTC(FIRST_YEAR, 0, 1); day < Date.UTC(LAST_YEAR, 0, 1); day += 86_400_000)
    yield new Date(day).toISOString().slice(0, 10)
}
