/**
 * Where everything comes in: judged at once, cut into batches by the devices' time, on the disk before it is acknowledged. Many sources
 * may bring arrivals at the same time.
 */
import type { Clock } from '#core/crypto/primitives.ts'
import { MAX_STREAMS } from '#core/batch/streams.ts'
import { READING_FLAGS, type Reading, type Stream } from '#core/batch/reading.ts'
import type { BatchRecord } from '#core/batch/record.ts'
import { closeSpan, type BatcherComponents, type SignedBatch } from '#gateway/batcher.ts'
import { lastSequencesAfter } from '#gateway/last-sequences.ts'
import type { Ledger } from '#gateway/ledger.ts'
import type { Arrival, MonitorPort } from '#gateway/ports.ts'

/** Readings of a batch at most: a larger one would cost memory and time that alarms may need. */
export const MAX_PENDING = 16_384

/** Records of a batch at most, and their bytes. */
const MAX_PENDING_RECORDS = 1024
const MAX_PENDING_RECORD_BYTES = 4 * 2 ** 20

/** Empty spans made up for at most when a device's clock jumps. */
const MAX_EMPTY_SPANS = 1000

/** What the intake needs. */
export interface IntakeComponents extends BatcherComponents {
  readonly clock: Clock
  readonly monitor: MonitorPort
}

/** What it is told. */
export interface IntakeInit {
  readonly batchSeconds: number
  readonly onBatch: (batch: SignedBatch) => void
  /** Told of what the monitor noticed, before the disk. */
  readonly onNoticed: (records: readonly BatchRecord[]) => void
}

/** Takes arrivals in. */
export interface Intake {
  /** Resolves when the arrival is durable; its alarms were sent before. */
  accept(arrival: Arrival): Promise<void>
  /** Lets the monitor notice that time passed. */
  tick(): Promise<void>
  /** Closes the open batch if it holds anything. */
  closePending(): Promise<void>
  /** Closes the span of time that is open, also if nothing is in it. */
  closeOpen(): Promise<void>
  /** Number of the span of time that a moment of a device's clock belongs to. */
  spanOf(deviceTimeMs: number): number
}

/** Makes the intake over a ledger. */
export function createIntake(components: IntakeComponents, init: IntakeInit): Intake {
  const { ledger, monitor, clock } = components
  let lastHighAlertMs = monitor.lastHighAlertMs()
  const batchMs = init.batchSeconds * 1000
  const spanOf = (deviceTimeMs: number): number => Math.floor(deviceTimeMs / batchMs)
  /** The last of those who wait; a later arrival never overtakes an earlier one. */
  let queue: Promise<unknown> | undefined
  let streams = streamsOf(ledger.state.pending)
  let recordBytes = 0
  /** What was durable when the last process ended; a live sensor that missed its acknowledgement sends it again. */
  const before = new Map(
    lastSequencesAfter(ledger.state.lastSequences, ledger.state.pending).map(({ device, sequence }) => [
      device,
      sequence
    ])
  )

  /** Closes spans one after the other; whoever comes meanwhile waits. */
  async function close(span: number): Promise<void> {
    init.onBatch(await closeSpan(components, span))
    streams = new Set()
    recordBytes = 0
    await ledger.compactIfLarge()
  }

  async function catchUp(span: number): Promise<void> {
    for (let open = openSpan(ledger, spanOf) ?? span; open < span; open++) {
      // A jump of the device's clock is not worth a flood of empty batches.
      if (span - open > MAX_EMPTY_SPANS) open = span - 1
      await close(open)
    }
  }

  /** Does work when all that came before is done; at once where nothing waits. */
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = (queue ?? Promise.resolve()).then(work)
    const tail = mine.catch(() => undefined)
    queue = tail
    try {
      return await mine
    } finally {
      if (queue === tail) queue = undefined
    }
  }

  /** Journals what was taken; the promise within is of the disk, which the next arrival need not wait for. */
  function journal(
    arrival: Omit<Arrival, 'deviceTimeMs'> & { readonly records: readonly BatchRecord[] }
  ): Promise<void> {
    for (const { stream } of arrival.readings) streams.add(keyOf(stream))
    for (const { body } of arrival.records) recordBytes += body.length
    const { source, next, readings, records } = arrival
    return ledger.record({ type: 'readings', source, next, readings, records })
  }

  /** What led to an alarm of high priority is signed at once, to be anchored with the next block. */
  async function closeAfterAlert(): Promise<void> {
    const alertMs = monitor.lastHighAlertMs()
    if (alertMs === lastHighAlertMs) return
    lastHighAlertMs = alertMs
    await inTurn(async () => close((openSpan(ledger, spanOf) ?? 0) - 1))
  }

  function isFull({ readings, records = [] }: Pick<Arrival, 'readings' | 'records'>): boolean {
    const { pending, records: waiting } = ledger.state
    if (pending.length === 0 && waiting.length === 0) return false
    const fresh = readings.filter(({ stream }) => !streams.has(keyOf(stream))).length
    const bytes = records.reduce((sum, { body }) => sum + body.length, recordBytes)
    return (
      pending.length + readings.length > MAX_PENDING ||
      waiting.length + records.length > MAX_PENDING_RECORDS ||
      bytes > MAX_PENDING_RECORD_BYTES ||
      (fresh > 0 && streams.size + fresh > MAX_STREAMS)
    )
  }

  function isNew({ stream, sequence, flags }: Reading): boolean {
    // What comes from a device's store is numbered as it was measured.
    return (flags & READING_FLAGS.historical) !== 0 || sequence > (before.get(stream.device) ?? -1)
  }

  return {
    spanOf,
    async accept({ readings: arrived, records = [], source, next, deviceTimeMs, atMs = clock() }) {
      const readings = next > 0 || before.size === 0 ? arrived : arrived.filter(isNew)
      if (readings.length === 0 && arrived.length > 0 && records.length === 0) return
      const judged = monitor.take(readings, atMs)
      if (judged.records.length > 0) init.onNoticed(judged.records)
      const taken = { source, next, readings: judged.readings, records: [...records, ...judged.records] }
      const span = spanOf(deviceTimeMs)
      const isOpen = (): boolean => (openSpan(ledger, spanOf) ?? span) >= span && !isFull(taken)
      if (queue == null && isOpen()) await journal(taken)
      else {
        const { durable } = await inTurn(async () => {
          await catchUp(span)
          if (isFull(taken)) await close((openSpan(ledger, spanOf) ?? span) - 1)
          return { durable: journal(taken) }
        })
        await durable
      }
      await closeAfterAlert()
    },
    async tick() {
      const { records } = monitor.tick(clock())
      if (records.length === 0) return
      init.onNoticed(records)
      const { durable } = await inTurn(async () =>
        Promise.resolve({ durable: journal({ source: '(rules)', next: 0, readings: [], records }) })
      )
      await durable
      await closeAfterAlert()
    },
    async closePending() {
      const { pending, records } = ledger.state
      if (pending.length + records.length > 0) await inTurn(async () => close(openSpan(ledger, spanOf) ?? 0))
    },
    async closeOpen() {
      await inTurn(async () => close(openSpan(ledger, spanOf) ?? 0))
    }
  }
}

/** The span that the next reading belongs to or comes after; none before the first reading. */
function openSpan({ state }: Ledger, spanOf: (timeMs: number) => number): number | undefined {
  const [first] = state.pending
  if (state.span != null) return state.span + 1
  return first == null ? undefined : spanOf(first.deviceTimeMs)
}

const keys = new WeakMap<Stream, string>()

/** Streams are made once by their sources: comparing texts each time would cost more than the reading. */
function keyOf(stream: Stream): string {
  let key = keys.get(stream)
  if (key == null) {
    const { device, mdc, loinc, ucum, exponent } = stream
    keys.set(stream, (key = JSON.stringify([device, mdc, loinc, ucum, exponent])))
  }
  return key
}

function streamsOf(readings: readonly Reading[]): Set<string> {
  return new Set(readings.map(({ stream }) => keyOf(stream)))
}
