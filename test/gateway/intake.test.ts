import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { decodeBatch, type Batch } from '#core/batch/batch.ts'
import type { Reading } from '#core/batch/reading.ts'
import type { BatchRecord } from '#core/batch/record.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { openBatchFiles, type BatchFiles } from '#gateway/batch-files.ts'
import { deriveGateway, type GatewayIdentity } from '#gateway/identity.ts'
import { inOrder } from '#gateway/in-order.ts'
import { createIntake, MAX_PENDING, type Intake } from '#gateway/intake.ts'
import { openLedger, type Ledger } from '#gateway/ledger.ts'
import { NO_MONITOR, type Arrival, type MonitorPort, type ReadingSource } from '#gateway/ports.ts'
import { someReadings } from '#test/core/batch/fixtures.ts'
import { random } from '#test/gateway/fresh.ts'

describe('intake of a gateway', () => {
  let directory: string
  let identity: GatewayIdentity
  let ledger: Ledger
  let files: BatchFiles
  const noticed: BatchRecord[] = []

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salus-intake-'))
    identity = await deriveGateway(p, new Uint8Array(32).fill(7))
    noticed.length = 0
  })
  afterEach(async () => {
    await ledger.close()
    await rm(directory, { recursive: true, force: true })
  })

  async function open(monitor: MonitorPort = NO_MONITOR): Promise<Intake> {
    ledger = await openLedger(directory)
    files = await openBatchFiles(directory)
    if (ledger.state.patient == null) {
      await ledger.record({ type: 'patient', patient: { id: new Uint8Array(32), keyBundle: new Uint8Array(32) } })
    }
    const parts = { p, random, clock: () => 1_700_000_000_000, identity, ledger, files, network: new Uint8Array(32) }
    return createIntake(
      { ...parts, monitor },
      { batchSeconds: 10, onBatch: () => undefined, onNoticed: records => noticed.push(...records) }
    )
  }
  async function batches(): Promise<Batch[]> {
    const all: Batch[] = []
    for (const sequence of await files.kept()) {
      all.push(decodeBatch(p, await files.readBatch(sequence), identity.keys.bundle.sign))
    }
    return all
  }
  function arrivalOf(second: number, device = 'monitor', next = second + 1): Arrival {
    const readings = someReadings(1, second).map(each => ({ ...each, stream: { ...each.stream, device } }))
    return { source: device, next, deviceTimeMs: second * 1000, readings }
  }

  it('keeps the order of each of several sources, whatever batches are closed meanwhile', async () => {
    const intake = await open()
    const devices = ['a', 'b', 'c']
    await Promise.all(
      devices.map(async device => {
        const taken: Promise<void>[] = []
        for (let second = 0; second < 95; second++) taken.push(intake.accept(arrivalOf(second, device)))
        await Promise.all(taken)
      })
    )
    await intake.closePending()
    const all = await batches()
    for (const device of devices) {
      const pulses = all.flatMap(({ readings }) =>
        readings.filter(({ stream }) => stream.device === device && stream.mdc === 147842).map(each => each.sequence)
      )
      expect(pulses).to.deep.equal(Array.from({ length: 95 }, (_, i) => i))
    }
    expect(all.flatMap(({ header }) => header.gaps)).to.deep.equal([])
  })

  it('takes what a live sensor sends again after a restart once', async () => {
    const first = await open()
    for (const second of [0, 1, 2]) await first.accept(arrivalOf(second, 'sensor', 0))
    await ledger.close()
    const again = await open()
    for (const second of [1, 2, 3]) await again.accept(arrivalOf(second, 'sensor', 0))
    await again.closePending()
    const [batch] = await batches()
    expect(batch!.readings.map(({ sequence }) => sequence)).to.deep.equal([0, 1, 2, 3, 0, 1, 2, 3])
  })

  it('lets the monitor judge before the disk, logs what it noticed, and signs at once after a grave alarm', async () => {
    let highMs: number | null = null
    const monitor: MonitorPort = {
      ...NO_MONITOR,
      take(readings, nowMs) {
        const isGrave = readings.some(({ sequence }) => sequence === 4)
        if (isGrave) highMs = nowMs
        const flagged = readings.map((each): Reading => ({ ...each, flags: each.flags | 2 }))
        return { readings: flagged, records: isGrave ? [{ kind: 'alarm', atMs: nowMs, body: new Uint8Array(3) }] : [] }
      },
      lastHighAlertMs: () => highMs
    }
    const intake = await open(monitor)
    for (let second = 0; second < 5; second++) await intake.accept(arrivalOf(second))
    const [batch] = await batches()
    expect(batch?.records).to.deep.equal(noticed)
    expect(noticed.map(({ kind }) => kind)).to.deep.equal(['alarm'])
    expect(batch?.readings.every(({ flags }) => (flags & 2) !== 0)).to.equal(true)
  })

  it('closes a batch before it holds too many readings, streams or records', async () => {
    const intake = await open()
    const many = Array.from({ length: MAX_PENDING - 1 }, (_, i) => ({ ...someReadings(1)[0]!, sequence: i }))
    await intake.accept({ source: 'monitor', next: 1, deviceTimeMs: 0, readings: many })
    await intake.accept({ ...arrivalOf(MAX_PENDING), deviceTimeMs: 0 })
    expect(ledger.state.sequence).to.equal(1)
    for (let device = 0; device < 40; device++)
      await intake.accept({ ...arrivalOf(0, `d${String(device)}`), deviceTimeMs: 0 })
    expect(ledger.state.sequence).to.equal(2)
    const records = Array.from({ length: 600 }, (): BatchRecord => ({
      kind: 'waveform',
      atMs: 1,
      body: new Uint8Array(9)
    }))
    for (let i = 0; i < 3; i++) await intake.accept({ source: 'w', next: 0, deviceTimeMs: 0, readings: [], records })
    expect(ledger.state.sequence).to.be.at.least(4)
    await intake.closePending()
    expect((await batches()).reduce((sum, batch) => sum + batch.records.length, 0)).to.equal(1800)
  })

  it('plays several recordings in the order of their clocks', async () => {
    await open()
    const sourceOf = (name: string, seconds: readonly number[]): ReadingSource => ({
      name,
      async *arrivals(from) {
        for (const second of seconds.slice(from)) yield await Promise.resolve(arrivalOf(second, name))
      }
    })
    const sources = [sourceOf('a', [0, 3, 4]), sourceOf('b', [1, 2, 9]), sourceOf('c', [])]
    const seen: string[] = []
    for await (const { source, deviceTimeMs } of inOrder(
      sources,
      name => (name === 'a' ? 1 : 0),
      new AbortController().signal
    )) {
      seen.push(`${source}${String(deviceTimeMs / 1000)}`)
    }
    expect(seen).to.deep.equal(['b1', 'b2', 'a3', 'a4', 'b9'])
  })
})
