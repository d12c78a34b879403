import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { decodeBatch, type Batch } from '#core/batch/batch.ts'
import { requireNext } from '#core/batch/chain.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { openBatchFiles, type BatchFiles } from '#gateway/batch-files.ts'
import { closeSpan, signIntent } from '#gateway/batcher.ts'
import { deriveGateway, type GatewayIdentity } from '#gateway/identity.ts'
import { openJournal } from '#gateway/journal.ts'
import { openLedger } from '#gateway/ledger.ts'
import { adoptBatches } from '#gateway/recovery.ts'
import { cursorOf } from '#gateway/state.ts'
import { syntheticRecording } from '#scripts/synthetic/recording.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'
import { someReadings } from '#test/core/batch/fixtures.ts'

const CHILD = fileURLToPath(new URL('child-gateway.ts', import.meta.url))
const SECONDS = 300

interface Line {
  readonly row?: number
  readonly sequence?: number
  readonly header?: string
  readonly end?: boolean
}

describe('gateway that is killed', function () {
  this.timeout(120_000)
  let directory: string
  let identity: GatewayIdentity

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salus-crash-'))
    identity = await deriveGateway(p, new Uint8Array(32).fill(7))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  /** Runs the gateway, kills it after a number of lines, and returns what it said until then. */
  async function runUntil(file: string, killAfter: number): Promise<Line[]> {
    const child = spawn(process.execPath, [CHILD, directory, file], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines: Line[] = []
    for await (const text of createInterface({ input: child.stdout })) {
      lines.push(JSON.parse(text) as Line)
      if (lines.length === killAfter) child.kill('SIGKILL')
    }
    return lines
  }

  async function batches(files: BatchFiles): Promise<Batch[]> {
    const all: Batch[] = []
    for (const sequence of await files.kept()) {
      all.push(decodeBatch(p, await files.readBatch(sequence), identity.keys.bundle.sign))
    }
    return all
  }

  it('loses no acknowledged reading and signs no number twice, wherever kill -9 strikes', async () => {
    const file = join(directory, 'recording.csv')
    await writeFile(file, syntheticRecording({ seconds: SECONDS, seed: 5 }))
    const headers = new Map<number, string>()
    let lines: Line[] = []
    let rows = 0
    // At a batch, right after it, at a snapshot, in the middle.
    for (const killAfter of [11, 12, 40, 55, 33, 1, Infinity]) {
      lines = await runUntil(file, killAfter)
      for (const { row, sequence, header } of lines) {
        if (row != null) {
          expect(row, 'a row that was acknowledged is not asked for again').to.be.at.least(rows)
          rows = row + 1
        }
        if (sequence == null || header == null) continue
        expect(headers.get(sequence) ?? header).to.equal(header)
        headers.set(sequence, header)
      }
    }
    expect(lines.at(-1)?.end).to.equal(true)
    const all = await batches(await openBatchFiles(directory))
    let previous: Uint8Array | null = null
    for (const { signed } of all) {
      const { sequence } = requireNext(p, previous, signed.bytes)
      previous = signed.bytes
      expect(headers.get(sequence) ?? toHex(p.sha256(signed.bytes))).to.equal(toHex(p.sha256(signed.bytes)))
    }
    const pulses = all.flatMap(({ readings }) => readings.filter(r => r.stream.mdc === 147842).map(r => r.sequence))
    expect(pulses).to.deep.equal(Array.from({ length: SECONDS }, (_, i) => i))
  })

  it('signs the batch it had decided on again, to the same bytes', async () => {
    const components = await open()
    const { ledger, files } = components
    await ledger.record({ type: 'readings', source: 'monitor', next: 3, readings: someReadings(3), records: [] })
    await closeSpan(components, 0)
    const first = await files.readBatch(1)
    // As if the process had ended between the decision and the note that it was signed.
    const { state } = ledger
    await ledger.record({ type: 'readings', source: 'monitor', next: 5, readings: someReadings(2, 3), records: [] })
    const intent = { sequence: 2, secret: new Uint8Array(32), fromMs: state.toMs, toMs: state.toMs, span: 1, gaps: [] }
    await ledger.record({ type: 'intent', intent })
    await signIntent(components)
    const second = await files.readBatch(2)
    await ledger.close()
    const again = await open()
    expect([again.ledger.state.sequence, cursorOf(again.ledger.state, 'monitor')]).to.deep.equal([2, 5])
    expect(toHex(await again.files.readBatch(1))).to.equal(toHex(first))
    expect(toHex(await again.files.readBatch(2))).to.equal(toHex(second))
    await again.ledger.close()
  })

  it('takes over signed batches that a rotten journal no longer tells of, instead of signing others', async () => {
    const components = await open()
    await components.ledger.record({
      type: 'readings',
      source: 'monitor',
      next: 3,
      readings: someReadings(3),
      records: []
    })
    await closeSpan(components, 0)
    await components.ledger.record({
      type: 'readings',
      source: 'monitor',
      next: 6,
      readings: someReadings(3, 3),
      records: []
    })
    await closeSpan(components, 1)
    await components.ledger.close()
    const journal = join(directory, 'journal-1')
    const bytes = await readFile(journal)
    bytes[120]! ^= 1
    await writeFile(journal, bytes)

    const damaged = await open()
    expect(damaged.ledger.state.sequence).to.equal(0)
    expect(damaged.ledger.state.lostBytes).to.be.greaterThan(0)
    expect(await adoptBatches(damaged, ms => Math.floor(ms / 3000))).to.equal(2)
    const { sequence, pending, span } = damaged.ledger.state
    expect([sequence, cursorOf(damaged.ledger.state, 'monitor'), pending.length, span]).to.deep.equal([2, 6, 0, 1])
    await damaged.ledger.record({
      type: 'readings',
      source: 'monitor',
      next: 7,
      readings: someReadings(1, 6),
      records: []
    })
    await closeSpan(damaged, 2)
    const all = await batches(damaged.files)
    requireNext(p, all[1]!.signed.bytes, all[2]!.signed.bytes)
    expect(all[2]!.header.gaps.map(({ reason }) => reason)).to.deep.equal(['journal'])
    await damaged.ledger.close()
  })

  it('refuses a rotten snapshot', async () => {
    const { ledger } = await open()
    await ledger.compact()
    await ledger.close()
    const path = join(directory, 'state')
    const bytes = await readFile(path)
    bytes[50]! ^= 1
    await writeFile(path, bytes)
    await expectCode('JOURNAL_DIGEST', () => openLedger(directory))
  })

  it('cuts a torn or rotten journal back to its last whole record, and goes on', async () => {
    const path = join(directory, 'journal')
    const records = Array.from({ length: 20 }, (_, i) => new Uint8Array(5 + 7 * i).fill(i))
    const journal = await openJournal(path)
    await Promise.all(records.map(async record => journal.append(record)))
    await journal.close()
    const whole = await readFile(path)
    const random = seededRandom('torn journals')
    for (let round = 0; round < 150; round++) {
      const [a = 0, b = 0, c = 0] = random(3)
      const at = (a * 256 + b) % whole.length
      const damaged = Buffer.from(c % 2 === 0 ? whole.subarray(0, at) : whole)
      if (c % 2 === 1) damaged[at]! ^= 1 << (c >> 5)
      await writeFile(path, damaged)
      const opened = await openJournal(path)
      const found = opened.records.length
      expect(opened.records.map(toHex)).to.deep.equal(records.slice(0, found).map(toHex))
      expect(found).to.be.lessThan(20)
      await opened.append(new Uint8Array(3))
      await opened.close()
      const next = await openJournal(path)
      expect([next.records.length, next.lostBytes]).to.deep.equal([found + 1, 0])
      await next.close()
    }
    expect(await readdir(directory)).to.deep.equal(['journal'])
  })

  async function open(): Promise<Parameters<typeof closeSpan>[0]> {
    const ledger = await openLedger(directory)
    const files = await openBatchFiles(directory)
    if (ledger.state.patient == null) {
      const patient = { id: new Uint8Array(32).fill(2), keyBundle: new Uint8Array(32) }
      await ledger.record({ type: 'patient', patient })
    }
    const random = seededRandom('batch secrets')
    return { p, random, clock: () => 1_700_000_000_000, identity, ledger, files, network: new Uint8Array(32) }
  }
})

describe('journal', () => {
  it('names what it refuses', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'salus-journal-'))
    const journal = await openJournal(join(directory, 'journal'))
    await expectCode('JOURNAL_OVERSIZE', () => journal.append(new Uint8Array(2 ** 20 + 1)))
    const appends = Array.from({ length: 30 }, async () => journal.append(new Uint8Array(2 ** 20)))
    const outcomes = await Promise.allSettled(appends)
    const refused = outcomes.filter(each => each.status === 'rejected')
    expect(refused.every(each => isSalusError(each.reason, 'JOURNAL_BUSY'))).to.equal(true)
    expect(refused.length).to.be.greaterThan(0)
    await journal.close()
    await rm(directory, { recursive: true, force: true })
  })
})
