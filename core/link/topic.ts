/** Topics of the MQTT profile, and who may do what with them (docs/specs/mqtt-topics.md). */
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { MAX_MESSAGE_BYTES } from '#core/link/message.ts'

const PREFIX = 'salus/1/'
const TOPIC = /^salus\/1\/([0-9a-f]{32})\/up$/
const IDENTITY = /^[0-9a-f]{32}$/

/** What every sensor's messages come under, for a gateway that stands beside a broker. */
export const ALL_UP = 'salus/1/+/up'

/** The name of a handle in TLS, as client identifier and in topics: 32 small hexadecimal digits. */
export function identityOf(handle: Uint8Array): string {
  return toHex(handle).slice(2)
}

/** The handle of a name; `undefined` if it is none. */
export function handleOf(identity: string): Uint8Array | undefined {
  return IDENTITY.test(identity) ? fromHex(identity, 16) : undefined
}

/** Where a sensor publishes. */
export function upTopic(identity: string): string {
  return `${PREFIX}${identity}/up`
}

/** Where its gateway answers. */
export function downTopic(identity: string): string {
  return `${PREFIX}${identity}/down`
}

/** The name of the sensor whose messages a topic holds; `undefined` if it is none of those. */
export function senderOf(topic: string): string | undefined {
  return TOPIC.exec(topic)?.[1]
}

/** Why a client of the gateway's own broker is turned away. */
export type MqttRefusal =
  'foreign-topic' | 'retained' | 'quality-of-service' | 'too-large' | 'client-id' | 'session' | 'will'

/** A CONNECT as far as the rules look at it. */
export interface Connecting {
  readonly clientId: string
  readonly clean: boolean
  readonly hasWill: boolean
}

/** Whether a client that authenticated as `identity` may connect so: as itself, without a session or a will left behind. */
export function connectRefusal({ clientId, clean, hasWill }: Connecting, identity: string): MqttRefusal | undefined {
  // Another's identifier would end the other's connection.
  if (clientId !== identity) return 'client-id'
  if (!clean) return 'session'
  return hasWill ? 'will' : undefined
}

/** A PUBLISH as far as the rules look at it. */
export interface Publishing {
  readonly topic: string
  readonly qos: number
  readonly retain: boolean
  readonly bytes: number
}

/** Whether it may publish this: under its own topic, at most once or at least once, nothing that stays. */
export function publishRefusal({ topic, qos, retain, bytes }: Publishing, identity: string): MqttRefusal | undefined {
  if (topic !== upTopic(identity)) return 'foreign-topic'
  if (retain) return 'retained'
  if (qos > 1) return 'quality-of-service'
  return bytes > MAX_MESSAGE_BYTES ? 'too-large' : undefined
}

/** Whether it may subscribe to this: to its own answers, by their full name. */
export function subscribeRefusal(topic: string, identity: string): MqttRefusal | undefined {
  return topic === downTopic(identity) ? undefined : 'foreign-topic'
}
