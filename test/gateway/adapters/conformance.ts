/** The suite that every adapter must pass: order, abort, restart, hostile input, bounded queue, health. */
import { expect } from 'chai'
import { decodeReading, encodeReading } from '#core/batch/reading.ts'
import { decodeSegment, encodeSegment } from '#core/signal/segment.ts'
import type { Arrival, SensorAdapter } from '#gateway/adapters/adapter.ts'

/** An adapter under test and the sensor on its other side. */
export interface AdapterUnderTest {
  readonly adapter: SensorAdapter
  /** How many arrivals `feed` makes, where the source ends by itself or is fed. */
  readonly arrivals: number
  /** Makes a live source's sensor send `arrivals` arrivals; sources that have everything already leave it out. */
  readonly feed?: () => Promise<void> | void
  /** Makes the sensor send bytes that cannot be read. */
  readonly feedHostile?: () => Promise<void> | void
  /** Makes the sensor send many more than the queue holds. */
  readonly flood?: () => Promise<void> | void
  dispose?(): Promise<void>
}

/** Takes arrivals until there are `count`, the source ends or the signal comes. */
export async function takeArrivals(
  adapter: SensorAdapter,
  {
    count = Infinity,
    from,
    signal = new AbortController().signal
  }: { count?: number; from?: number; signal?: AbortSignal }
): Promise<Arrival[]> {
  const taken: Arrival[] = []
  for await (const arrival of adapter.frames(from == null ? { signal } : { signal, from })) {
    taken.push(arrival)
    if (taken.length >= count) break
  }
  return taken
}

/** Declares the suite for one kind of adapter; `live` names what its sensor can be made to do. */
export function itConforms(
  make: () => Promise<AdapterUnderTest> | AdapterUnderTest,
  live: readonly ('hostile' | 'flood')[] = []
): void {
  let test: AdapterUnderTest

  beforeEach(async () => {
    test = await make()
    await test.adapter.open()
  })

  afterEach(async () => {
    await test.adapter.close()
    await test.dispose?.()
  })

  it('names its devices and says nothing of them that is not a name or a code', async () => {
    const found = []
    for await (const device of test.adapter.discover(AbortSignal.timeout(10_000))) found.push(device)
    expect(found).to.not.have.length(0)
    for (const device of found) expect(device).to.have.keys(['device', 'kind', 'mdc'])
  })

  it('hands on well-formed arrivals in order and counts them', async () => {
    await test.feed?.()
    const taken = await takeArrivals(test.adapter, { count: test.arrivals })
    expect(taken).to.have.length(test.arrivals)
    expectOrdered(taken)
    const health = test.adapter.health()
    expect(health.arrivals).to.equal(test.arrivals)
    expect(health.lastArrivalMs).to.equal(taken.at(-1)?.receivedAtMs)
    expect(health.failure).to.equal(undefined)
    expect(health.state).to.be.oneOf(['open', 'ended'])
  })

  it('ends cleanly with the signal, before and between arrivals', async () => {
    const stopping = new AbortController()
    await test.feed?.()
    let taken = 0
    for await (const arrival of test.adapter.frames({ signal: stopping.signal })) {
      expect(arrival.device).to.be.a('string')
      taken++
      stopping.abort()
    }
    expect(taken).to.equal(1)
    expect(await takeArrivals(test.adapter, { signal: stopping.signal })).to.have.length(0)
  })

  it('ends its frames when it is closed, and may be closed twice', async () => {
    const taking = takeArrivals(test.adapter, {})
    await test.adapter.close()
    await taking
    await test.adapter.close()
    expect(test.adapter.health().state).to.equal('closed')
  })

  it('can be opened again', async () => {
    await test.adapter.close()
    await test.adapter.open()
    await test.feed?.()
    expect(await takeArrivals(test.adapter, { count: 1 })).to.have.length(1)
  })

  it('goes on where it was, if its source can be read again', async () => {
    await test.feed?.()
    const all = await takeArrivals(test.adapter, { count: test.arrivals })
    const middle = all[all.length >> 1]
    if (middle?.next == null) return
    const rest = await takeArrivals(test.adapter, { from: middle.next })
    expect(rest.map(contentOf)).to.deep.equal(all.slice((all.length >> 1) + 1).map(contentOf))
  })

  if (live.includes('hostile'))
    it('refuses what cannot be read by a code and goes on', async () => {
      await test.feedHostile?.()
      await test.feed?.()
      expect(await takeArrivals(test.adapter, { count: test.arrivals })).to.have.length(test.arrivals)
      const { refused, state } = test.adapter.health()
      expect(Object.keys(refused)).to.not.have.length(0)
      for (const code of Object.keys(refused)) expect(code).to.match(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/)
      expect(state).to.equal('open')
    })

  if (live.includes('flood'))
    it('holds no more than its queue and counts what it drops', async () => {
      await test.flood?.()
      const { queued, capacity, dropped } = test.adapter.health()
      expect(queued).to.equal(capacity)
      expect(dropped).to.be.greaterThan(0)
      expect(await takeArrivals(test.adapter, { count: capacity })).to.have.length(capacity)
    })
}

/** Readings and segments survive their canonical form, and no stream's numbers go back. */
function expectOrdered(arrivals: readonly Arrival[]): void {
  const next = new Map<string, number>()
  let lastMs = 0
  for (const { device, receivedAtMs, readings, segments = [] } of arrivals) {
    expect(receivedAtMs).to.be.at.least(lastMs)
    lastMs = receivedAtMs
    for (const reading of readings) {
      expect(decodeReading(encodeReading(reading))).to.deep.equal(reading)
      expect(reading.stream.device).to.equal(device)
      advance(next, JSON.stringify(reading.stream), reading.sequence, 1)
    }
    for (const segment of segments) {
      expect(decodeSegment(encodeSegment(segment))).to.deep.equal(segment)
      expect(segment.stream.device).to.equal(device)
      advance(next, JSON.stringify(segment.stream), segment.sequence, segment.samples.length)
    }
  }
}

function advance(next: Map<string, number>, key: string, sequence: number, by: number): void {
  expect(sequence).to.be.at.least(next.get(key) ?? 0)
  next.set(key, sequence + by)
}

/** What does not depend on when it was read. */
function contentOf({ device, readings, segments = [], next }: Arrival): unknown {
  return {
    device,
    next,
    readings: readings.map(reading => ({ ...reading, receivedAtMs: 0 })),
    segments: segments.map(segment => ({ ...segment, receivedAtMs: 0 }))
  }
}
