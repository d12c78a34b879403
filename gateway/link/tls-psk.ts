/**
 * TLS 1.3 with external pre-shared keys (RFC 8446 section 4.2.11, guidance RFC 9257). Always with X25519, so that a key that is lost
 * later opens nothing that was recorded; only suites of SHA-256, for that is the hash that OpenSSL ties such keys to.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { SecureVersion, TLSSocket, TlsOptions } from 'node:tls'
import { toHex } from '#core/encoding/bytes.ts'
import { handleOf, identityOf } from '#core/link/topic.ts'
import type { SensorAccess } from '#core/link/sensors.ts'

const CIPHERS = 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256'
const VERSION: SecureVersion = 'TLSv1.3'
const GROUPS = 'X25519'
const HANDSHAKE_MS = 10_000

/** A listener's side. */
export interface PskServer {
  readonly options: TlsOptions
  /** The handle that a connection authenticated with; `undefined` if it did so in no other way than by a key. */
  handleOf(socket: TLSSocket): Uint8Array | undefined
}

/** What decides who gets in. */
export interface PskServerInit {
  /** The pre-shared key of a handle. */
  readonly find: (handle: Uint8Array) => Uint8Array | undefined
  /** False if this identity, at this address, has tried too often. */
  readonly mayTry: (identity: string, address: string) => boolean
}

/**
 * Options of a TLS server. An identity that is unknown, or may not try, gets a key that nobody has: it fails as a wrong key does, with
 * the same alert at the same step.
 */
export function pskServer({ find, mayTry }: PskServerInit): PskServer {
  const decoy = randomBytes(32)
  const handles = new WeakMap<TLSSocket, Uint8Array>()
  return {
    options: {
      minVersion: VERSION,
      maxVersion: VERSION,
      ciphers: CIPHERS,
      ecdhCurve: GROUPS,
      handshakeTimeout: HANDSHAKE_MS,
      pskCallback(socket, identity) {
        const handle = handleOf(identity)
        const isAllowed = mayTry(identity, socket.remoteAddress ?? '')
        const psk = handle == null ? undefined : find(handle)
        if (handle == null || psk == null || !isAllowed) {
          return createHmac('sha256', decoy).update(identity).digest()
        }
        handles.set(socket, handle)
        return psk
      }
    },
    handleOf: socket => handles.get(socket)
  }
}

/** Options of a TLS client that authenticates, and is sure of its gateway, by one pre-shared key. */
export function pskClient({ handle, psk }: Pick<SensorAccess, 'handle' | 'psk'>): {
  readonly minVersion: SecureVersion
  readonly maxVersion: SecureVersion
  readonly ciphers: string
  readonly ecdhCurve: string
  readonly pskCallback: () => { readonly psk: Uint8Array; readonly identity: string }
  readonly checkServerIdentity: () => undefined
} {
  return {
    minVersion: VERSION,
    maxVersion: VERSION,
    ciphers: CIPHERS,
    ecdhCurve: GROUPS,
    pskCallback: () => ({ psk, identity: identityOf(handle) }),
    // There is no certificate to check: a server without the key cannot finish the handshake.
    checkServerIdentity: () => undefined
  }
}

/** Lines of a `psk_file` of Mosquitto. They are secrets. */
export function mosquittoPskFile(accesses: readonly Pick<SensorAccess, 'handle' | 'psk'>[]): string {
  return accesses.map(({ handle, psk }) => `${identityOf(handle)}:${toHex(psk).slice(2)}\n`).join('')
}

/** An `acl_file` of Mosquitto: a sensor under its own topics only, and the gateway under all. */
export function mosquittoAclFile(gateway: string): string {
  return [
    `user ${gateway}`,
    'topic read salus/1/+/up',
    'topic write salus/1/+/down',
    '',
    'pattern write salus/1/%u/up',
    'pattern read salus/1/%u/down',
    ''
  ].join('\n')
}
