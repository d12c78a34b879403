/** Sensors over UDP and MQTT as live sources of a gateway: each message is acknowledged once it is durable. */
import { join } from 'node:path'
import type { Clock, Primitives, Random } from '#core/crypto/primitives.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { createMqttBroker } from '#gateway/adapters/mqtt-broker.ts'
import { createUdpLink } from '#gateway/adapters/udp.ts'
import type { GatewayIdentity } from '#gateway/identity.ts'
import { openDeviceStore, type DeviceStore } from '#gateway/link/device-store.ts'
import { createIntake } from '#gateway/link/intake.ts'
import { nativeLinkPrimitives } from '#gateway/link/native.ts'
import type { LiveSource } from '#gateway/ports.ts'
import type { Log } from '#node/log.ts'

/** Messages that are handed on at once. */
const CAPACITY = 1024

const STORE_SALT = utf8('salus/gateway-sensors/1')

/** What the links need. */
export interface LinkComponents {
  readonly p: Primitives
  readonly random: Random
  readonly clock: Clock
  readonly log: Log
  readonly identity: GatewayIdentity
  readonly data: string
}

/** Where they listen. */
export interface LinkAddresses {
  readonly udp?: { readonly host: string; readonly port: number }
  readonly mqtt?: { readonly host: string; readonly port: number }
}

/** The sensors that a gateway knows, sealed under a key of its seed. */
export async function openSensors({
  p,
  random,
  identity,
  data
}: Pick<LinkComponents, 'p' | 'random' | 'identity' | 'data'>): Promise<DeviceStore> {
  const key = p.hkdfSha256(identity.keys.signSeed, STORE_SALT, utf8('sensors'), 32)
  return openDeviceStore({ p: { ...p, ...nativeLinkPrimitives }, random }, { path: join(data, 'sensors'), key })
}

/** The sources that are asked for; nothing listens before their start. */
export async function openLinks(components: LinkComponents, { udp, mqtt }: LinkAddresses): Promise<LiveSource[]> {
  if (udp == null && mqtt == null) return []
  const { random, clock, log } = components
  const p = { ...components.p, ...nativeLinkPrimitives }
  const store = await openSensors(components)
  let running: { stop(): Promise<void> }[] = []
  return [
    {
      async start(accept) {
        const intake = createIntake(
          {
            clock,
            // A link's time is the gateway's: clocks of sensors do not cut batches.
            accept: async ({ device: source, receivedAtMs: deviceTimeMs, readings }) =>
              accept({ source, next: 0, deviceTimeMs, readings })
          },
          { capacity: CAPACITY }
        )
        const links = [
          ...(udp == null ? [] : [createUdpLink({ p, random, clock, log, store, intake }, udp)]),
          ...(mqtt == null ? [] : [createMqttBroker({ clock, log, store, intake }, mqtt)])
        ]
        for (const link of links) {
          await link.start()
          running.push(link)
        }
      },
      async stop() {
        const stopped = running
        running = []
        for (const link of stopped) await link.stop()
      }
    }
  ]
}
