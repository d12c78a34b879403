/**
 * The keys of one direction of a session, replaced again and again, and the frames under them (docs/specs/sensor-link.md). What was
 * replaced is overwritten: whoever takes a device later cannot open what it sent before.
 */
import { concat, utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { encodeHeader, HEADER_BYTES, type FrameHeader } from '#core/link/packet.ts'
import { KEY_BYTES, type Aead, type LinkPrimitives } from '#core/link/primitives.ts'
import { createWindow, lookUp, markSeen, type ReplayWindow } from '#core/link/window.ts'

const INFO = utf8('salus/link/epoch/1')
const EMPTY = new Uint8Array()
const IV_BYTES = 12
const MAX_EPOCH = 0xffff
const MAX_SEQUENCE: number = 2 ** 48 - 1
/** Epochs ahead that are tried: a sender that lost all frames of more than one says hello again. */
const MAX_AHEAD = 2

/** Frames under one key. */
export const FRAMES_PER_EPOCH = 65_536

/** Age of a key at which the sender replaces it, milliseconds. */
export const EPOCH_MS = 3_600_000

interface Epoch {
  readonly epoch: number
  /** From which the next epoch follows; overwritten once it has. */
  readonly chainKey: Uint8Array
  readonly aead: Aead
  readonly iv: Uint8Array
}

/** The sending end of a direction. */
export interface Sender {
  readonly kid: number
  current: Epoch
  /** Number of the next frame. */
  sequence: number
  framesInEpoch: number
  epochSinceMs: number
}

/** The receiving end of a direction. */
export interface Receiver {
  current: Epoch
  readonly window: ReplayWindow
}

/** What became of a frame. */
export type Opened = { readonly plaintext: Uint8Array } | { readonly refused: FrameRefusal }

/** Why a frame was not taken: seen before, too old to know, under an erased key, under one too far ahead, or not by the peer. */
export type FrameRefusal = 'replayed' | 'stale' | 'old-epoch' | 'far-epoch' | 'forged'

/** @param key - of the direction, 32 bytes, from the handshake; overwritten */
export function createSender(p: LinkPrimitives, kid: number, key: Uint8Array, nowMs: number): Sender {
  return { kid, current: epochOf(p, 0, key), sequence: 0, framesInEpoch: 0, epochSinceMs: nowMs }
}

/** @param key - of the direction, 32 bytes, from the handshake; overwritten */
export function createReceiver(p: LinkPrimitives, key: Uint8Array): Receiver {
  return { current: epochOf(p, 0, key), window: createWindow() }
}

/**
 * The next frame.
 *
 * @throws SalusError `LINK_EXHAUSTED` after 65,536 keys: the sensor must say hello again
 */
export function sealFrame(p: LinkPrimitives, sender: Sender, plaintext: Uint8Array, nowMs: number): Uint8Array {
  if (sender.framesInEpoch >= FRAMES_PER_EPOCH || nowMs - sender.epochSinceMs >= EPOCH_MS) {
    if (sender.current.epoch >= MAX_EPOCH) throw exhausted()
    sender.current = nextEpoch(p, sender.current)
    sender.framesInEpoch = 0
    sender.epochSinceMs = nowMs
  }
  if (sender.sequence > MAX_SEQUENCE) throw exhausted()
  const { current, kid } = sender
  const sequence = sender.sequence++
  sender.framesInEpoch++
  const header = encodeHeader('frame', { kid, epoch: current.epoch, sequence })
  return concat(header, current.aead.seal(nonceOf(current.iv, sequence), plaintext, header))
}

/** Opens a frame whose header was read from its first bytes; what was opened once is not opened again. */
export function openFrame(p: LinkPrimitives, receiver: Receiver, header: FrameHeader, frame: Uint8Array): Opened {
  const { epoch, sequence } = header
  const found = lookUp(receiver.window, sequence)
  if (found !== 'fresh') return { refused: found === 'seen' ? 'replayed' : 'stale' }
  const ahead = epoch - receiver.current.epoch
  if (ahead < 0) return { refused: 'old-epoch' }
  if (ahead > MAX_AHEAD) return { refused: 'far-epoch' }
  let candidate = receiver.current
  // The chain key in use must outlive a frame that claims a later epoch and turns out forged.
  for (let i = 0; i < ahead; i++) candidate = epochOf(p, candidate.epoch + 1, candidate.chainKey.slice())
  const nonce = nonceOf(candidate.iv, sequence)
  const plaintext = candidate.aead.open(nonce, frame.subarray(HEADER_BYTES), frame.subarray(0, HEADER_BYTES))
  if (plaintext == null) return { refused: 'forged' }
  if (ahead > 0) {
    receiver.current.chainKey.fill(0)
    receiver.current = candidate
  }
  markSeen(receiver.window, sequence)
  return { plaintext }
}

/** Overwrites what a direction's later keys would follow from. */
export function eraseChain({ current }: Sender | Receiver): void {
  current.chainKey.fill(0)
  current.iv.fill(0)
}

/** Key, nonce base and next chain key of an epoch; the chain key that they follow from is overwritten. */
function epochOf(p: LinkPrimitives, epoch: number, chainKey: Uint8Array): Epoch {
  const bytes = p.hkdfSha256(chainKey, EMPTY, INFO, 2 * KEY_BYTES + IV_BYTES)
  chainKey.fill(0)
  const aead = p.aead(bytes.subarray(KEY_BYTES, 2 * KEY_BYTES))
  const made = { epoch, chainKey: bytes.slice(0, KEY_BYTES), aead, iv: bytes.slice(2 * KEY_BYTES) }
  bytes.fill(0)
  return made
}

function nextEpoch(p: LinkPrimitives, { epoch, chainKey, iv }: Epoch): Epoch {
  iv.fill(0)
  return epochOf(p, epoch + 1, chainKey)
}

/** The nonce base, its last 48 bits crossed with the sequence number (as RFC 8446 section 5.3). */
function nonceOf(iv: Uint8Array, sequence: number): Uint8Array {
  const nonce = iv.slice()
  const view = new DataView(nonce.buffer)
  view.setUint16(6, view.getUint16(6) ^ Math.floor(sequence / 2 ** 32))
  view.setUint32(8, (view.getUint32(8) ^ (sequence % 2 ** 32)) >>> 0)
  return nonce
}

function exhausted(): SalusError {
  return new SalusError('LINK_EXHAUSTED', 'The keys of this session are used up; say hello again.')
}
