/** Sensors over UDP: Noise handshakes and numbered frames (docs/specs/sensor-link.md, profile B). */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Clock, Random } from '#core/crypto/primitives.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { decodeMessage, encodeMessage, MAX_ACKNOWLEDGED, type LinkMessage } from '#core/link/message.ts'
import type { LinkPrimitives } from '#core/link/primitives.ts'
import { refusalCode } from '#core/link/refusal-code.ts'
import { createResponder, type LinkSession, type Outcome } from '#core/link/responder.ts'
import type { DeviceStore } from '#gateway/link/device-store.ts'
import type { Intake } from '#gateway/link/intake.ts'
import type { Log } from '#node/log.ts'

/** Bytes that the system may hold for the socket: a burst of some thousand frames. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
/** Frames that were opened and are not acknowledged. */
const MAX_HANDLING = 8192
/** Pause between two tellings of a new key. */
const ROTATE_MS = 1000

/** What the adapter needs. */
export interface UdpLinkComponents {
  readonly p: LinkPrimitives
  readonly random: Random
  readonly clock: Clock
  readonly log: Log
  readonly store: DeviceStore
  readonly intake: Intake
}

/** Where it listens. */
export interface UdpLinkInit {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Told when a session opens, with the hash that confirmation digits are made of. */
  readonly onSession?: (device: string, hash: Uint8Array) => void
}

/** Sensors over UDP. */
export interface UdpLink {
  start(): Promise<void>
  stop(): Promise<void>
  /** Port that is listened on. @throws Error before start */
  readonly port: number
  /** Ends the sessions of a device that was revoked. */
  forget(device: string): void
  /** Datagrams that led to nothing, by reason. */
  readonly refused: Readonly<Record<string, number>>
  readonly sessions: number
}

/** Makes the adapter. */
export function createUdpLink(components: UdpLinkComponents, init: UdpLinkInit): UdpLink {
  const { p, random, clock, log, store, intake } = components
  const responder = createResponder({ p, random, find: handle => store.find(handle) })
  const refused: Record<string, number> = {}
  /** Message numbers to acknowledge with the next frame to a device. */
  const taken = new Map<string, number[]>()
  const told = new Map<string, number>()
  /** Sessions whose attempt is being written, by kid. */
  const confirming = new Map<number, Promise<void>>()
  let handling = 0
  let socket: Socket | undefined
  let isFlushing = false

  function count(why: string): void {
    const code = refusalCode(why)
    refused[code] = (refused[code] ?? 0) + 1
  }

  function send(bytes: Uint8Array, to: string): void {
    const at = to.lastIndexOf('|')
    // What is lost on its way, also on this side, comes again.
    socket?.send(bytes, Number(to.slice(at + 1)), to.slice(0, at), error => {
      if (error != null) count('unsent')
    })
  }

  function tell(device: string, message: LinkMessage): void {
    const frame = responder.seal(device, encodeMessage(message), clock())
    if (frame != null) send(frame.bytes, frame.to)
  }

  function acknowledge(device: string, number: number): void {
    const numbers = taken.get(device)
    if (numbers == null) taken.set(device, [number])
    else numbers.push(number)
    if (isFlushing) return
    isFlushing = true
    // What one flush of the disk made durable is acknowledged together.
    setImmediate(() => {
      isFlushing = false
      for (const [to, all] of taken) {
        for (let i = 0; i < all.length; i += MAX_ACKNOWLEDGED) {
          tell(to, { kind: 'acknowledged', numbers: all.slice(i, i + MAX_ACKNOWLEDGED) })
        }
      }
      taken.clear()
    })
  }

  /** A sensor whose key is being replaced is told so until it uses the new one. */
  function tellNextKey({ credential }: LinkSession): void {
    const { device, handle } = credential
    const sensor = store.sensors.find(each => each.device === device)
    if (sensor?.next == null || toHex(sensor.next.handle) === toHex(handle)) return
    if (clock() - (told.get(device) ?? 0) < ROTATE_MS) return
    told.set(device, clock())
    tell(device, { kind: 'rotate', handle: sensor.next.handle, psk: sensor.next.psk })
  }

  async function confirm({ credential, attempt, hash }: LinkSession): Promise<void> {
    const ended = await store.confirm(credential.handle, attempt)
    if (ended != null) {
      responder.forget(credential.device, ended)
      intake.forget(toHex(ended))
    }
    init.onSession?.(credential.device, hash)
  }

  async function takeMessage(outcome: Extract<Outcome, { type: 'message' }>): Promise<void> {
    const { session, plaintext, isFirst } = outcome
    const { device, handle } = session.credential
    if (isFirst)
      confirming.set(
        session.kid,
        confirm(session).finally(() => confirming.delete(session.kid))
      )
    // On the disk before anything of the session counts: after a power cut its hello is old.
    await confirming.get(session.kid)
    const message = decodeMessage(plaintext)
    if (message.kind === 'readings') {
      if ((await intake.take(device, toHex(handle), message)) === 'taken') acknowledge(device, message.number)
      else count('early')
    }
    tellNextKey(session)
  }

  function receive(bytes: Uint8Array, from: string): void {
    // A frame that there is no room for is not even opened: the sensor sends it again.
    if (intake.waiting >= intake.capacity || handling >= MAX_HANDLING) {
      count('busy')
      return
    }
    const outcome = responder.receive(bytes, from, clock())
    if (outcome.type === 'reply') send(outcome.bytes, from)
    else if (outcome.type === 'refused') {
      count(outcome.why)
      if (outcome.reply != null) send(outcome.reply, from)
    } else {
      handling++
      takeMessage(outcome)
        .catch((error: unknown) => {
          count(isSalusError(error) ? error.code : 'failed')
          if (!isSalusError(error)) log.error({ err: error }, 'a message of a sensor could not be taken')
        })
        .finally(() => handling--)
    }
  }

  return {
    refused,
    get sessions() {
      return responder.sessions
    },
    get port() {
      if (socket == null) throw new Error('The adapter was not started.')
      return socket.address().port
    },
    async start() {
      const made = createSocket({
        type: init.host.includes(':') ? 'udp6' : 'udp4',
        recvBufferSize: RECEIVE_BUFFER_BYTES
      })
      made.on('message', (bytes, { address, port }) => receive(bytes, `${address}|${String(port)}`))
      made.bind(init.port, init.host)
      await once(made, 'listening')
      made.on('error', (error: Error) => log.error({ err: error }, 'the socket of the sensors failed'))
      socket = made
    },
    async stop() {
      const ended = socket
      socket = undefined
      if (ended == null) return
      await new Promise<void>(resolve => ended.close(() => resolve()))
    },
    forget: device => responder.forget(device)
  }
}
