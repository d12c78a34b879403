/** Sensors of a Mosquitto, or another MQTT 3.1.1 broker, that stands beside the gateway (docs/specs/mqtt-topics.md). */
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { isSalusError } from '#core/error.ts'
import { decodeMessage, encodeMessage, type LinkMessage } from '#core/link/message.ts'
import { ALL_UP, downTopic, handleOf, identityOf, senderOf } from '#core/link/topic.ts'
import type { SensorAccess } from '#core/link/sensors.ts'
import type { DeviceStore } from '#gateway/link/device-store.ts'
import type { Intake } from '#gateway/link/intake.ts'
import { pskClient } from '#gateway/link/tls-psk.ts'
import type { Log } from '#node/log.ts'

const RECONNECT_MS = 1000

/** What the adapter needs. */
export interface MosquittoComponents {
  readonly log: Log
  readonly store: DeviceStore
  readonly intake: Intake
}

/** Where the broker is, and as whom the gateway comes. */
export interface MosquittoInit {
  readonly host: string
  readonly port: number
  /** The gateway's own identity at the broker, whose name `mosquittoAclFile` was given. */
  readonly access: Pick<SensorAccess, 'handle' | 'psk'>
}

/** Sensors of a broker. */
export interface MosquittoLink {
  start(): Promise<void>
  stop(): Promise<void>
  readonly refused: Readonly<Record<string, number>>
  readonly isConnected: boolean
}

/** Makes the adapter. */
export function createMosquittoLink({ log, store, intake }: MosquittoComponents, init: MosquittoInit): MosquittoLink {
  const refused: Record<string, number> = {}
  let client: MqttClient | undefined

  async function take(topic: string, payload: Uint8Array): Promise<void> {
    const identity = senderOf(topic)
    const handle = identity == null ? undefined : handleOf(identity)
    const credential = handle == null ? undefined : store.find(handle)
    if (identity == null || handle == null || credential == null) {
      count('LINK_FOREIGN_TOPIC')
      return
    }
    const { device, attempt } = credential
    if (store.sensors.some(({ next }) => next != null && identityOf(next.handle) === identity)) {
      const ended = await store.confirm(handle, attempt)
      if (ended != null) intake.forget(identityOf(ended))
    }
    const message = decodeMessage(payload)
    if (message.kind === 'readings') await intake.takeInTurn(device, identity, message)
    tellNextKey(device, identity)
  }

  function tellNextKey(device: string, identity: string): void {
    const next = store.sensors.find(each => each.device === device)?.next
    if (next == null || identityOf(next.handle) === identity) return
    const message: LinkMessage = { kind: 'rotate', handle: next.handle, psk: next.psk }
    client?.publish(downTopic(identity), Buffer.from(encodeMessage(message)), { qos: 1 }, () => undefined)
  }

  const count = (why: string): void => void (refused[why] = (refused[why] ?? 0) + 1)

  return {
    refused,
    get isConnected() {
      return client?.connected === true
    },
    start() {
      const options: IClientOptions & ReturnType<typeof pskClient> = {
        protocol: 'mqtts',
        host: init.host,
        port: init.port,
        clientId: identityOf(init.access.handle),
        protocolVersion: 4,
        // The broker keeps what comes while the gateway is away.
        clean: false,
        reconnectPeriod: RECONNECT_MS,
        ...pskClient(init.access)
      }
      const made = mqtt.connect(options)
      // The broker gets its acknowledgement after this calls back: then the reading is on the disk.
      made.handleMessage = (packet, done) => {
        take(packet.topic, Buffer.from(packet.payload)).then(
          () => done(),
          (error: unknown) => {
            count(isSalusError(error) ? error.code : 'LINK_FAILED')
            if (isSalusError(error) && error.code.startsWith('LINK_MESSAGE_')) {
              // It will never be readable: the broker is not asked for it again.
              done()
              return
            }
            log.error({ err: error }, 'a message of a sensor could not be taken')
            done(error instanceof Error ? error : new Error('failed'))
            // What was not acknowledged comes again with the next connection.
            made.stream.destroy()
          }
        )
      }
      made.on('connect', () => made.subscribe(ALL_UP, { qos: 1 }, () => undefined))
      made.on('error', error => log.warn({ reason: error.message }, 'the broker of the sensors refused the gateway'))
      client = made
      return Promise.resolve()
    },
    async stop() {
      const ended = client
      client = undefined
      await ended?.endAsync(true)
    }
  }
}
