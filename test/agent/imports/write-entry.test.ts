import { expect } from 'chai'
import type { Agent } from '#agent/agent.ts'
import { writeEntry } from '#agent/imports/write-entry.ts'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import type { PlannedEntry } from '#core/fhir/import/planned-entry.ts'
import { dayOf } from '#core/record/day.ts'
import { openTwoDevices, type TwoDevices } from '#test/agent/two-devices.ts'

const NOW_MS = 1_795_180_000_000
const ENTRY = new Uint8Array(16).fill(7)
const FIRST = { recordedAtMs: NOW_MS, revision: 1, parents: [] }

describe('an entry of an import', () => {
  let devices: TwoDevices
  let first: Agent
  let second: Agent

  beforeEach(async () => {
    devices = await openTwoDevices(NOW_MS)
    ;({ first, second } = devices)
  })

  afterEach(async () => devices.close())

  const planned = (body: Uint8Array): PlannedEntry => ({
    ...{ name: 'Observation/1', kind: 'resource', entry: ENTRY, type: 'application/fhir+json' },
    ...{ compartment: 'labs', day: dayOf(NOW_MS), body }
  })

  it('is written once, however often it is imported', async () => {
    for (const body of [utf8('{"a":1}'), new Uint8Array(100_000).map((_, i) => (i * 7919) >> 5)]) {
      const entry = { ...planned(body), entry: body.slice(0, 16) }
      while (entry.entry.length < 16) entry.entry = new Uint8Array([...entry.entry, 1])
      expect(await writeEntry(first, entry, FIRST)).to.be.a('string')
      expect(await writeEntry(first, entry, FIRST)).to.equal(undefined)
      expect(await writeEntry(second, entry, FIRST)).to.equal(undefined)
      expect(await first.outbox.names()).to.deep.equal([])
      expect((await first.record.open(toHex(entry.entry))).content.body).to.deep.equal(body)
    }
  })

  it('is told on top of what another device brought at once', async () => {
    const one = await writeEntry(first, planned(utf8('{"v":1}')), FIRST)
    const next = { recordedAtMs: NOW_MS, revision: 2, parents: [one ?? ''] }
    await writeEntry(second, planned(utf8('{"v":2}')), next)
    expect(await writeEntry(first, planned(utf8('{"v":3}')), next)).to.equal(undefined)
    await first.operations.resume()
    const { read } = await second.record.read(toHex(ENTRY))
    expect(read.history.map(({ content }) => new TextDecoder().decode(content?.body))).to.deep.equal([
      '{"v":1}',
      '{"v":2}',
      '{"v":3}'
    ])
  })
})
