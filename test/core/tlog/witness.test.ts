import { expect } from 'chai'
import fc from 'fast-check'
import { equalBytes } from '#core/encoding/bytes.ts'
import { consistencyProof, rangeOf, rangeRoot } from '#core/batch/tree.ts'
import { parseCheckpointNote, signCheckpoint } from '#core/tlog/checkpoint.ts'
import { cosign, readCosignature, requireQuorum } from '#core/tlog/cosignature.ts'
import { decideWitness, encodeWitnessRequest, type WitnessDecision, type WitnessedHead } from '#core/tlog/witness.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { checkpointOf, LOG, LOG_SEED, logOf, witnessOf } from '#test/core/tlog/fixtures.ts'
import { expectCode } from '#test/error-code.ts'

const tree = logOf(100)
const fork = logOf(100, 'other')

function decide(body: string, latest?: WitnessedHead): WitnessDecision {
  return decideWitness(p, body, { logs: [LOG], latest: () => latest })
}
const headOf = (of: typeof tree, size: number): WitnessedHead => ({ size, root: rangeRoot(p, rangeOf(of, size)) })
const requestOf = (of: typeof tree, oldSize: number, size: number): string =>
  encodeWitnessRequest({ oldSize, path: consistencyProof(p, of, oldSize, size), checkpoint: checkpointOf(of, size) })

describe('witness', () => {
  it('cosigns what continues the head that it cosigned last', () => {
    for (const [from, to] of [
      [0, 0],
      [0, 1],
      [0, 100],
      [1, 100],
      [64, 65],
      [37, 100],
      [100, 100]
    ] as const) {
      const decision = decide(requestOf(tree, from, to), from === 0 ? undefined : headOf(tree, from))
      expect(decision.status, `${String(from)} to ${String(to)}`).to.equal(200)
    }
  })

  it('answers as the protocol says where it does not', () => {
    const good = requestOf(tree, 37, 100)
    const known = headOf(tree, 37)
    expect(decide('', known)).to.deep.equal({ status: 400 })
    expect(decide(good.replace('old 37', 'old 037'), known)).to.deep.equal({ status: 400 })
    expect(decide(`${good}${'x'.repeat(17_000)}`, known)).to.deep.equal({ status: 400 })
    expect(decide(good.replace('old 37', 'old 101'), headOf(tree, 100))).to.deep.equal({ status: 400 })
    expect(decide(good.replaceAll('log.example', 'other.example'), known)).to.deep.equal({ status: 404 })
    expect(decide(good.replace('\n100\n', '\n99\n'), known)).to.deep.equal({ status: 403 })
    expect(decide(good, headOf(tree, 40))).to.deep.equal({ status: 409, size: 40 })
    expect(decide(good)).to.deep.equal({ status: 409, size: 0 })
    expect(decide(good, headOf(fork, 37))).to.deep.equal({ status: 422 })
    expect(decide(requestOf(fork, 100, 100), headOf(tree, 100))).to.deep.equal({ status: 422 })
    const empty = signCheckpoint(p, { origin: LOG.origin, size: 0, root: new Uint8Array(32) }, LOG_SEED)
    expect(decide(encodeWitnessRequest({ oldSize: 0, path: [], checkpoint: empty }))).to.deep.equal({ status: 422 })
    const withPath = encodeWitnessRequest({ oldSize: 0, path: [new Uint8Array(32)], checkpoint: checkpointOf(tree, 9) })
    expect(decide(withPath)).to.deep.equal({ status: 422 })
  })

  it('never cosigns a fork or a step back, in whatever order heads come', () => {
    const step = fc.record({ isFork: fc.boolean(), isAware: fc.boolean(), old: fc.nat(100), size: fc.nat(100) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        let latest: WitnessedHead | undefined
        for (const { isFork, isAware, old, size } of steps) {
          const of = isFork ? fork : tree
          const oldSize = isAware ? (latest?.size ?? 0) : old
          if (oldSize > size) continue
          const decision = decide(requestOf(of, oldSize, size), latest)
          if (decision.status !== 200) continue
          const { root } = decision.checkpoint
          expect(decision.checkpoint.size).to.be.at.least(latest?.size ?? 0)
          const isTree = equalBytes(root, rangeRoot(p, rangeOf(tree, size)))
          if (latest != null && latest.size > 0) {
            expect(equalBytes(latest.root, rangeRoot(p, rangeOf(isTree ? tree : fork, latest.size)))).to.equal(true)
          }
          latest = { size, root }
        }
      }),
      { numRuns: 60 }
    )
  })
})

describe('cosignature', () => {
  const note = checkpointOf(tree)
  const witnesses = [0, 1, 2].map(witnessOf)
  const cosigned = witnesses.reduce(
    (text, witness) => text + cosign(p, parseCheckpointNote(text).text, 1_700_000_000, witness),
    note
  )

  it('tells who cosigned and when, and holds a note to a quorum', async () => {
    const parsed = parseCheckpointNote(cosigned)
    expect(requireQuorum(p, parsed, witnesses, 3)).to.deep.equal(
      witnesses.map(({ name }) => ({ name, timeS: 1_700_000_000 }))
    )
    expect(requireQuorum(p, parsed, [witnessOf(7), ...witnesses], 2)).to.have.length(3)
    expect(readCosignature(p, parsed, witnessOf(7))).to.equal(undefined)
    await expectCode('COSIGNATURE_QUORUM', () => requireQuorum(p, parsed, [witnessOf(7)], 1))
    await expectCode('COSIGNATURE_QUORUM', () => requireQuorum(p, parseCheckpointNote(note), witnesses, 1))
  })

  it('refuses one over another text, time or witness', async () => {
    const other = parseCheckpointNote(checkpointOf(tree, 50) + cosigned.split('\n').slice(5).join('\n'))
    await expectCode('COSIGNATURE_FORGED', () => requireQuorum(p, other, witnesses, 1))
    const byAnother = { ...witnesses[0]!, signSeed: witnesses[1]!.signSeed }
    const line = cosign(p, parseCheckpointNote(note).text, 5, byAnother)
    // The id in front names another key: it is passed over.
    expect(readCosignature(p, parseCheckpointNote(note + line), witnesses[0]!)).to.equal(undefined)
  })
})
