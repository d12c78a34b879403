/**
 * The gateway's end of constrained links: what to do with each datagram (docs/specs/sensor-link.md). No I/O and no clock: datagrams,
 * addresses and times come in, an outcome goes out.
 */
import type { Random } from '#core/crypto/primitives.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { createReceiver, createSender, eraseChain, openFrame, sealFrame } from '#core/link/chain.ts'
import type { FrameRefusal, Receiver, Sender } from '#core/link/chain.ts'
import { createCookieJar } from '#core/link/cookie.ts'
import { beginHandshake, readMessage, splitHandshake, writeMessage } from '#core/link/noise.ts'
import { decodePacket, echoOf, encodeCookie, encodeHeader, encodeResponse } from '#core/link/packet.ts'
import type { FrameHeader, Hello } from '#core/link/packet.ts'
import { decodeAttempt, PATTERN_OF, prologueOf } from '#core/link/prologue.ts'
import { KEY_BYTES, type LinkPrimitives } from '#core/link/primitives.ts'
import { createRateLimiter } from '#core/link/rate-limit.ts'

/** A session ends at this age, milliseconds: the sensor says hello again long before. */
export const SESSION_MS = 86_400_000

/** Hellos with a cookie that are looked at, per address. */
const HELLO_LIMIT = { perSecond: 2, burst: 20, maxNames: 4096 }
/** Handshakes that are computed, over all sensors: about a tenth of a core. */
const HANDSHAKE_LIMIT = { perSecond: 500, burst: 1000, maxNames: 1 }
/** `lost` answers, over all senders. */
const LOST_LIMIT = { perSecond: 200, burst: 200, maxNames: 1 }

/** What the gateway knows of one way in. A device has two of them while its key is being replaced. */
export interface LinkCredential {
  /** Name of the device at this gateway. */
  readonly device: string
  /** Names the sensor whatever its handle, and no other that bears the device's name later: its messages are counted by it. */
  readonly sensor: string
  readonly handle: Uint8Array
  readonly psk: Uint8Array
  /** Digest of what the sensor was provisioned with, 32 bytes. */
  readonly config: Uint8Array
  readonly suite: Hello['suite']
  /** Own static secret and the sensor's static public key, for suite 2. */
  readonly statics?: { readonly own: Uint8Array; readonly remote: Uint8Array }
  /** Highest attempt that became a session: none up to it is looked at again. */
  readonly attempt: number
}

/** An open session, or one that waits for its first frame. */
export interface LinkSession {
  readonly kid: number
  readonly credential: LinkCredential
  readonly attempt: number
  /** Hash of the handshake: what a confirmation on two screens is made of. */
  readonly hash: Uint8Array
  readonly sinceMs: number
  /** Where the newest frame came from. */
  from: string
  readonly sender: Sender
  readonly receiver: Receiver
  /** First message and answer, until the first frame: a repeated hello gets the same answer. */
  pending: { readonly message: Uint8Array; readonly response: Uint8Array } | undefined
}

/** What a datagram came to. */
export type Outcome =
  | { readonly type: 'reply'; readonly bytes: Uint8Array }
  | {
      readonly type: 'message'
      readonly session: LinkSession
      readonly plaintext: Uint8Array
      /** True for the first frame of a session: its attempt must be remembered. */
      readonly isFirst: boolean
    }
  | { readonly type: 'refused'; readonly why: Refusal; readonly reply?: Uint8Array }

/** Why nothing was done. */
export type Refusal =
  FrameRefusal | 'malformed' | 'too-many' | 'unknown-session' | 'not-authenticated' | 'old-attempt' | 'expired'

/** The gateway's end. Its memory is bounded by the number of credentials. */
export interface Responder {
  /** Decides on a datagram. @param from - address and port, as text */
  receive(bytes: Uint8Array, from: string, nowMs: number): Outcome
  /** A frame to a device's sensor; `undefined` if it has no session. */
  seal(
    device: string,
    plaintext: Uint8Array,
    nowMs: number
  ): { readonly bytes: Uint8Array; readonly to: string } | undefined
  /** Ends the sessions of a device that was revoked, or of one handle of it. */
  forget(device: string, handle?: Uint8Array): void
  /** Open sessions and those that wait for a first frame. */
  readonly sessions: number
}

/** What a responder needs. */
export interface ResponderComponents {
  readonly p: LinkPrimitives
  readonly random: Random
  /** The credential of a handle, if there is one that is not revoked. */
  readonly find: (handle: Uint8Array) => LinkCredential | undefined
}

/** Makes a responder. */
export function createResponder({ p, random, find }: ResponderComponents): Responder {
  const jar = createCookieJar(p, random)
  const hellos = createRateLimiter(HELLO_LIMIT)
  const handshakes = createRateLimiter(HANDSHAKE_LIMIT)
  const losses = createRateLimiter(LOST_LIMIT)
  const byKid = new Map<number, LinkSession>()
  const live = new Map<string, LinkSession>()
  const waiting = new Map<string, LinkSession>()
  // Strangers cost the same as sensors: an unknown handle is tried with keys that nobody has.
  const decoy = { psk: random(KEY_BYTES), config: random(KEY_BYTES) }

  function drop(sessions: Map<string, LinkSession>, key: string): void {
    const session = sessions.get(key)
    if (session == null) return
    sessions.delete(key)
    byKid.delete(session.kid)
    eraseChain(session.sender)
    eraseChain(session.receiver)
  }

  function freshKid(): number {
    for (;;) {
      const [a = 0, b = 0, c = 0] = random(3)
      const kid = (a << 16) | (b << 8) | c
      if (!byKid.has(kid)) return kid
    }
  }

  function receiveHello(hello: Hello, from: string, nowMs: number): Outcome {
    const echo = echoOf(hello.message)
    if (!jar.check(hello, from, nowMs))
      return { type: 'reply', bytes: encodeCookie(echo, jar.make(hello, from, nowMs)) }
    if (!hellos.take(hostOf(from), nowMs)) return refuse('too-many')
    const credential = find(hello.handle)
    const handle = toHex(hello.handle)
    const known = waiting.get(handle)
    // Sent again because the answer was lost: the same answer, no new state.
    if (credential != null && known?.pending != null && equalBytes(known.pending.message, hello.message)) {
      return { type: 'reply', bytes: known.pending.response }
    }
    const isSuite = credential?.suite === hello.suite
    const { psk, config } = isSuite ? credential : decoy
    const statics = isSuite ? credential.statics : undefined
    const handshake = beginHandshake(p, {
      pattern: credential == null || !isSuite ? 'NNpsk0' : PATTERN_OF[hello.suite],
      isInitiator: false,
      prologue: prologueOf(hello.suite, hello.handle, config),
      psk,
      ephemeral: random(KEY_BYTES),
      ...(statics == null ? {} : { statics })
    })
    const payload = readMessage(p, handshake, hello.message)
    const attempt = payload == null ? undefined : decodeAttempt(payload)
    if (attempt == null || credential == null) return refuse('not-authenticated')
    if (attempt <= credential.attempt || (known != null && attempt <= known.attempt)) return refuse('old-attempt')
    if (!handshakes.take('', nowMs)) return refuse('too-many')
    const kid = freshKid()
    const message = writeMessage(p, handshake, Uint8Array.of(kid >> 16, (kid >> 8) & 0xff, kid & 0xff))
    if (message == null) return refuse('not-authenticated')
    drop(waiting, handle)
    const { fromInitiator, fromResponder, hash } = splitHandshake(p, handshake)
    const response = encodeResponse(echo, message)
    const session: LinkSession = {
      kid,
      credential,
      attempt,
      hash,
      sinceMs: nowMs,
      from,
      sender: createSender(p, kid, fromResponder, nowMs),
      receiver: createReceiver(p, fromInitiator),
      pending: { message: hello.message, response }
    }
    waiting.set(handle, session)
    byKid.set(kid, session)
    return { type: 'reply', bytes: response }
  }

  function receiveFrame(header: FrameHeader, bytes: Uint8Array, from: string, nowMs: number): Outcome {
    const session = byKid.get(header.kid)
    if (session == null) {
      const reply = losses.take('', nowMs) ? { reply: encodeHeader('lost', header) } : {}
      return { ...refuse('unknown-session'), ...reply }
    }
    const isNewest = header.sequence > session.receiver.window.highest
    const opened = openFrame(p, session.receiver, header, bytes)
    if ('refused' in opened) return refuse(opened.refused)
    const { credential } = session
    if (nowMs - session.sinceMs > SESSION_MS) {
      drop(
        session.pending == null ? live : waiting,
        session.pending == null ? credential.device : toHex(credential.handle)
      )
      return { ...refuse('expired'), reply: encodeHeader('lost', header) }
    }
    const isFirst = session.pending != null
    if (isFirst) {
      // Only who has the keys can send a frame: now the session before it is over.
      session.pending = undefined
      waiting.delete(toHex(credential.handle))
      drop(live, credential.device)
      live.set(credential.device, session)
    }
    // The sensor may have moved; an old frame on a detour tells nothing.
    if (isNewest) session.from = from
    return { type: 'message', session, plaintext: opened.plaintext, isFirst }
  }

  return {
    get sessions() {
      return byKid.size
    },
    receive(bytes, from, nowMs) {
      const packet = decodePacket(bytes)
      if (packet?.type === 'hello') return receiveHello(packet, from, nowMs)
      if (packet?.type === 'frame') return receiveFrame(packet, bytes, from, nowMs)
      return refuse('malformed')
    },
    seal(device, plaintext, nowMs) {
      const session = live.get(device)
      return session == null ? undefined : { bytes: sealFrame(p, session.sender, plaintext, nowMs), to: session.from }
    },
    forget(device, handle) {
      const isMeant = ({ credential }: LinkSession): boolean =>
        credential.device === device && (handle == null || equalBytes(credential.handle, handle))
      for (const sessions of [live, waiting]) {
        for (const [key, session] of sessions) if (isMeant(session)) drop(sessions, key)
      }
    }
  }
}

function refuse(why: Refusal): { readonly type: 'refused'; readonly why: Refusal } {
  return { type: 'refused', why }
}

/** The address without its port: one host has one allowance. */
function hostOf(from: string): string {
  return from.slice(0, from.lastIndexOf('|'))
}
