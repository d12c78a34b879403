import { expect } from 'chai'
import { readAuthorEvidence } from '#core/agent/author.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import { decodeLogRow, encodeEvidenceRow, encodeHeaderRow, itemOf } from '#core/log/item.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createLogWorld, type LogWorld } from '#test/core/log/log-world.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'

describe('a row of the log', () => {
  let world: LogWorld
  let headerRow: Uint8Array
  let evidenceRow: Uint8Array

  before(async () => {
    world = await createLogWorld()
    const first = world.write(world.patient)
    const { header, cid } = world.write(world.doctor, { follows: [first] })
    headerRow = encodeHeaderRow(itemOf(header, cid, toHex(p.sha256(world.doctor.evidenceBytes))))
    const read = readAuthorEvidence(world.doctor.evidenceBytes, world.facts.record.target)
    evidenceRow = encodeEvidenceRow(toHex(new Uint8Array(32)), read)
  })

  it('comes back as it was', () => {
    const first = world.write(world.patient)
    const { header, cid } = world.write(world.doctor, { follows: [first, first] })
    const item = itemOf(header, cid, toHex(new Uint8Array(32)))
    expect(item.parents).to.deep.equal([first.name])
    expect(decodeLogRow(encodeHeaderRow(item))).to.deep.equal({ kind: 'header', item })
    for (const { evidenceBytes } of [world.patient, world.doctor]) {
      const evidence = readAuthorEvidence(evidenceBytes, world.facts.record.target)
      const name = toHex(p.sha256(evidenceBytes))
      const row = decodeLogRow(encodeEvidenceRow(name, evidence))
      if (row.kind !== 'evidence') throw new Error('a row of evidence was read as another')
      expect(row.name).to.equal(name)
      expect(row.evidence.sign).to.deep.equal(evidence.sign)
      expect('refused' in row.evidence.binding).to.equal('refused' in evidence.binding)
    }
  })

  it('is refused where it is damaged, with a code', async () => {
    await expectCode('LOG_ROW_SHAPE', () => decodeLogRow(encodeCanonical([2])))
    await expectCode('LOG_ROW_SHAPE', () => decodeLogRow(encodeCanonical({})))
    await expectCode('LOG_ROW_SHAPE', () => decodeLogRow(encodeCanonical([1, 'evidence', 1])))
    await expectCode('LOG_ROW_TRUNCATED', () => decodeLogRow(headerRow.slice(0, 40)))
    await expectCode('LOG_ROW_OVERSIZE', () => decodeLogRow(new Uint8Array(5000)))
    await survivesMutations(headerRow, { seed: 'header-row', count: 1500 }, decodeLogRow)
    await survivesMutations(evidenceRow, { seed: 'evidence-row', count: 1500 }, decodeLogRow)
  })
})
