/**
 * A P-256 key that signs for a gateway: in a file, or in a PKCS#11 token that never gives it away. Both sign a 32-byte digest; signatures
 * are r and s of 32 bytes each, s in the lower half of the order, as contracts want them.
 */
import { createECDH, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { p256 } from '@noble/curves/nist.js'
import { SalusError } from '#core/error.ts'
import { concat, fromHex } from '#core/encoding/bytes.ts'
import { readIfThere, writeDurably } from '#node/store/durable-file.ts'

const UNCOMPRESSED_BYTES = 65
/** PKCS#11 3.0 constants. */
const CKF_SERIAL_SESSION = 4
const CKU_USER = 1
const CKO_PUBLIC_KEY = 2
const CKO_PRIVATE_KEY = 3
const CKA_CLASS = 0
const CKA_LABEL = 3
const CKA_EC_POINT = 0x181
const CKM_ECDSA = 0x1041

/** A signing key, wherever it lies. */
export interface P256Key {
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Uint8Array
  /** Signature of a 32-byte digest, 64 bytes. */
  sign(digest: Uint8Array): Uint8Array
  close(): void
}

/**
 * A key in a file of PKCS #8, made on first use, readable by its owner only.
 *
 * @throws SalusError `P256_KEY_FILE` if the file holds something else
 */
export async function openP256File(path: string): Promise<P256Key> {
  let der = await readIfThere(path)
  if (der == null) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    der = new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' }))
    await writeDurably(path, der)
  }
  const secret = secretOf(der)
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(secret)
  return {
    publicKey: new Uint8Array(ecdh.getPublicKey()),
    sign: digest => p256.sign(digest, secret, { prehash: false, lowS: true }),
    close: () => void secret.fill(0)
  }
}

function secretOf(der: Uint8Array): Uint8Array {
  let key: KeyObject
  try {
    key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
  } catch (cause) {
    throw noKey(cause)
  }
  const { crv, d } = key.asymmetricKeyType === 'ec' ? key.export({ format: 'jwk' }) : {}
  if (crv !== 'P-256' || d == null) throw noKey()
  return new Uint8Array(Buffer.from(d, 'base64url'))
}

function noKey(cause?: unknown): SalusError {
  return new SalusError('P256_KEY_FILE', 'The key file holds no P-256 key; restore it or make a new one.', { cause })
}

/** As much of `pkcs11js` as is used. */
export interface Pkcs11 {
  load(path: string): void
  C_Initialize(): void
  C_Finalize(): void
  C_GetSlotList(tokenPresent: boolean): Buffer[]
  C_OpenSession(slot: Buffer, flags: number): Buffer
  C_CloseSession(session: Buffer): void
  C_Login(session: Buffer, user: number, pin: string): void
  C_FindObjectsInit(session: Buffer, template: readonly { type: number; value: unknown }[]): void
  C_FindObjects(session: Buffer): Buffer | null
  C_FindObjectsFinal(session: Buffer): void
  C_GetAttributeValue(session: Buffer, object: Buffer, template: readonly { type: number }[]): { value: Buffer }[]
  C_SignInit(session: Buffer, mechanism: { mechanism: number }, key: Buffer): void
  C_Sign(session: Buffer, data: Buffer, out: Buffer): Buffer
}

/** Which key of which token. */
export interface Pkcs11Init {
  /** Path of the token's library. */
  readonly library: string
  readonly slot: number
  readonly pin: string
  readonly label: string
}

/**
 * A key in a token.
 *
 * @param load - gives the library's binding; by default `pkcs11js`, which is not installed with Salus
 * @throws SalusError `PKCS11_ABSENT`, `PKCS11_KEY` if the token has no key pair of that label; whatever the token fails with
 */
export async function openP256Token(init: Pkcs11Init, load: () => Promise<Pkcs11> = loadPkcs11): Promise<P256Key> {
  const token = await load()
  token.load(init.library)
  token.C_Initialize()
  const slot = token.C_GetSlotList(true)[init.slot]
  if (slot == null) throw noTokenKey()
  const session = token.C_OpenSession(slot, CKF_SERIAL_SESSION)
  token.C_Login(session, CKU_USER, init.pin)
  const find = (kind: number): Buffer => {
    token.C_FindObjectsInit(session, [
      { type: CKA_CLASS, value: kind },
      { type: CKA_LABEL, value: init.label }
    ])
    const found = token.C_FindObjects(session)
    token.C_FindObjectsFinal(session)
    if (found == null) throw noTokenKey()
    return found
  }
  const secret = find(CKO_PRIVATE_KEY)
  const [point] = token.C_GetAttributeValue(session, find(CKO_PUBLIC_KEY), [{ type: CKA_EC_POINT }])
  // The point comes as a DER octet string: two bytes, then the point.
  const publicKey = new Uint8Array(point?.value ?? Buffer.alloc(0)).slice(-UNCOMPRESSED_BYTES)
  if (publicKey.length !== UNCOMPRESSED_BYTES) throw noTokenKey()
  return {
    publicKey,
    sign(digest) {
      token.C_SignInit(session, { mechanism: CKM_ECDSA }, secret)
      return lowS(new Uint8Array(token.C_Sign(session, Buffer.from(digest), Buffer.alloc(64))))
    },
    close() {
      token.C_CloseSession(session)
      token.C_Finalize()
    }
  }
}

/** A token knows nothing of lower halves: s and order - s are both valid for the curve. */
function lowS(signature: Uint8Array): Uint8Array {
  const s = p256.Signature.fromBytes(signature, 'compact')
  if (!s.hasHighS()) return signature
  const other = (p256.Point.Fn.ORDER - s.s).toString(16).padStart(64, '0')
  return concat(signature.slice(0, 32), fromHex(other))
}

function noTokenKey(): SalusError {
  return new SalusError('PKCS11_KEY', 'The token holds no P-256 key pair of this label.')
}

async function loadPkcs11(): Promise<Pkcs11> {
  // Named at run time: it is native, optional, and not in the lockfile.
  const name = 'pkcs11js'
  try {
    const { PKCS11 } = (await import(name)) as { PKCS11: new () => Pkcs11 }
    return new PKCS11()
  } catch (cause) {
    throw new SalusError('PKCS11_ABSENT', 'This machine has no pkcs11js; install it, or keep the key in a file.', {
      cause
    })
  }
}
