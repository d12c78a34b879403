/** What is written down before a key is handed out: one leaf of a node's log (docs/specs/receipts.md). */
import { SalusError, isSalusError } from '#core/error.ts'
import { concat, utf8 } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SUITE_SIZES, hpkeOpen, hpkeSeal, isSuiteId, type HpkeSealed, type SuiteId } from '#core/crypto/hpke.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { preferredKemKey } from '#core/grant/capsule.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'

const AREA = 'RECEIPT'
const CONTENT_AREA = 'RECEIPT_CONTENT'
const INFO = utf8('salus/receipt/1')
const MAX_READERS = 4
const MAX_CONTENT_BYTES = 1024
const NONCE_BYTES = 16

/** The most bytes a receipt may have; the log's format allows 65,535. */
export const MAX_RECEIPT_BYTES: number = MAX_READERS * (MAX_CONTENT_BYTES + 1280) + 128

/** What was handed out: a custodian's share, or entries with their slots. */
export type ReceiptKind = 'share' | 'entries'

/** Who opened what, when. */
export interface ReceiptContent {
  readonly kind: ReceiptKind
  readonly patient: Uint8Array
  /** Grant or emergency under which it was handed out; null where the patient itself asked. */
  readonly subject: Uint8Array | null
  /** Rule of the share (core/custody/plan.ts); empty of entries. */
  readonly rule: string
  /** Ed25519 public key of who asked. */
  readonly reader: Uint8Array
  /** Address that the reader's keys are bound to, 20 bytes; null for the patient. */
  readonly address: Uint8Array | null
  /** SHA-256 of the signed request. */
  readonly request: Uint8Array
  /** Milliseconds since 1970-01-01, by the node's clock. */
  readonly atMs: number
}

interface SealedFor extends HpkeSealed {
  /** Lets a reader pass over most receipts of others: one byte of a hash of its key. */
  readonly hint: number
  readonly suite: SuiteId
}

/** A receipt as read; what it says, only those know for whom it is sealed. */
export interface Receipt {
  readonly network: Uint8Array
  readonly nonce: Uint8Array
  readonly sealed: readonly SealedFor[]
}

function aadOf({ network, nonce }: Pick<Receipt, 'network' | 'nonce'>): Uint8Array {
  return encodeCanonical({ v: 1, network, nonce })
}

function hintOf(p: Primitives, nonce: Uint8Array, publicKey: Uint8Array): number {
  return p.sha256(concat(INFO, nonce, publicKey))[0] ?? 0
}

/**
 * The bytes of a receipt, sealed for each of its readers.
 *
 * @param bundles - encoded key bundles of the patient, and of the auditor where there is one
 * @throws SalusError `RECEIPT_READERS` without readers or with too many, `CAPSULE_SUITE`, `KEY_BUNDLE_*`, `HPKE_PUBLIC_KEY`
 */
export async function sealReceipt(
  p: Primitives,
  random: Random,
  input: { readonly network: Uint8Array; readonly content: ReceiptContent; readonly bundles: readonly Uint8Array[] }
): Promise<Uint8Array> {
  const { network, bundles } = input
  if (bundles.length === 0 || bundles.length > MAX_READERS) {
    throw new SalusError('RECEIPT_READERS', 'A receipt is sealed for one to four readers.')
  }
  const { atMs, ...rest } = input.content
  const plaintext = encodeCanonical({ v: 1, ...rest, at: atMs })
  const nonce = random(NONCE_BYTES)
  const aad = aadOf({ network, nonce })
  const sealed = await Promise.all(
    bundles.map(async bundle => {
      const to = preferredKemKey(decodeKeyBundle(bundle))
      const { encapsulation, ciphertext } = await hpkeSeal(random, to, { info: INFO, aad, plaintext })
      return { hint: hintOf(p, nonce, to.publicKey), suite: to.suite, enc: encapsulation, ct: ciphertext }
    })
  )
  return encodeCanonical({ v: 1, network, nonce, sealed })
}

/**
 * Reads a receipt without opening it.
 *
 * @throws SalusError `RECEIPT_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`, `_SHAPE`
 */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_RECEIPT_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'network', 'nonce', 'sealed'])
  return {
    network: readBytes(map['network'], AREA, 'network', 32),
    nonce: readBytes(map['nonce'], AREA, 'nonce', NONCE_BYTES),
    sealed: readList(map['sealed'], AREA, 'sealed', MAX_READERS, readSealed)
  }
}

function readSealed(value: unknown): SealedFor {
  const map = readMap(value, AREA, ['hint', 'suite', 'enc', 'ct'])
  const suite = readUint(map['suite'], AREA, 'suite', 255)
  if (!isSuiteId(suite)) throw new SalusError('RECEIPT_SHAPE', 'Refused: an encryption suite unknown to this version.')
  return {
    hint: readUint(map['hint'], AREA, 'hint', 255),
    suite,
    encapsulation: readBytes(map['enc'], AREA, 'enc', SUITE_SIZES[suite].encapsulationBytes),
    ciphertext: readBytes(map['ct'], AREA, 'ct', { min: 16, max: MAX_CONTENT_BYTES + 16 })
  }
}

/**
 * What a receipt says, or `undefined` where it is for others.
 *
 * @throws SalusError `RECEIPT_CONTENT_*` if it opens and holds something else
 */
export async function openReceipt(
  p: Primitives,
  receipt: Receipt,
  keys: Pick<AgentKeys, 'kemSecrets'>
): Promise<ReceiptContent | undefined> {
  for (const sealed of receipt.sealed) {
    for (const as of keys.kemSecrets) {
      if (as.suite !== sealed.suite || hintOf(p, receipt.nonce, as.publicKey) !== sealed.hint) continue
      try {
        return decodeContent(await hpkeOpen(as, { ...sealed, info: INFO, aad: aadOf(receipt) }))
      } catch (error) {
        if (!isSalusError(error, 'HPKE_OPEN')) throw error
      }
    }
  }
  return undefined
}

function decodeContent(bytes: Uint8Array): ReceiptContent {
  const value = decodeCanonical(bytes, { area: CONTENT_AREA, maxBytes: MAX_CONTENT_BYTES })
  readVersion(value, CONTENT_AREA)
  const fields = ['v', 'kind', 'patient', 'subject', 'rule', 'reader', 'address', 'request', 'at']
  const map = readMap(value, CONTENT_AREA, fields)
  const kind = readText(map['kind'], CONTENT_AREA, 'kind', 16)
  if (kind !== 'share' && kind !== 'entries') {
    throw new SalusError('RECEIPT_CONTENT_SHAPE', 'Refused: a kind of receipt unknown to this version.')
  }
  return {
    kind,
    patient: readBytes(map['patient'], CONTENT_AREA, 'patient', 32),
    subject: map['subject'] === null ? null : readBytes(map['subject'], CONTENT_AREA, 'subject', 32),
    rule: readText(map['rule'], CONTENT_AREA, 'rule', 16),
    reader: readBytes(map['reader'], CONTENT_AREA, 'reader', 32),
    address: map['address'] === null ? null : readBytes(map['address'], CONTENT_AREA, 'address', 20),
    request: readBytes(map['request'], CONTENT_AREA, 'request', 32),
    atMs: readUint(map['at'], CONTENT_AREA, 'at')
  }
}
