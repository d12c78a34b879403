/** Why the glass was broken, in words: committed to on the chain, sealed for the patient and reviewers (docs/specs/break-glass.md). */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { SalusError } from '#core/error.ts'
import { concat, equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SUITE_SIZES, hpkeOpen, hpkeSeal, isSuiteId } from '#core/crypto/hpke.ts'
import type { Random } from '#core/crypto/primitives.ts'
import { preferredKemKey } from '#core/grant/capsule.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'

const AREA = 'SEALED_REASON'
const INFO = utf8('salus/sealed-reason/1')
const SALT_BYTES = 32
const LENGTH_BYTES = 2
const MAX_READERS = 4

/** The most bytes of a reason, as UTF-8. */
export const MAX_REASON_BYTES = 1024

/** Every reason has this length when it is sealed, so that its length tells nothing. */
const PLAIN_BYTES = SALT_BYTES + LENGTH_BYTES + MAX_REASON_BYTES
const CIPHERTEXT_BYTES = PLAIN_BYTES + 16

/** The most bytes of a sealed reason. */
export const MAX_SEALED_REASON_BYTES: number = MAX_READERS * (CIPHERTEXT_BYTES + 1280) + 64

/** A reason and what it is salted with, 32 random bytes. */
export interface SaltedReason {
  readonly salt: Uint8Array
  readonly text: string
}

/** What the chain has of a reason: keccak-256 of salt and text. */
export function commitReason({ salt, text }: SaltedReason): Uint8Array {
  return keccak_256(concat(salt, utf8(text)))
}

/**
 * Seals a reason for each of its readers.
 *
 * @param bundles - encoded key bundles of the patient, and of reviewers
 * @throws SalusError `REASON_LENGTH` (empty, or longer than 1,024 bytes), `REASON_READERS` (none, or more than four), `CAPSULE_SUITE`,
 * `KEY_BUNDLE_*`, `HPKE_PUBLIC_KEY`
 */
export async function sealReason(
  random: Random,
  reason: SaltedReason,
  bundles: readonly Uint8Array[]
): Promise<Uint8Array> {
  const text = utf8(reason.text)
  checkReason(reason.text)
  if (bundles.length === 0 || bundles.length > MAX_READERS) {
    throw new SalusError('REASON_READERS', 'A reason is sealed for one to four readers.')
  }
  const plaintext = new Uint8Array(PLAIN_BYTES)
  plaintext.set(reason.salt)
  new DataView(plaintext.buffer).setUint16(SALT_BYTES, text.length)
  plaintext.set(text, SALT_BYTES + LENGTH_BYTES)
  const aad = commitReason(reason)
  const sealed: Record<string, unknown>[] = []
  for (const bundle of bundles) {
    const to = preferredKemKey(decodeKeyBundle(bundle))
    const { encapsulation, ciphertext } = await hpkeSeal(random, to, { info: INFO, aad, plaintext })
    sealed.push({ suite: to.suite, kemKey: keccak_256(to.publicKey), enc: encapsulation, ct: ciphertext })
  }
  return encodeCanonical({ v: 1, sealed })
}

/**
 * Refuses a reason that says nothing, or more than fits.
 *
 * @throws SalusError `REASON_LENGTH`
 */
export function checkReason(text: string): void {
  const { length } = utf8(text)
  if (text.trim() !== '' && length <= MAX_REASON_BYTES) return
  throw new SalusError('REASON_LENGTH', 'An emergency has a reason, of at most 1,024 bytes.')
}

/**
 * Opens a reason as one of its readers, and checks that it is what the chain was told.
 *
 * @param commitment - as the chain or the record has it
 * @throws SalusError `SEALED_REASON_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`; `SEALED_REASON_RECIPIENT` (sealed to none of these keys), `SEALED_REASON_OTHER` (not what was committed to),
 * `HPKE_OPEN`
 */
export async function openReason(
  bytes: Uint8Array,
  keys: Pick<AgentKeys, 'kemSecrets'>,
  commitment: Uint8Array
): Promise<string> {
  for (const { suite, kemKey, encapsulation, ciphertext } of decodeSealedReason(bytes)) {
    const as = keys.kemSecrets.find(key => key.suite === suite && equalBytes(keccak_256(key.publicKey), kemKey))
    if (as == null) continue
    const plaintext = await hpkeOpen(as, { encapsulation, ciphertext, info: INFO, aad: commitment })
    const reason = readPlain(plaintext)
    if (reason != null && equalBytes(commitReason(reason), commitment)) return reason.text
    throw new SalusError('SEALED_REASON_OTHER', 'Refused: this is not the reason that the chain was told.')
  }
  throw new SalusError('SEALED_REASON_RECIPIENT', 'This reason is sealed to other keys.')
}

function decodeSealedReason(bytes: Uint8Array) {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_SEALED_REASON_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'sealed'])
  return readList(map['sealed'], AREA, 'sealed', MAX_READERS, item => {
    const { suite: number, kemKey, enc, ct } = readMap(item, AREA, ['suite', 'kemKey', 'enc', 'ct'])
    const suite = readUint(number, AREA, 'suite', 255)
    if (!isSuiteId(suite)) {
      throw new SalusError('SEALED_REASON_SHAPE', 'Refused: an encryption suite unknown to this version.')
    }
    return {
      suite,
      kemKey: readBytes(kemKey, AREA, 'kemKey', 32),
      encapsulation: readBytes(enc, AREA, 'enc', SUITE_SIZES[suite].encapsulationBytes),
      ciphertext: readBytes(ct, AREA, 'ct', CIPHERTEXT_BYTES)
    }
  })
}

function readPlain(bytes: Uint8Array): SaltedReason | undefined {
  if (bytes.length !== PLAIN_BYTES) return undefined
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint16(SALT_BYTES)
  if (length > MAX_REASON_BYTES) return undefined
  const start = SALT_BYTES + LENGTH_BYTES
  return { salt: bytes.slice(0, SALT_BYTES), text: new TextDecoder().decode(bytes.subarray(start, start + length)) }
}
