/**
 * The sensor's end of a constrained link (docs/specs/sensor-link.md). No I/O and no clock: whoever runs it sends what it returns and
 * hands it what arrives.
 */
import type { Random } from '#core/crypto/primitives.ts'
import { concat, equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { createReceiver, createSender, eraseChain, openFrame, sealFrame } from '#core/link/chain.ts'
import type { Receiver, Sender } from '#core/link/chain.ts'
import { beginHandshake, readMessage, splitHandshake, writeMessage, type Handshake } from '#core/link/noise.ts'
import { decodePacket, echoOf, encodeHello, type Hello } from '#core/link/packet.ts'
import { encodeAttempt, PATTERN_OF, prologueOf } from '#core/link/prologue.ts'
import { KEY_BYTES, type LinkPrimitives } from '#core/link/primitives.ts'

const EPHEMERAL_INFO = utf8('salus/link/ephemeral/1')

/** What a sensor was provisioned with. */
export interface SensorCredential {
  readonly handle: Uint8Array
  readonly psk: Uint8Array
  readonly config: Uint8Array
  readonly suite: Hello['suite']
  /** Own static secret and the gateway's static public key, for suite 2. */
  readonly statics?: { readonly own: Uint8Array; readonly remote: Uint8Array }
}

/** What a datagram from the gateway came to. */
export type SensorOutcome =
  /** Send these bytes: the hello again, with the gateway's cookie. */
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  /** A session is open; its first frame should go out at once. */
  | { readonly type: 'open'; readonly hash: Uint8Array }
  | { readonly type: 'message'; readonly plaintext: Uint8Array }
  /** The gateway has no such session: say hello again. */
  | { readonly type: 'lost' }
  | { readonly type: 'refused' }

/** The sensor's end. */
export interface Initiator {
  /**
   * Begins a handshake; the session before it stays open until the new one is.
   *
   * @param attempt - greater than in any hello before, also before a reboot
   */
  hello(attempt: number): Uint8Array
  /** The hello of the handshake under way, to be sent again. */
  readonly pending: Uint8Array | undefined
  receive(bytes: Uint8Array, nowMs: number): SensorOutcome
  /** A frame. `undefined` without a session. @throws SalusError `LINK_EXHAUSTED` */
  seal(plaintext: Uint8Array, nowMs: number): Uint8Array | undefined
  /** When the session was opened; `undefined` without one. */
  readonly openSinceMs: number | undefined
}

/** Makes the sensor's end. */
export function createInitiator(
  { p, random }: { readonly p: LinkPrimitives; readonly random: Random },
  credential: SensorCredential
): Initiator {
  const { handle, psk, config, suite, statics } = credential
  let handshake: { readonly state: Handshake; hello: Hello; attempt: number; ephemeral: Uint8Array } | undefined
  let session: { readonly sender: Sender; readonly receiver: Receiver; readonly sinceMs: number } | undefined

  function begin(attempt: number, ephemeral: Uint8Array, cookie: Uint8Array): Uint8Array {
    const state = beginHandshake(p, {
      pattern: PATTERN_OF[suite],
      isInitiator: true,
      prologue: prologueOf(suite, handle, config),
      psk,
      ephemeral,
      ...(statics == null ? {} : { statics })
    })
    // The gateway's static key was checked when it was provisioned; a bad one gives a hello that nobody answers.
    const message = writeMessage(p, state, encodeAttempt(attempt)) ?? new Uint8Array(56)
    const hello: Hello = { type: 'hello', suite, handle, cookie, message }
    handshake = { state, hello, attempt, ephemeral }
    return encodeHello(hello)
  }

  function receiveResponse(echo: Uint8Array, message: Uint8Array, nowMs: number): SensorOutcome {
    if (handshake == null || !equalBytes(echo, echoOf(handshake.hello.message))) return { type: 'refused' }
    const { state, attempt, ephemeral, hello } = handshake
    const payload = readMessage(p, state, message)
    if (payload?.length !== 3) {
      // Reading has changed the state: a forged answer must not spoil the true one that may follow.
      begin(attempt, ephemeral, hello.cookie)
      return { type: 'refused' }
    }
    const { fromInitiator, fromResponder, hash } = splitHandshake(p, state)
    const [a = 0, b = 0, c = 0] = payload
    close()
    session = {
      sender: createSender(p, (a << 16) | (b << 8) | c, fromInitiator, nowMs),
      receiver: createReceiver(p, fromResponder),
      sinceMs: nowMs
    }
    ephemeral.fill(0)
    handshake = undefined
    return { type: 'open', hash }
  }

  function close(): void {
    if (session == null) return
    eraseChain(session.sender)
    eraseChain(session.receiver)
    session = undefined
  }

  return {
    get pending() {
      return handshake == null ? undefined : encodeHello(handshake.hello)
    },
    get openSinceMs() {
      return session?.sinceMs
    },
    hello(attempt) {
      // A controller may draw the same "random" bytes after every reset: the attempt's number never comes twice.
      const drawn = concat(random(KEY_BYTES), encodeAttempt(attempt))
      return begin(attempt, p.hkdfSha256(drawn, psk, EPHEMERAL_INFO, KEY_BYTES), new Uint8Array(16))
    },
    receive(bytes, nowMs) {
      const packet = decodePacket(bytes)
      switch (packet?.type) {
        case 'cookie': {
          if (handshake == null || !equalBytes(packet.echo, echoOf(handshake.hello.message))) return { type: 'refused' }
          handshake.hello = { ...handshake.hello, cookie: packet.cookie }
          return { type: 'send', bytes: encodeHello(handshake.hello) }
        }
        case 'response':
          return receiveResponse(packet.echo, packet.message, nowMs)
        case 'frame': {
          if (session == null || packet.kid !== session.sender.kid) return { type: 'refused' }
          const opened = openFrame(p, session.receiver, packet, bytes)
          return 'refused' in opened ? { type: 'refused' } : { type: 'message', plaintext: opened.plaintext }
        }
        case 'lost': {
          // Anyone can say so: it must repeat a header of this session, and costs no more than a handshake.
          const isOurs = session?.sender.kid === packet.kid && packet.sequence < session.sender.sequence
          return { type: isOurs ? 'lost' : 'refused' }
        }
        case 'hello':
        case undefined:
          return { type: 'refused' }
      }
    },
    seal: (plaintext, nowMs) => (session == null ? undefined : sealFrame(p, session.sender, plaintext, nowMs))
  }
}
