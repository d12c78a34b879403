import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { decodeBatch } from '#core/batch/batch.ts'
import type { Gap } from '#core/batch/header.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { openBatchFiles } from '#gateway/batch-files.ts'
import { closeSpan, type BatcherComponents } from '#gateway/batcher.ts'
import { deriveGateway, type GatewayIdentity } from '#gateway/identity.ts'
import { lastSequencesAfter } from '#gateway/last-sequences.ts'
import { openLedger } from '#gateway/ledger.ts'
import { adoptBatches } from '#gateway/recovery.ts'
import { expectCode } from '#test/error-code.ts'
import { random } from '#test/gateway/fresh.ts'
import { someReadings } from '#test/core/batch/fixtures.ts'

const spanOf = (): number => 0

describe('state of a gateway', () => {
  let directory: string
  let identity: GatewayIdentity

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salus-ledger-'))
    identity = await deriveGateway(p, new Uint8Array(32).fill(7))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  async function open(): Promise<BatcherComponents> {
    const ledger = await openLedger(directory)
    const files = await openBatchFiles(directory)
    const patient = { id: new Uint8Array(32).fill(2), keyBundle: new Uint8Array(32) }
    if (ledger.state.patient == null) await ledger.record({ type: 'patient', patient })
    return { p, random, clock: () => 1_700_000_000_000, identity, ledger, files, network: new Uint8Array(32) }
  }

  /** Takes in the readings of some seconds and signs them; returns the gaps of the batch. */
  async function sign(components: BatcherComponents, from: number, seconds = 2): Promise<readonly Gap[]> {
    const { ledger, files } = components
    const readings = someReadings(seconds, from)
    await ledger.record({ type: 'readings', source: 'monitor', next: from + seconds, readings, records: [] })
    const { sequence } = await closeSpan(components, from)
    return decodeBatch(p, await files.readBatch(sequence), identity.keys.bundle.sign).header.gaps
  }

  it('is open in one place at a time', async () => {
    const first = await openLedger(directory)
    await expectCode('GATEWAY_IN_USE', () => openLedger(directory))
    await first.compact()
    await expectCode('GATEWAY_IN_USE', () => openLedger(directory))
    await first.close()
    await writeFile(join(directory, 'state'), new Uint8Array(50))
    for (let attempt = 0; attempt < 2; attempt++) await expectCode('JOURNAL_DIGEST', () => openLedger(directory))
    await rm(join(directory, 'state'))
    await rm(join(directory, 'journal-2'))
    await (await openLedger(directory)).close()
  })

  it('signs nothing once it is lost and batches are missing before those that are there', async () => {
    const components = await open()
    for (const from of [0, 2, 4]) await sign(components, from)
    await components.files.forget(3)
    await components.ledger.close()
    await rm(join(directory, 'journal-1'))
    const lost = await open()
    await expectCode('GATEWAY_STATE_LOST', () => adoptBatches(lost, spanOf))
    expect(lost.ledger.state.sequence).to.equal(0)
    await lost.ledger.close()
  })

  it('is not begun anew, nor an old one gone on with, beside a later journal', async () => {
    const components = await open()
    await components.ledger.compact()
    const old = await readFile(join(directory, 'state'))
    await components.ledger.compact()
    await components.ledger.close()
    await writeFile(join(directory, 'state'), old)
    await expectCode('GATEWAY_STATE_LOST', () => openLedger(directory))
    await rm(join(directory, 'state'))
    await expectCode('GATEWAY_STATE_LOST', () => openLedger(directory))
    expect(await readdir(directory)).to.include('journal-3')
  })

  it('names a number that was skipped between two batches, whatever lies between them', async () => {
    const skipped = (fromSequence: number, toSequence: number): Gap[] => [
      { device: 'monitor', fromSequence, toSequence, reason: 'device' }
    ]
    const components = await open()
    expect(await sign(components, 0)).to.deep.equal([])
    expect(await sign(components, 2)).to.deep.equal([])
    expect(await sign(components, 5)).to.deep.equal(skipped(4, 4))
    // A batch of silence, a restart from the journal and one from a snapshot.
    await closeSpan(components, 7)
    await components.ledger.close()
    const again = await open()
    expect(await sign(again, 9)).to.deep.equal(skipped(7, 8))
    await again.ledger.compact()
    await again.ledger.close()
    const later = await open()
    expect(await sign(later, 12)).to.deep.equal(skipped(11, 11))
    await later.ledger.close()
    // Batches that are taken over count too.
    await rm(join(directory, 'state'))
    await rm(join(directory, 'journal-2'))
    const adopted = await open()
    expect(await adoptBatches(adopted, spanOf)).to.equal(6)
    expect(await sign(adopted, 15)).to.deep.equal(skipped(14, 14))
    await adopted.ledger.close()
  })

  it('remembers the devices that were heard of last', () => {
    const [reading] = someReadings(1)
    const heard = Array.from({ length: 300 }, (_, i) => ({
      ...reading!,
      stream: { ...reading!.stream, device: `d${String(i)}` }
    }))
    const last = lastSequencesAfter([{ device: 'd299', sequence: 7 }], heard)
    expect([last.length, last[0]?.device, last.at(-1)]).to.deep.equal([256, 'd44', { device: 'd299', sequence: 0 }])
  })
})
