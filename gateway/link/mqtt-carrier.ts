/** A sensor's side of the link over MQTT (docs/specs/sensor-link.md, profile A). */
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { equalBytes } from '#core/encoding/bytes.ts'
import { decodeMessage, encodeMessage, MAX_MESSAGE_BYTES } from '#core/link/message.ts'
import { isSalusError } from '#core/error.ts'
import { downTopic, identityOf, upTopic } from '#core/link/topic.ts'
import { writeSensorFile, type SensorFile } from '#gateway/link/credential-file.ts'
import type { Carrier } from '#gateway/link/sensor.ts'
import { pskClient } from '#gateway/link/tls-psk.ts'

const RECONNECT_MS = 500
const KEEPALIVE_S = 30

/** Where the gateway, or its broker, is, and what the sensor was given. */
export interface MqttCarrierInit {
  readonly host: string
  readonly port: number
  /** File of {@link SensorFile}. */
  readonly path: string
  readonly file: SensorFile
}

/** Makes the carrier. An acknowledgement of the broker counts as the gateway's: the gateway's own broker gives it only then. */
export function createMqttCarrier(init: MqttCarrierInit): Carrier {
  let { file } = init
  let client: MqttClient | undefined
  let isStopped = false
  /** Which of two keys is tried: the announced one first, the old one if that fails. */
  let tries = 0
  let onOpen: () => void = () => undefined
  let onMessage: (bytes: Uint8Array) => void = () => undefined

  function connect(): void {
    const isNext = file.next != null && tries++ % 2 === 0
    const access = isNext && file.next != null ? file.next : file.card
    const identity = identityOf(access.handle)
    const options: IClientOptions & ReturnType<typeof pskClient> = {
      protocol: 'mqtts',
      host: init.host,
      port: init.port,
      clientId: identity,
      protocolVersion: 4,
      clean: true,
      keepalive: KEEPALIVE_S,
      // The queue of what is not acknowledged is ours: the client's would send it twice.
      reconnectPeriod: 0,
      queueQoSZero: false,
      ...pskClient(access)
    }
    const made = mqtt.connect(options)
    client = made
    made.on('connect', () => {
      if (isNext && file.next != null) {
        file = { ...file, card: { ...file.card, ...file.next }, next: null }
        // Should this write be lost, the announced key is still in the file and is tried first.
        writeSensorFile(init.path, file).catch(() => undefined)
      }
      made.subscribe(downTopic(identity), { qos: 1 }, () => undefined)
      onOpen()
    })
    made.on('message', (_topic, payload) => onMessage(payload))
    // A refused connection is tried again below, a lost message is sent again by the queue.
    made.on('error', () => undefined)
    made.on('close', () => {
      if (made !== client) return
      made.end(true)
      client = undefined
      if (!isStopped) setTimeout(() => (isStopped ? undefined : connect()), RECONNECT_MS).unref()
    })
  }

  return {
    maxMessageBytes: MAX_MESSAGE_BYTES,
    get isOpen() {
      return client?.connected === true
    },
    start(events) {
      ;({ onOpen, onMessage } = events)
      connect()
      return Promise.resolve()
    },
    async stop() {
      isStopped = true
      const ended = client
      client = undefined
      await ended?.endAsync(true)
    },
    send(bytes) {
      const sent = client
      if (sent?.connected !== true) return
      const identity = String(sent.options.clientId)
      const message = messageOf(bytes)
      sent.publish(upTopic(identity), Buffer.from(bytes), { qos: 1 }, error => {
        if (error == null && message != null) onMessage(encodeMessage({ kind: 'acknowledged', numbers: [message] }))
      })
    },
    async replaceKey(handle, psk) {
      if (equalBytes(file.card.handle, handle)) return
      if (file.next != null && equalBytes(file.next.handle, handle)) return
      file = { ...file, next: { handle, psk } }
      await writeSensorFile(init.path, file)
      tries = 0
      // The broker is left as soon as what was sent is answered.
      client?.end()
    }
  }
}

/** The number of a message of readings. */
function messageOf(bytes: Uint8Array): number | undefined {
  try {
    const message = decodeMessage(bytes)
    return message.kind === 'readings' ? message.number : undefined
  } catch (error) {
    if (isSalusError(error)) return undefined
    throw error
  }
}
