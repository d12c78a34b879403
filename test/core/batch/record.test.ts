import { expect } from 'chai'
import fc from 'fast-check'
import { isSalusError } from '#core/error.ts'
import { batchTree, buildBatch, buildBatchInSteps, decodeBatch, leafIndex } from '#core/batch/batch.ts'
import { gatewayLogOrigin, makeTlogProof, verifyGatewayProof } from '#core/batch/gateway-log.ts'
import { decodeRecord, encodeRecord, RECORD_KINDS, type BatchRecord } from '#core/batch/record.ts'
import { createTree, rangeOf, rangeRoot } from '#core/batch/tree.ts'
import { signCheckpoint } from '#core/tlog/checkpoint.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { AUTHOR, bytes32, SIGN_KEY, someReadings, START_MS } from '#test/core/batch/fixtures.ts'
import { expectCode } from '#test/error-code.ts'

const records = RECORD_KINDS.map((kind, i): BatchRecord => ({ kind, atMs: START_MS + i, body: bytes32(i) }))
const span = { sequence: 1, previous: null, secret: bytes32(9), fromMs: START_MS, toMs: START_MS + 3000, gaps: [] }
const input = { ...span, readings: someReadings(3), records }

describe('record of a batch', () => {
  it('is read back, and refused in any other form', async () => {
    for (const record of records) expect(decodeRecord(encodeRecord(record))).to.deep.equal(record)
    const [first] = records
    await expectCode('RECORD_SHAPE', () => decodeRecord(encodeRecord({ ...first!, kind: 'other' as never })))
    await expectCode('RECORD_SHAPE', () => decodeRecord(encodeRecord({ ...first!, atMs: -1 })))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), bytes => {
        try {
          decodeRecord(bytes)
        } catch (error) {
          if (!isSalusError(error)) throw error
        }
      })
    )
  })

  it('is a leaf behind the readings, and as hard to take away', () => {
    const { batch, bytes } = buildBatch(p, AUTHOR, createTree(), input)
    expect(decodeBatch(p, bytes, SIGN_KEY)).to.deep.equal(batch)
    expect(batch.header.count).to.equal(6 + records.length)
    const without = buildBatch(p, AUTHOR, createTree(), { ...input, records: [] })
    expect(without.batch.header.root).to.not.deep.equal(batch.header.root)
    const steps = buildBatchInSteps(p, AUTHOR, createTree(), input)
    let step = steps.next()
    while (step.done !== true) step = steps.next()
    expect(step.value.bytes).to.deep.equal(bytes)
  })

  it('and each reading beside it, is proven to whoever trusts the log, and nothing else is shown', async () => {
    const tree = createTree()
    const { batch } = buildBatch(p, AUTHOR, tree, input)
    const origin = gatewayLogOrigin(AUTHOR.network, AUTHOR.gateway)
    const note = signCheckpoint(p, { origin, size: tree.size, root: rangeRoot(p, rangeOf(tree)) }, AUTHOR.signSeed)
    const policy = { log: { origin, publicKey: SIGN_KEY }, witnesses: [], quorum: 0 }
    for (let position = 0; position < 6 + records.length; position++) {
      const proof = makeTlogProof(p, batchTree(p, batch), batch, position, { note, size: tree.size })
      const { content, index } = verifyGatewayProof(p, proof, policy)
      expect(index).to.equal(leafIndex(batch.header, position))
      expect(content).to.deep.equal(
        position < 6
          ? { type: 'reading', reading: batch.readings[position] }
          : { type: 'record', record: records[position - 6] }
      )
    }
    await expectCode('BUNDLE_POSITION', () => makeTlogProof(p, tree, batch, 99, { note, size: tree.size }))
    const proof = makeTlogProof(p, batchTree(p, batch), batch, 2, { note, size: tree.size })
    await expectCode('LEAF_TRUNCATED', () => verifyGatewayProof(p, proof.replace(/extra .*\n/, ''), policy))
    const other = makeTlogProof(p, batchTree(p, batch), batch, 3, { note, size: tree.size })
    const mixed = proof.replace(/extra .*\n/, /extra .*\n/.exec(other)?.[0] ?? '')
    await expectCode('TLOG_PROOF_INCLUSION', () => verifyGatewayProof(p, mixed, policy))
  })
})
