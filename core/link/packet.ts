/** The datagrams of a sensor link, byte for byte (docs/specs/sensor-link.md). */
import { concat } from '#core/encoding/bytes.ts'

/** High half of the first byte: the version of the link. */
const VERSION = 1

/** Low half of the first byte. */
const TYPES = { hello: 1, cookie: 2, response: 3, frame: 4, lost: 5 } as const

type PacketType = keyof typeof TYPES

const HANDLE_BYTES = 16
const COOKIE_BYTES = 16
const ECHO_BYTES = 8
/** Version and type, kid, epoch, sequence. */
export const HEADER_BYTES = 12

/** Largest datagram either side sends or reads: it fits an IPv6 link of 1,280 bytes. */
export const MAX_PACKET_BYTES = 1200

const NOISE_HEAD_BYTES = 48
const HELLO_BYTES = 2 + HANDLE_BYTES + COOKIE_BYTES + NOISE_HEAD_BYTES + 8
const RESPONSE_BYTES = 1 + ECHO_BYTES + NOISE_HEAD_BYTES + 3
const TAG = 16

/** How the keys are agreed on: the byte behind a hello's type. */
export type Suite = 1 | 2 | 3

/** First message of a handshake, by the sensor. */
export interface Hello {
  readonly type: 'hello'
  readonly suite: Suite
  readonly handle: Uint8Array
  /** All zero until the gateway has handed one out. */
  readonly cookie: Uint8Array
  /** First message of the handshake proper, 56 bytes. */
  readonly message: Uint8Array
}

/** Names one frame: which session, which key, which number. */
export interface FrameHeader {
  /** The session, as the gateway numbers them: 24 bits. */
  readonly kid: number
  /** How often the key was replaced: 16 bits. */
  readonly epoch: number
  /** 48 bits, never used twice in a session. */
  readonly sequence: number
}

/** A datagram. */
export type Packet =
  | Hello
  | { readonly type: 'cookie'; readonly echo: Uint8Array; readonly cookie: Uint8Array }
  | { readonly type: 'response'; readonly echo: Uint8Array; readonly message: Uint8Array }
  | ({ readonly type: 'frame' } & FrameHeader)
  | ({ readonly type: 'lost' } & FrameHeader)

/** The first bytes of a hello's message, which the answers repeat. */
export function echoOf(message: Uint8Array): Uint8Array {
  return message.slice(0, ECHO_BYTES)
}

/** A hello as it is sent. */
export function encodeHello({ suite, handle, cookie, message }: Omit<Hello, 'type'>): Uint8Array {
  return concat(Uint8Array.of(first('hello'), suite), handle, cookie, message)
}

/** What asks a stranger to say hello again, with a cookie. */
export function encodeCookie(echo: Uint8Array, cookie: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(first('cookie')), echo, cookie)
}

/** The gateway's half of the handshake. */
export function encodeResponse(echo: Uint8Array, message: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(first('response')), echo, message)
}

/** The header of a frame, which is authenticated with it; of `lost`, which is not. */
export function encodeHeader(type: 'frame' | 'lost', { kid, epoch, sequence }: FrameHeader): Uint8Array {
  const out = new Uint8Array(HEADER_BYTES)
  const view = new DataView(out.buffer)
  view.setUint32(0, first(type) * 2 ** 24 + kid)
  view.setUint16(4, epoch)
  view.setUint16(6, Math.floor(sequence / 2 ** 32))
  view.setUint32(8, sequence % 2 ** 32)
  return out
}

/** Reads a datagram; `undefined` for anything that is none. Never throws. */
export function decodePacket(bytes: Uint8Array): Packet | undefined {
  if (bytes.length > MAX_PACKET_BYTES) return undefined
  switch (bytes[0]) {
    case first('hello'):
      return decodeHello(bytes)
    case first('cookie'):
      if (bytes.length !== 1 + ECHO_BYTES + COOKIE_BYTES) return undefined
      return { type: 'cookie', echo: bytes.slice(1, 1 + ECHO_BYTES), cookie: bytes.slice(1 + ECHO_BYTES) }
    case first('response'):
      if (bytes.length !== RESPONSE_BYTES) return undefined
      return { type: 'response', echo: bytes.slice(1, 1 + ECHO_BYTES), message: bytes.slice(1 + ECHO_BYTES) }
    case first('frame'):
      return bytes.length < HEADER_BYTES + TAG ? undefined : { type: 'frame', ...decodeHeader(bytes) }
    case first('lost'):
      return bytes.length === HEADER_BYTES ? { type: 'lost', ...decodeHeader(bytes) } : undefined
    case undefined:
    default:
      return undefined
  }
}

function decodeHello(bytes: Uint8Array): Hello | undefined {
  const suite = bytes[1]
  if (bytes.length !== HELLO_BYTES || (suite !== 1 && suite !== 2 && suite !== 3)) return undefined
  const cookieAt = 2 + HANDLE_BYTES
  const messageAt = cookieAt + COOKIE_BYTES
  return {
    type: 'hello',
    suite,
    handle: bytes.slice(2, cookieAt),
    cookie: bytes.slice(cookieAt, messageAt),
    message: bytes.slice(messageAt)
  }
}

function decodeHeader(bytes: Uint8Array): FrameHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  return {
    kid: view.getUint32(0) % 2 ** 24,
    epoch: view.getUint16(4),
    sequence: view.getUint16(6) * 2 ** 32 + view.getUint32(8)
  }
}

function first(type: PacketType): number {
  return VERSION * 16 + TYPES[type]
}
