/** Sensors over both profiles of the link, as one adapter (docs/specs/sensor-link.md). */
import { setMaxListeners } from 'node:events'
import type { Clock, Random } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import type { LinkPrimitives } from '#core/link/primitives.ts'
import type { AdapterHealth, Arrival, SensorAdapter } from '#gateway/adapters/adapter.ts'
import { createArrivalQueue, type ArrivalQueue } from '#gateway/adapters/arrival-queue.ts'
import { createMqttBroker, type MqttBroker, type MqttBrokerInit } from '#gateway/adapters/mqtt-broker.ts'
import { createUdpLink, type UdpLink, type UdpLinkInit } from '#gateway/adapters/udp.ts'
import type { DeviceStore } from '#gateway/link/device-store.ts'
import { createIntake, type Intake, type LinkArrival } from '#gateway/link/intake.ts'
import type { Log } from '#node/log.ts'

const KIND = 'link'
const CAPACITY = 512

/** What the adapter needs. */
export interface LinkAdapterComponents {
  readonly p: LinkPrimitives
  readonly random: Random
  readonly clock: Clock
  readonly log: Log
  readonly store: DeviceStore
}

/** Where it listens; a profile that is not named is off. */
export interface LinkAdapterInit {
  readonly udp?: UdpLinkInit
  readonly mqtt?: MqttBrokerInit
  /** Arrivals that are under way at once. */
  readonly capacity?: number
}

/** The adapter, and what only links have. */
export interface LinkAdapter extends SensorAdapter {
  /** Ports that are listened on. */
  readonly ports: { readonly udp: number | undefined; readonly mqtt: number | undefined }
  /** Ends what is open of a device that was revoked. */
  forget(device: string): void
}

interface Open {
  readonly queue: ArrivalQueue
  readonly intake: Intake
  readonly udp: UdpLink | undefined
  readonly mqtt: MqttBroker | undefined
  /** Ends with the adapter: what is under way then was not acknowledged, and comes again. */
  readonly closing: AbortController
}

/** Makes the adapter. */
export function createLinkAdapter(components: LinkAdapterComponents, init: LinkAdapterInit): LinkAdapter {
  const { clock, store } = components
  const { capacity = CAPACITY } = init
  let open: Open | undefined
  let arrivals = 0
  let lastArrivalMs: number | null = null
  let past: Record<string, number> = {}

  function start(): Open {
    const queue = createArrivalQueue({ capacity })
    const closing = new AbortController()
    setMaxListeners(0, closing.signal)
    const accept = async (arrival: LinkArrival): Promise<void> =>
      new Promise((resolve, reject) => {
        const end = (): void =>
          reject(new SalusError('LINK_CLOSED', 'The gateway takes nothing more in; the sensor sends it again.'))
        closing.signal.addEventListener('abort', end, { once: true })
        const acknowledge = (): void => {
          closing.signal.removeEventListener('abort', end)
          resolve()
        }
        // The intake hands on no more than the queue holds.
        queue.push({ ...arrival, acknowledge })
      })
    const intake = createIntake({ accept, clock }, { capacity })
    return {
      queue,
      intake,
      closing,
      udp: init.udp == null ? undefined : createUdpLink({ ...components, intake }, init.udp),
      mqtt: init.mqtt == null ? undefined : createMqttBroker({ ...components, intake }, init.mqtt)
    }
  }

  function refused(): Record<string, number> {
    const sum = { ...past }
    for (const link of [open?.udp, open?.mqtt]) {
      for (const [why, count] of Object.entries(link?.refused ?? {})) sum[why] = (sum[why] ?? 0) + count
    }
    return sum
  }

  return {
    kind: KIND,
    get ports() {
      return { udp: open?.udp?.port, mqtt: open?.mqtt?.port }
    },
    async *discover() {
      // What is measured, a sensor tells with its readings.
      for (const { device } of store.sensors) yield await Promise.resolve({ device, kind: KIND, mdc: [] })
    },
    async open() {
      if (open != null) return
      const made = start()
      open = made
      await made.udp?.start()
      await made.mqtt?.start()
    },
    async *frames({ signal }) {
      const taken = open
      if (taken == null || signal.aborted) return
      for await (const arrival of taken.queue.take(signal)) {
        arrivals++
        lastArrivalMs = arrival.receivedAtMs
        yield arrival satisfies Arrival
      }
    },
    async close() {
      const ended = open
      if (ended == null) return
      past = refused()
      open = undefined
      ended.queue.end()
      ended.closing.abort()
      await ended.udp?.stop()
      await ended.mqtt?.stop()
    },
    forget(device) {
      open?.udp?.forget(device)
      open?.mqtt?.forget(device)
    },
    health(): AdapterHealth {
      return {
        state: open == null ? 'closed' : 'open',
        lastArrivalMs,
        arrivals,
        refused: refused(),
        dropped: 0,
        queued: open?.queue.size ?? 0,
        capacity
      }
    }
  }
}
