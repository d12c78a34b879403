/**
 * Protects each connection with the network's shared key before anything else is said on it (docs/specs/private-network.md). In place of
 * `@libp2p/pnet`, whose cipher in WebAssembly breaks on bulk (docs/decisions/0034-admission-and-transport.md).
 */
import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto'
import type { AbortOptions, ConnectionProtector, MessageStream } from '@libp2p/interface'
import { AbstractMessageStream, byteStream, type SendResult } from '@libp2p/utils'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import {
  directionKeys,
  SESSION_NONCE_BYTES,
  SESSION_TAG_BYTES,
  type DirectionKeys
} from '#core/network/private-session.ts'

/** What the protector needs. */
export interface ProtectorComponents {
  readonly p: Pick<Primitives, 'hkdfSha256'>
  readonly random: Random
}

const DIALLING = ['dialler', 'listener'] as const
const LISTENING = ['listener', 'dialler'] as const
/** Bytes that may wait between handshake and cipher. */
const MAX_EARLY_BYTES = 1 << 20
/** Time for nonces and tags, ms: whoever sends nothing holds a place among the connections that are being set up. */
const HANDSHAKE_MS = 5_000

/**
 * A connection protector of libp2p for a network key.
 *
 * Connections to peers with another key fail with `PRIVATE_KEY_OTHER`; nothing but a nonce and a tag was sent by then.
 *
 * @param networkKey - 32 bytes
 */
export function createPrivateProtector(
  { p, random }: ProtectorComponents,
  networkKey: Uint8Array
): ConnectionProtector {
  return {
    async protect(connection, options = {}) {
      try {
        return await shakeHands(connection, options)
      } catch (error) {
        connection.abort(error instanceof Error ? error : new Error('not protected'))
        throw error
      }
    }
  }

  async function shakeHands(connection: MessageStream, { signal }: AbortOptions): Promise<MessageStream> {
    const limit = AbortSignal.timeout(HANDSHAKE_MS)
    const options = { signal: signal == null ? limit : AbortSignal.any([signal, limit]) }
    const bytes = byteStream(connection, { maxBufferSize: MAX_EARLY_BYTES })
    const ours = random(SESSION_NONCE_BYTES)
    await bytes.write(ours, options)
    const theirs = (await bytes.read({ ...options, bytes: SESSION_NONCE_BYTES })).subarray()
    const [role, other] = connection.direction === 'outbound' ? DIALLING : LISTENING
    const sending = directionKeys(p, networkKey, { role, senderNonce: ours, receiverNonce: theirs })
    const receiving = directionKeys(p, networkKey, { role: other, senderNonce: theirs, receiverNonce: ours })
    await bytes.write(sending.tag, options)
    const tag = (await bytes.read({ ...options, bytes: SESSION_TAG_BYTES })).subarray()
    if (!timingSafeEqual(tag, receiving.tag)) {
      throw new SalusError('PRIVATE_KEY_OTHER', 'The peer does not have this network’s key.')
    }
    return new ProtectedStream(bytes.unwrap(), sending, receiving)
  }
}

/** A connection whose bytes are enciphered on the way; who sent them, and whole, is for the encrypter above to see. */
class ProtectedStream extends AbstractMessageStream {
  readonly #inner: MessageStream
  readonly #encipher: (bytes: Uint8Array) => Uint8Array

  constructor(inner: MessageStream, sending: DirectionKeys, receiving: DirectionKeys) {
    const { log, inactivityTimeout, maxReadBufferLength, direction } = inner
    super({ log, inactivityTimeout, maxReadBufferLength, direction })
    this.#inner = inner
    const cipher = createCipheriv('aes-256-ctr', sending.key, sending.counter)
    const decipher = createDecipheriv('aes-256-ctr', receiving.key, receiving.counter)
    this.#encipher = bytes => cipher.update(bytes)
    inner.addEventListener('message', ({ data }) => {
      if (data instanceof Uint8Array) this.onData(decipher.update(data))
      else for (const part of data) this.onData(decipher.update(part))
    })
    inner.addEventListener('close', ({ error, local }) => {
      if (error == null) this.onTransportClosed()
      else if (local === true) this.abort(error)
      else this.onRemoteReset()
    })
    inner.addEventListener('drain', () => this.safeDispatchEvent('drain'))
    inner.addEventListener('remoteCloseWrite', () => {
      this.onRemoteCloseWrite()
    })
  }

  async close(options?: AbortOptions): Promise<void> {
    await this.#inner.close(options)
  }

  sendPause(): void {
    this.#inner.pause()
  }

  sendResume(): void {
    this.#inner.resume()
  }

  sendReset(error: Error): void {
    this.#inner.abort(error)
  }

  sendData(data: Iterable<Uint8Array> & { readonly byteLength: number }): SendResult {
    // Taken whole: what was enciphered once must not be enciphered again.
    const sentBytes = data.byteLength
    let canSendMore = true
    for (const part of data) canSendMore = this.#inner.send(this.#encipher(part))
    return { sentBytes, canSendMore }
  }
}
