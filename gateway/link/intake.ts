/**
 * Where the messages of all sensors come together: each is handed on once and in its sensor's order, and counts as taken only when the
 * gateway has it on its disk.
 */
import type { Clock } from '#core/crypto/primitives.ts'
import type { Reading } from '#core/batch/reading.ts'
import { SalusError } from '#core/error.ts'
import { readingsOf, type LinkMessage } from '#core/link/message.ts'
import { createWindow, lookUp, markSeen, unmarkSeen, WINDOW_SIZE, type ReplayWindow } from '#core/link/window.ts'

/** What arrived from one device: as an arrival of any other adapter. */
export interface LinkArrival {
  readonly device: string
  readonly receivedAtMs: number
  readonly readings: readonly Reading[]
}

/** Takes an arrival; resolves when it is on the disk. May get the same readings again after a restart, by device and sequence. */
export type Accept = (arrival: LinkArrival) => Promise<void>

/** Readings as a message holds them. */
export type ReadingsMessage = Extract<LinkMessage, { readonly kind: 'readings' }>

/** What became of a message: `taken` now or before, so acknowledge it; or `early`, so say nothing and it comes again. */
export type Taken = 'taken' | 'early'

/** The place where messages come together. */
export interface Intake {
  /**
   * Hands a message on.
   *
   * @param sensor - whose numbers are counted: the same whatever its handle
   * @throws SalusError `LINK_BUSY` if too many wait already; whatever the gateway fails with
   */
  take(device: string, sensor: string, message: ReadingsMessage): Promise<Taken>
  /** As {@link Intake.take}, for a source that can be made to wait: never busy. */
  takeInTurn(device: string, sensor: string, message: ReadingsMessage): Promise<Taken>
  /** Forgets the numbers of a device that was revoked. */
  forget(device: string): void
  /** Messages that are being handed on. */
  readonly waiting: number
  readonly capacity: number
}

/** Messages that came before the one they follow, over all sensors. */
const MAX_EARLY = 4096

interface Early {
  readonly number: number
  /** Hands it on now. */
  readonly release: () => void
}

interface Counter {
  readonly device: string
  readonly window: ReplayWindow
  readonly underWay: Map<number, Promise<Taken>>
  /** By the number that each waits for. */
  readonly early: Map<number, Early>
}

/** Makes it; `capacity` messages are handed on at once. */
export function createIntake(
  { accept, clock }: { readonly accept: Accept; readonly clock: Clock },
  { capacity }: { readonly capacity: number }
): Intake {
  const counters = new Map<string, Counter>()
  const queue: (() => void)[] = []
  let running = 0
  let early = 0

  function counterOf(device: string, sensor: string): Counter {
    let counter = counters.get(sensor)
    if (counter == null) {
      counter = { device, window: createWindow(), underWay: new Map(), early: new Map() }
      counters.set(sensor, counter)
    }
    return counter
  }

  async function handOn(counter: Counter, device: string, message: ReadingsMessage): Promise<Taken> {
    if (running >= capacity) await new Promise<void>(resolve => queue.push(resolve))
    else running++
    try {
      const receivedAtMs = clock()
      await accept({ device, receivedAtMs, readings: readingsOf(message.readings, device, receivedAtMs) })
      return 'taken'
    } catch (error) {
      unmarkSeen(counter.window, message.number)
      throw error
    } finally {
      counter.underWay.delete(message.number)
      const next = queue.shift()
      if (next == null) running--
      else next()
    }
  }

  /** Hands a message on, and behind it those that waited for it. Nothing waits in between: the order of calls is the order of arrivals. */
  function begin(counter: Counter, device: string, message: ReadingsMessage): Promise<Taken> {
    const { number, previous } = message
    // Nothing waits before it at the sensor: what still waits here for something older waits in vain.
    if (previous == null)
      for (const waited of [...counter.early.keys()].sort((a, b) => a - b))
        if (waited < number) release(counter, waited)
    markSeen(counter.window, number)
    const taking = handOn(counter, device, message)
    counter.underWay.set(number, taking)
    release(counter, number)
    return taking
  }

  function release(counter: Counter, waited: number): void {
    const next = counter.early.get(waited)
    if (next == null) return
    counter.early.delete(waited)
    early--
    next.release()
  }

  function releaseSame(counter: Counter, number: number): void {
    for (const [waited, each] of counter.early) if (each.number === number) release(counter, waited)
  }

  /** Keeps a message until the one before it has come. */
  function keep(counter: Counter, device: string, message: ReadingsMessage, waited: number): Promise<Taken> {
    if (early >= MAX_EARLY || counter.early.size >= WINDOW_SIZE || counter.early.has(waited))
      return Promise.resolve('early')
    early++
    const keeping = new Promise<Taken>((resolve, reject) => {
      const run = (): void => void begin(counter, device, message).then(resolve, reject)
      counter.early.set(waited, { number: message.number, release: run })
    })
    counter.underWay.set(message.number, keeping)
    return keeping
  }

  function takeIf(hasRoom: boolean, device: string, sensor: string, message: ReadingsMessage): Promise<Taken> {
    const { number, previous } = message
    const counter = counterOf(device, sensor)
    const isEarly = previous != null && lookUp(counter.window, previous) === 'fresh'
    const found = counter.underWay.get(number)
    if (found != null) {
      // It waited for one that was taken before this gateway was started, as the sensor has learned since.
      if (!isEarly) releaseSame(counter, number)
      return found
    }
    if (lookUp(counter.window, number) !== 'fresh') return Promise.resolve('taken')
    if (!hasRoom)
      return Promise.reject(new SalusError('LINK_BUSY', 'Too many messages wait for the disk; send this one again.'))
    return isEarly ? keep(counter, device, message, previous) : begin(counter, device, message)
  }

  return {
    capacity,
    get waiting() {
      return running + queue.length
    },
    take: async (device, sensor, message) => takeIf(running < capacity, device, sensor, message),
    takeInTurn: async (device, sensor, message) => takeIf(true, device, sensor, message),
    forget(device) {
      for (const [sensor, counter] of counters) {
        if (counter.device !== device) continue
        early -= counter.early.size
        counters.delete(sensor)
      }
    }
  }
}
