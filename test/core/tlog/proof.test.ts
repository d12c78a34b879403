import { expect } from 'chai'
import fc from 'fast-check'
import { isSalusError } from '#core/error.ts'
import { inclusionProof } from '#core/batch/tree.ts'
import { parseCheckpointNote } from '#core/tlog/checkpoint.ts'
import { cosign } from '#core/tlog/cosignature.ts'
import { decodeTlogProof, encodeTlogProof, verifyTlogProof, type TlogPolicy } from '#core/tlog/proof.ts'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { checkpointOf, leafOf, LOG, logOf, witnessOf } from '#test/core/tlog/fixtures.ts'
import { expectCode } from '#test/error-code.ts'

const tree = logOf(1000)
const note = checkpointOf(tree)
const witness = witnessOf(0)
const checkpoint = note + cosign(p, parseCheckpointNote(note).text, 1_700_000_000, witness)
const policy: TlogPolicy = { log: LOG, witnesses: [witness], quorum: 1 }
const proof = { extra: new Uint8Array([1, 2]), index: 321, path: inclusionProof(p, tree, 321), checkpoint }
const text = encodeTlogProof(proof)

describe('tlog proof', () => {
  it('proves an entry offline, with every implementation of the primitives', () => {
    expect(decodeTlogProof(text)).to.deep.equal(proof)
    for (const primitives of [p, portablePrimitives]) {
      const { cosigned, checkpoint: head } = verifyTlogProof(primitives, decodeTlogProof(text), leafOf(321), policy)
      expect([head.size, cosigned]).to.deep.equal([1000, [{ name: witness.name, timeS: 1_700_000_000 }]])
    }
  })

  it('may come without anything extra, and with an empty path', () => {
    const small = { extra: null, index: 0, path: [], checkpoint: checkpointOf(logOf(1)) }
    const read = decodeTlogProof(encodeTlogProof(small))
    expect(read).to.deep.equal(small)
    verifyTlogProof(p, read, leafOf(0), { ...policy, quorum: 0 })
  })

  it('names what is wrong', async () => {
    const verify = (change: Partial<typeof proof>, leaf = leafOf(321), trusted = policy) =>
      verifyTlogProof(p, { ...proof, ...change }, leaf, trusted)
    await expectCode('TLOG_PROOF_INCLUSION', () => verify({}, leafOf(320)))
    await expectCode('TLOG_PROOF_INCLUSION', () => verify({ index: 320 }))
    await expectCode('TLOG_PROOF_INCLUSION', () => verify({ path: proof.path.slice(1) }))
    await expectCode('CHECKPOINT_SIGNATURE', () => verify({ checkpoint: checkpoint.replace('\n1000\n', '\n1001\n') }))
    await expectCode('CHECKPOINT_ORIGIN', () => verify({}, leafOf(321), { ...policy, log: { ...LOG, origin: 'x' } }))
    await expectCode('CHECKPOINT_MALFORMED', () => verify({ checkpoint: 'x' }))
    await expectCode('COSIGNATURE_QUORUM', () => verify({ checkpoint: note }))
    for (const bad of [
      '',
      text.replace('@v1', '@v2'),
      text.replace('index 321', 'index 0321'),
      text.replace('index', 'indx')
    ]) {
      await expectCode('TLOG_PROOF_MALFORMED', () => decodeTlogProof(bad))
    }
    await expectCode('TLOG_PROOF_MALFORMED', () =>
      decodeTlogProof(encodeTlogProof({ ...proof, path: Array(49).fill(leafOf(1)) }))
    )
  })

  it('accepts no changed character but in what nobody signed', () => {
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom('a', 'B', '7', '\n', '='), (at, letter) => {
        if (text[at] === letter) return
        const changed = text.slice(0, at) + letter + text.slice(at + 1)
        try {
          const read = decodeTlogProof(changed)
          verifyTlogProof(p, read, leafOf(321), policy)
        } catch (error) {
          if (!isSalusError(error)) throw error
          return
        }
        expect(changed.slice(0, changed.indexOf('\nindex')), 'only extra data is free').to.not.equal(
          text.slice(0, text.indexOf('\nindex'))
        )
      }),
      { numRuns: 300 }
    )
  })
})
