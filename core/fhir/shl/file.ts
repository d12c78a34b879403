/** Files of a SMART Health Link: compact JWE, direct key, AES-256-GCM (docs/specs/smart-health-link.md#files). */
import { CompactEncrypt, compactDecrypt } from 'jose'
import type { Random } from '#core/crypto/primitives.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { textOf } from '#core/encoding/text.ts'
import { SalusError } from '#core/error.ts'

/** Most bytes of a file, packed or not. */
export const MAX_SHL_FILE_BYTES = 33_554_432

/** A file, open. */
export interface ShlFile {
  /** Media type; the manifest's where the file says none. */
  readonly contentType: string
  readonly bytes: Uint8Array
}

/** Encrypts a file under the link's key. */
export async function sealShlFile(
  random: Random,
  key: Uint8Array,
  { contentType, bytes }: ShlFile
): Promise<Uint8Array> {
  const jwe = new CompactEncrypt(bytes).setProtectedHeader({ alg: 'dir', enc: 'A256GCM', cty: contentType })
  // Randomness is passed in here as everywhere in core; the library would draw its own.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  return utf8(await jwe.setInitializationVector(random(12)).encrypt(key))
}

/**
 * Decrypts a file. Nothing but direct AES-256-GCM is taken, whatever the file asks for, and no more than
 * {@link MAX_SHL_FILE_BYTES} are unpacked.
 *
 * @throws SalusError `SHL_FILE`
 */
export async function openShlFile(key: Uint8Array, jwe: Uint8Array): Promise<ShlFile> {
  if (jwe.length > 2 * MAX_SHL_FILE_BYTES) refuse()
  const options = {
    keyManagementAlgorithms: ['dir'],
    contentEncryptionAlgorithms: ['A256GCM'],
    maxDecompressedLength: MAX_SHL_FILE_BYTES
  }
  try {
    const { plaintext, protectedHeader } = await compactDecrypt((textOf(jwe) ?? '').trim(), key, options)
    if (plaintext.length > MAX_SHL_FILE_BYTES) refuse()
    return { contentType: protectedHeader.cty ?? 'application/fhir+json', bytes: plaintext }
  } catch (cause) {
    return refuse(cause)
  }
}

function refuse(cause?: unknown): never {
  throw new SalusError('SHL_FILE', 'Refused: the link’s file is not sealed under its key, or not as it must be.', {
    cause
  })
}
