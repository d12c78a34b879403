/**
 * The handshakes of a sensor link: the Noise Protocol Framework, revision 34, patterns NNpsk0 and KKpsk0 with 25519, ChaChaPoly and
 * SHA256. Section numbers are those of the framework.
 *
 * @see https://noiseprotocol.org/noise.html
 */
import { concat, utf8 } from '#core/encoding/bytes.ts'
import { KEY_BYTES, TAG_BYTES, type Aead, type LinkPrimitives } from '#core/link/primitives.ts'

/**
 * A pattern by name; `KKpsk0` is for sensors that have a static key of their own. `symmetric` is not of the framework: NNpsk0 without
 * Diffie-Hellman, its ephemeral keys mere random bytes, for controllers that cannot compute 25519.
 */
export type LinkPattern = 'NNpsk0' | 'KKpsk0' | 'symmetric'

type Token = 'psk' | 'e' | 'ee' | 'es' | 'se' | 'ss'

/** Section 7.5 and 9.4: what each of the two messages holds. */
const MESSAGES: Readonly<Record<LinkPattern, readonly (readonly Token[])[]>> = {
  NNpsk0: [
    ['psk', 'e'],
    ['e', 'ee']
  ],
  KKpsk0: [
    ['psk', 'e', 'es', 'ss'],
    ['e', 'ee', 'se']
  ],
  symmetric: [['psk', 'e'], ['e']]
}

const NAMES: Readonly<Record<LinkPattern, Uint8Array>> = {
  NNpsk0: utf8('Noise_NNpsk0_25519_ChaChaPoly_SHA256'),
  KKpsk0: utf8('Noise_KKpsk0_25519_ChaChaPoly_SHA256'),
  symmetric: utf8('Salus_symmetric_psk0_ChaChaPoly_SHA256')
}

const EMPTY = new Uint8Array()

/** What one side brings to a handshake. */
export interface HandshakeInit {
  readonly pattern: LinkPattern
  readonly isInitiator: boolean
  /** Bytes that both sides must agree on. */
  readonly prologue: Uint8Array
  /** Pre-shared key, 32 bytes. */
  readonly psk: Uint8Array
  /** Secret of this handshake alone, 32 bytes. */
  readonly ephemeral: Uint8Array
  /** Own static secret and the other side's static public key, where the pattern has them. */
  readonly statics?: { readonly own: Uint8Array; readonly remote: Uint8Array }
}

/** A handshake under way. It changes with each message; after a failure it must be thrown away. */
export interface Handshake {
  readonly init: HandshakeInit
  next: number
  /** Section 5.2: chaining key and hash. */
  chainKey: Uint8Array
  hash: Uint8Array
  cipher: Aead | undefined
  nonce: number
  remoteEphemeral: Uint8Array | undefined
}

/** What both sides have in the end. */
export interface HandshakeResult {
  /** Key for what the initiator sends, 32 bytes. */
  readonly fromInitiator: Uint8Array
  /** Key for what the responder sends, 32 bytes. */
  readonly fromResponder: Uint8Array
  /** The same on both sides, and of this handshake alone (section 11.2), 32 bytes. */
  readonly hash: Uint8Array
}

/** Begins a handshake (section 5.3, `Initialize`). */
export function beginHandshake(p: LinkPrimitives, init: HandshakeInit): Handshake {
  // Section 5.2: a name longer than the hash is hashed, and all of these are.
  const hash = p.sha256(NAMES[init.pattern])
  const state: Handshake = {
    init,
    next: 0,
    chainKey: hash,
    hash,
    cipher: undefined,
    nonce: 0,
    remoteEphemeral: undefined
  }
  mixHash(p, state, init.prologue)
  if (init.statics != null) {
    const own = p.x25519PublicKey(init.statics.own)
    mixHash(p, state, init.isInitiator ? own : init.statics.remote)
    mixHash(p, state, init.isInitiator ? init.statics.remote : own)
  }
  return state
}

/** The next message, with a payload that is as secret as the pattern makes it; `undefined` if the other side's key is of small order. */
export function writeMessage(p: LinkPrimitives, state: Handshake, payload: Uint8Array): Uint8Array | undefined {
  let head: Uint8Array = EMPTY
  for (const token of tokensOf(state)) {
    if (token === 'psk') mixKeyAndHash(p, state, state.init.psk)
    else if (token === 'e') {
      const { pattern, ephemeral } = state.init
      head = pattern === 'symmetric' ? ephemeral : p.x25519PublicKey(ephemeral)
      mixEphemeral(p, state, head)
    } else if (!mixShared(p, state, token)) return undefined
  }
  state.next++
  return concat(head, encryptAndHash(p, state, payload))
}

/** The payload of the other side's next message; `undefined` if the message was not made with the same keys. */
export function readMessage(p: LinkPrimitives, state: Handshake, message: Uint8Array): Uint8Array | undefined {
  if (message.length < KEY_BYTES + TAG_BYTES) return undefined
  for (const token of tokensOf(state)) {
    if (token === 'psk') mixKeyAndHash(p, state, state.init.psk)
    else if (token === 'e') {
      state.remoteEphemeral = message.slice(0, KEY_BYTES)
      mixEphemeral(p, state, state.remoteEphemeral)
    } else if (!mixShared(p, state, token)) return undefined
  }
  state.next++
  return decryptAndHash(p, state, message.subarray(KEY_BYTES))
}

/** The keys after the last message (section 5.2, `Split`). */
export function splitHandshake(p: LinkPrimitives, { chainKey, hash }: Handshake): HandshakeResult {
  const [fromInitiator, fromResponder] = derive(p, chainKey, EMPTY)
  return { fromInitiator, fromResponder, hash }
}

function tokensOf({ init, next }: Handshake): readonly Token[] {
  return MESSAGES[init.pattern][next] ?? []
}

/** Section 4.3, HKDF with three outputs. */
function derive(p: LinkPrimitives, key: Uint8Array, input: Uint8Array): [Uint8Array, Uint8Array, Uint8Array] {
  const temporary = p.hmacSha256(key, input)
  const first = p.hmacSha256(temporary, Uint8Array.of(1))
  const second = p.hmacSha256(temporary, concat(first, Uint8Array.of(2)))
  return [first, second, p.hmacSha256(temporary, concat(second, Uint8Array.of(3)))]
}

function mixHash(p: LinkPrimitives, state: Handshake, data: Uint8Array): void {
  state.hash = p.sha256(concat(state.hash, data))
}

function mixKey(p: LinkPrimitives, state: Handshake, input: Uint8Array): void {
  const [chainKey, key] = derive(p, state.chainKey, input)
  state.chainKey = chainKey
  state.cipher = p.aead(key)
  state.nonce = 0
}

function mixKeyAndHash(p: LinkPrimitives, state: Handshake, input: Uint8Array): void {
  const [chainKey, hashed, key] = derive(p, state.chainKey, input)
  state.chainKey = chainKey
  mixHash(p, state, hashed)
  state.cipher = p.aead(key)
  state.nonce = 0
}

/** Section 9.2: with a pre-shared key, an ephemeral public key goes into the chaining key as well. */
function mixEphemeral(p: LinkPrimitives, state: Handshake, publicKey: Uint8Array): void {
  mixHash(p, state, publicKey)
  mixKey(p, state, publicKey)
}

/** Mixes one Diffie-Hellman result in; the first letter of a token names the initiator's key, the second the responder's. */
function mixShared(p: LinkPrimitives, state: Handshake, token: 'ee' | 'es' | 'se' | 'ss'): boolean {
  const { isInitiator, ephemeral, statics } = state.init
  const [initiators, responders] = token
  const own = (isInitiator ? initiators : responders) === 'e' ? ephemeral : statics?.own
  const remote = (isInitiator ? responders : initiators) === 'e' ? state.remoteEphemeral : statics?.remote
  const shared = own == null || remote == null ? undefined : p.x25519(own, remote)
  if (shared == null) return false
  mixKey(p, state, shared)
  return true
}

function encryptAndHash(p: LinkPrimitives, state: Handshake, plaintext: Uint8Array): Uint8Array {
  const sealed = state.cipher?.seal(nonceBytes(state.nonce++), plaintext, state.hash) ?? plaintext
  mixHash(p, state, sealed)
  return sealed
}

function decryptAndHash(p: LinkPrimitives, state: Handshake, sealed: Uint8Array): Uint8Array | undefined {
  const plaintext = state.cipher?.open(nonceBytes(state.nonce++), sealed, state.hash)
  mixHash(p, state, sealed)
  return plaintext
}

/** Section 12.3: 32 zero bits, then the counter, little-endian. */
function nonceBytes(counter: number): Uint8Array {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setUint32(4, counter, true)
  return nonce
}
