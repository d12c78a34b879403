import { expect } from 'chai'
import { parseRecording } from '#core/batch/recording.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import type { AdapterHealth, Arrival, SensorAdapter } from '#gateway/adapters/adapter.ts'
import { createArrivalQueue } from '#gateway/adapters/arrival-queue.ts'
import { createSourceAdapter } from '#gateway/adapters/source-adapter.ts'
import { createReplay } from '#gateway/replay.ts'
import { itConforms, takeArrivals } from '#test/gateway/adapters/conformance.ts'

const RECORDING = parseRecording(
  utf8(`Time [s], HR, SpO2\n${Array.from({ length: 20 }, (_, i) => `${String(i)},${String(60 + i)},NaN\n`).join('')}`)
)
const INIT = { kind: 'file', device: 'monitor', mdc: [147842, 150456] }

function replay(speed: number): SensorAdapter {
  let now = 1_700_000_000_000
  const source = createReplay({ clock: () => now++ }, { recording: RECORDING, device: 'monitor', speed })
  return createSourceAdapter(source, INIT)
}

describe('adapter of a source of readings', () => {
  itConforms(() => ({ adapter: replay(Infinity), arrivals: 20 }))

  it('says by which code its source failed', async () => {
    const adapter = createSourceAdapter(
      {
        name: 'monitor',
        async *arrivals() {
          await Promise.resolve()
          throw new SalusError('RECORDING_ORDER', 'no')
        }
      },
      INIT
    )
    await adapter.open()
    let failed = false
    await takeArrivals(adapter, {}).catch(() => (failed = true))
    expect(failed).to.equal(true)
    expect(adapter.health()).to.include({
      state: 'failed',
      failure: 'RECORDING_ORDER'
    } satisfies Partial<AdapterHealth>)
  })
})

describe('queue of arrivals', () => {
  const arrival = (receivedAtMs: number): Arrival => ({ device: 'd', receivedAtMs, readings: [] })
  const never = new AbortController().signal

  it('keeps the order, drops what comes when it is full and counts it', async () => {
    const queue = createArrivalQueue({ capacity: 3 })
    const kept = [1, 2, 3, 4, 5].map(ms => queue.push(arrival(ms)))
    expect(kept).to.deep.equal([true, true, true, false, false])
    expect([queue.size, queue.dropped]).to.deep.equal([3, 2])
    queue.end()
    const taken: number[] = []
    for await (const { receivedAtMs } of queue.take(never)) taken.push(receivedAtMs)
    expect(taken).to.deep.equal([1, 2, 3])
    expect(queue.push(arrival(6))).to.equal(false)
  })

  it('wakes a waiting reader by an arrival, by the signal and by a failure', async () => {
    const queue = createArrivalQueue({ capacity: 3 })
    const stopping = new AbortController()
    const first = queue.take(never)[Symbol.asyncIterator]().next()
    queue.push(arrival(1))
    expect((await first).value).to.deep.equal(arrival(1))
    const stopped = queue.take(stopping.signal)[Symbol.asyncIterator]().next()
    stopping.abort()
    expect((await stopped).done).to.equal(true)
    const failed = queue.take(never)[Symbol.asyncIterator]().next()
    queue.end(new SalusError('RECORDING_ORDER', 'no'))
    let code: unknown
    await failed.catch((error: unknown) => (code = (error as SalusError).code))
    expect(code).to.equal('RECORDING_ORDER')
  })
})
