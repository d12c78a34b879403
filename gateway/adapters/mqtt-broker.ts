/** Sensors over MQTT 3.1.1 and TLS 1.3 with pre-shared keys, at a broker inside the gateway (docs/specs/sensor-link.md, profile A). */
import { once } from 'node:events'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { Aedes, type AedesOptions, type Client } from 'aedes'
import type { Clock } from '#core/crypto/primitives.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { decodeMessage, encodeMessage, MAX_MESSAGE_BYTES } from '#core/link/message.ts'
import { createRateLimiter } from '#core/link/rate-limit.ts'
import { refusalCode } from '#core/link/refusal-code.ts'
import { connectRefusal, downTopic, identityOf, publishRefusal, subscribeRefusal } from '#core/link/topic.ts'
import type { DeviceStore } from '#gateway/link/device-store.ts'
import { guardStream } from '#gateway/link/guarded-stream.ts'
import type { Intake } from '#gateway/link/intake.ts'
import { pskServer } from '#gateway/link/tls-psk.ts'
import type { Log } from '#node/log.ts'

const MAX_CONNECTIONS = 1024
const CONNECT_MS = 10_000
const LONGEST_KEEPALIVE_S = 600
/** A message, its topic and its head. */
const MAX_PACKET_BYTES: number = MAX_MESSAGE_BYTES + 256
/** Attempts of one identity from one address, and of one address whatever identity it names. */
const IDENTITY_LIMIT = { perSecond: 0.5, burst: 10, maxNames: 4096 }
const ADDRESS_LIMIT = { perSecond: 20, burst: 200, maxNames: 4096 }

/** What the broker needs. */
export interface MqttBrokerComponents {
  readonly clock: Clock
  readonly log: Log
  readonly store: DeviceStore
  readonly intake: Intake
}

/** Where it listens. */
export interface MqttBrokerInit {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
}

/** A broker for sensors only. */
export interface MqttBroker {
  start(): Promise<void>
  stop(): Promise<void>
  /** Port that is listened on. @throws Error before start */
  readonly port: number
  /** Ends the connections of a device that was revoked. */
  forget(device: string): void
  /** What was turned away, by reason. */
  readonly refused: Readonly<Record<string, number>>
  readonly connections: number
}

interface Connected {
  readonly device: string
  readonly handle: Uint8Array
  readonly identity: string
  client?: Client
}

/** Makes the broker. */
export function createMqttBroker(
  { clock, log, store, intake }: MqttBrokerComponents,
  init: MqttBrokerInit
): MqttBroker {
  const refused: Record<string, number> = {}
  const sockets = new Map<TLSSocket, Connected>()
  const byStream = new WeakMap<object, Connected>()
  const identities = createRateLimiter(IDENTITY_LIMIT)
  const addresses = createRateLimiter(ADDRESS_LIMIT)
  let server: Server | undefined
  let broker: Aedes | undefined

  function count(why: string): void {
    const code = refusalCode(why)
    refused[code] = (refused[code] ?? 0) + 1
  }

  const psk = pskServer({
    find: handle => store.find(handle)?.psk,
    mayTry(identity, address) {
      const nowMs = clock()
      // Per address too: who overhears an identity must not be able to use up its owner's attempts from elsewhere.
      const isAllowed = addresses.take(address, nowMs) && identities.take(`${identity}|${address}`, nowMs)
      if (!isAllowed) count('too-many')
      return isAllowed
    }
  })

  function refuse(why: string): Error {
    count(why)
    return new Error(why)
  }

  const who = (client: Client | null): Connected | undefined => (client == null ? undefined : byStream.get(client.conn))

  async function publish(connected: Connected, payload: Uint8Array): Promise<void> {
    const message = decodeMessage(payload)
    if (message.kind === 'rotated') return
    if (message.kind !== 'readings') throw new SalusError('LINK_MESSAGE_SHAPE', 'Refused: sensors do not send this.')
    await intake.takeInTurn(connected.device, connected.identity, message)
    tellNextKey(connected)
  }

  function tellNextKey({ device, identity }: Connected): void {
    const next = store.sensors.find(each => each.device === device)?.next
    if (next == null || identityOf(next.handle) === identity) return
    const payload = encodeMessage({ kind: 'rotate', handle: next.handle, psk: next.psk })
    const topic = downTopic(identity)
    const packet = { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain: false, dup: false } as const
    broker?.publish(packet, () => undefined)
  }

  async function welcome(connected: Connected, client: Client): Promise<void> {
    const { device, handle } = connected
    const credential = store.find(handle)
    if (credential == null) throw refuse('revoked')
    // One connection per device: the new one takes over, also where the key was replaced.
    for (const other of sockets.values()) if (other.device === device && other !== connected) other.client?.close()
    connected.client = client
    const isNext = store.sensors.some(({ next }) => next != null && identityOf(next.handle) === connected.identity)
    if (!isNext) return
    const ended = await store.confirm(handle, credential.attempt)
    if (ended != null) intake.forget(identityOf(ended))
  }

  const options: AedesOptions = {
    connectTimeout: CONNECT_MS,
    keepaliveLimit: LONGEST_KEEPALIVE_S,
    maxTopicLevels: 4,
    maxInflightInbound: 1,
    preConnect(client, packet, done) {
      const connected = who(client)
      const { clientId, clean, will } = packet
      const connecting = { clientId, clean: clean === true, hasWill: will != null }
      const why = connected == null ? 'not-authenticated' : connectRefusal(connecting, connected.identity)
      done(why == null ? null : refuse(why), why == null)
    },
    authenticate(client, _user, _password, done) {
      const connected = who(client)
      if (connected == null) {
        done(null, false)
        return
      }
      welcome(connected, client).then(
        () => done(null, true),
        () => done(null, false)
      )
    },
    authorizePublish(client, packet, done) {
      const connected = who(client)
      const { topic, qos, retain } = packet
      const payload = Buffer.from(packet.payload)
      const publishing = { topic, qos, retain, bytes: payload.length }
      const why = connected == null ? 'not-authenticated' : publishRefusal(publishing, connected.identity)
      if (connected == null || why != null) {
        done(refuse(why ?? ''))
        return
      }
      // The broker acknowledges only after this is done: then the reading is on the disk.
      publish(connected, payload).then(
        () => done(null),
        (error: unknown) => {
          if (!isSalusError(error)) log.error({ err: error }, 'a message of a sensor could not be taken')
          done(refuse(isSalusError(error) ? error.code : 'failed'))
        }
      )
    },
    authorizeSubscribe(client, subscription, done) {
      const connected = who(client)
      const why = connected == null ? 'not-authenticated' : subscribeRefusal(subscription.topic, connected.identity)
      if (why != null) count(why)
      // MQTT 3.1.1 section 3.9.3: a failure code for this one; the connection goes on.
      done(null, why == null ? subscription : null)
    },
    /** Readings go to the intake and nowhere else; what the gateway itself says goes to the one it is for. */
    authorizeForward(client, packet) {
      const connected = who(client)
      return connected != null && packet.topic === downTopic(connected.identity) ? packet : null
    }
  }

  function connect(socket: TLSSocket): void {
    const handle = psk.handleOf(socket)
    const credential = handle == null ? undefined : store.find(handle)
    if (handle == null || credential == null || broker == null) {
      // A resumed session names no key, and a key may have been revoked meanwhile.
      count('not-authenticated')
      socket.destroy()
      return
    }
    const connected: Connected = { device: credential.device, handle, identity: identityOf(handle) }
    sockets.set(socket, connected)
    // Acknowledgements are short: the system would hold them back for more (RFC 896).
    socket.setNoDelay(true)
    socket.once('close', () => sockets.delete(socket))
    const guarded = guardStream(socket, MAX_PACKET_BYTES, () => count('too-large'))
    byStream.set(guarded, connected)
    broker.handle(guarded)
  }

  return {
    refused,
    get connections() {
      return sockets.size
    },
    get port() {
      const address = server?.address()
      if (address == null || typeof address === 'string') throw new Error('The broker was not started.')
      return address.port
    },
    async start() {
      const made = await Aedes.createBroker(options)
      made.on('clientError', (_client, error) => log.debug({ reason: error.message }, 'a sensor was turned away'))
      made.on('connectionError', (_client, error) => log.debug({ reason: error.message }, 'a sensor was turned away'))
      broker = made
      const listening = createServer(psk.options, connect)
      listening.maxConnections = MAX_CONNECTIONS
      listening.on('tlsClientError', () => count('handshake'))
      listening.listen(init.port, init.host)
      await once(listening, 'listening')
      server = listening
    },
    async stop() {
      const [ended, closing] = [server, broker]
      server = broker = undefined
      if (ended == null || closing == null) return
      const closed = new Promise<void>(resolve => ended.close(() => resolve()))
      for (const socket of sockets.keys()) socket.destroy()
      await new Promise<void>(resolve => closing.close(() => resolve()))
      await closed
    },
    forget(device) {
      for (const [socket, each] of sockets) if (each.device === device) socket.destroy()
    }
  }
}
