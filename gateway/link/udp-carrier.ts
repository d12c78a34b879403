/** A sensor's side of the link over UDP (docs/specs/sensor-link.md, profile B). */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Clock, Random } from '#core/crypto/primitives.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { createInitiator, type Initiator } from '#core/link/initiator.ts'
import { MAX_FRAME_MESSAGE_BYTES } from '#core/link/message.ts'
import type { LinkPrimitives } from '#core/link/primitives.ts'
import { credentialOf, writeSensorFile, type SensorFile } from '#gateway/link/credential-file.ts'
import type { Counters } from '#gateway/link/marks-file.ts'
import type { Carrier } from '#gateway/link/sensor.ts'

/** A new session long before the gateway ends the old one, milliseconds. */
const RENEW_MS = 12 * 3_600_000
/** How long nothing may come back to what was sent before a new hello; milliseconds. */
const SILENCE_MS = 5000
const FIRST_RETRY_MS = 500
/** Many frames may come back as lost at once: one hello answers them all. */
const BETWEEN_HELLOS_MS = 250
const LONGEST_RETRY_MS = 15_000

/** What the carrier needs. */
export interface UdpCarrierComponents {
  readonly p: LinkPrimitives
  readonly random: Random
  readonly clock: Clock
  readonly counters: Counters
}

/** Where the gateway is, and what the sensor was given. */
export interface UdpCarrierInit {
  readonly host: string
  readonly port: number
  /** File of {@link SensorFile}. */
  readonly path: string
  readonly file: SensorFile
  /** Told with the hash of each handshake, for the confirmation digits. */
  readonly onSession?: (hash: Uint8Array) => void
}

/** Makes the carrier. */
export function createUdpCarrier(components: UdpCarrierComponents, init: UdpCarrierInit): Carrier {
  const { p, clock, counters } = components
  let { file } = init
  let socket: Socket | undefined
  let current: Initiator = createInitiator(components, credentialOf(p, file))
  /** The end that uses an announced key, until it has a session. */
  let next = nextEnd()
  let timer: NodeJS.Timeout | undefined
  let retryMs = FIRST_RETRY_MS
  let sentSinceMs: number | undefined
  let isGreeting = false
  let greetedMs = -Infinity
  let onOpen: () => void = () => undefined
  let onMessage: (bytes: Uint8Array) => void = () => undefined

  function nextEnd(): Initiator | undefined {
    return file.next == null
      ? undefined
      : createInitiator(components, credentialOf(p, { ...file, card: { ...file.card, ...file.next } }))
  }

  function transmit(bytes: Uint8Array): void {
    // Nobody there is as good as lost on its way.
    socket?.send(bytes, () => undefined)
  }

  /** Says hello, by the announced key if there is one and by the old one in turn: the gateway may know only one of them. */
  async function greet(): Promise<void> {
    if (isGreeting || clock() - greetedMs < BETWEEN_HELLOS_MS) return
    isGreeting = true
    greetedMs = clock()
    try {
      const attempt = await counters.nextAttempt()
      const end = next != null && attempt % 2 === 0 ? next : current
      transmit(end.hello(attempt))
    } finally {
      isGreeting = false
    }
  }

  function tick(): void {
    const nowMs = clock()
    const isSilent = sentSinceMs != null && nowMs - sentSinceMs > SILENCE_MS
    const isOld = current.openSinceMs != null && nowMs - current.openSinceMs > RENEW_MS
    if (current.openSinceMs == null || isSilent || isOld || next != null) {
      retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS)
      // The counters cannot be written: without a number nothing may be sent, and the next tick tries again.
      greet().catch(() => undefined)
    } else retryMs = FIRST_RETRY_MS
    schedule()
  }

  function schedule(): void {
    clearTimeout(timer)
    if (socket != null) timer = setTimeout(tick, retryMs)
  }

  function sealOrRenew(bytes: Uint8Array): Uint8Array | undefined {
    try {
      return current.seal(bytes, clock())
    } catch (error) {
      if (!isSalusError(error, 'LINK_EXHAUSTED')) throw error
      greet().catch(() => undefined)
      return undefined
    }
  }

  function opened(end: Initiator, hash: Uint8Array): void {
    if (end === next && file.next != null) {
      current = end
      next = undefined
      file = { ...file, card: { ...file.card, ...file.next }, next: null }
      // Should this write be lost, the old key is refused after a restart and the announced one, still in the file, is tried.
      writeSensorFile(init.path, file).catch(() => undefined)
    }
    sentSinceMs = undefined
    retryMs = FIRST_RETRY_MS
    init.onSession?.(hash)
    onOpen()
    schedule()
  }

  function receive(bytes: Uint8Array): void {
    for (const end of next == null ? [current] : [next, current]) {
      const outcome = end.receive(bytes, clock())
      if (outcome.type === 'refused') continue
      if (outcome.type === 'send') transmit(outcome.bytes)
      else if (outcome.type === 'open') opened(end, outcome.hash)
      else if (outcome.type === 'lost') greet().catch(() => undefined)
      else {
        sentSinceMs = undefined
        onMessage(outcome.plaintext)
      }
      return
    }
  }

  return {
    maxMessageBytes: MAX_FRAME_MESSAGE_BYTES,
    get isOpen() {
      return current.openSinceMs != null
    },
    async start(events) {
      ;({ onOpen, onMessage } = events)
      const made = createSocket(init.host.includes(':') ? 'udp6' : 'udp4')
      made.on('message', receive)
      // A port that nobody listens on is reported here: the next hello tries again.
      made.on('error', () => undefined)
      made.connect(init.port, init.host)
      await once(made, 'connect')
      socket = made
      await greet()
      schedule()
    },
    async stop() {
      clearTimeout(timer)
      const ended = socket
      socket = undefined
      if (ended != null) await new Promise<void>(resolve => ended.close(() => resolve()))
    },
    send(bytes) {
      const frame = sealOrRenew(bytes)
      if (frame == null) return
      sentSinceMs ??= clock()
      transmit(frame)
    },
    async replaceKey(handle, psk) {
      if (file.next != null && equalBytes(file.next.handle, handle)) return
      if (equalBytes(file.card.handle, handle)) return
      file = { ...file, next: { handle, psk } }
      await writeSensorFile(init.path, file)
      next = nextEnd()
      retryMs = FIRST_RETRY_MS
      schedule()
    }
  }
}
