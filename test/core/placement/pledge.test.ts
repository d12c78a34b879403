import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { CID } from 'multiformats/cid'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { decodeHoldAnswer, decodeHoldRequest, encodeHoldAnswer, encodeHoldRequest } from '#core/placement/hold.ts'
import { checkPledgeTime, decodePledge, signPledge, type Pledge } from '#core/placement/pledge.ts'
import { decodePledgesAnswer, decodePledgesRequest } from '#core/placement/pledge-exchange.ts'
import { encodePledgesAnswer, encodePledgesRequest } from '#core/placement/pledge-exchange.ts'
import * as proof from '#core/placement/proof.ts'
import { orderOf } from '#core/placement/order.ts'
import { createPeerTable, drawOf, seedOf } from '#core/placement/rendezvous.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { placementVectors } from '#scripts/vectors/placement-vectors.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'

const load = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8'))
const made = placementVectors(p)
const seed = new Uint8Array(32).fill(3)
const network = new Uint8Array(32).fill(9)
const pledge: Pledge = {
  network,
  peerKey: p.ed25519PublicKey(seed),
  bytes: 1_000,
  sequence: 5,
  validUntilS: 1_000_000,
  operator: 'o',
  region: '',
  addresses: []
}
const cid = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')

describe('formats of placement', () => {
  for (const name of ['placement', 'pledge', 'proof'] as const) {
    it(`makes the vectors of ${name}`, () => {
      expect(JSON.parse(JSON.stringify(made[name]))).to.deep.equal(load(name))
    })
  }

  it('has the draws of the vectors lead to their order', () => {
    const { peers, blobs } = made.placement
    const table = createPeerTable(peers.map(one => ({ ...one, seed: seedOf(fromHex(one.digest)) })))
    for (const { digest, order, draws } of blobs) {
      const blob = seedOf(fromHex(digest))
      expect(orderOf(table, blob, 9).map(at => table.peers[at]?.id)).to.deep.equal(order)
      const drawn = table.peers.map(one => drawOf(one.seed[0], one.seed[1], blob[0], blob[1]))
      expect(drawn).to.deep.equal(draws)
    }
  })

  it('reads a pledge that its peer signed, and no other', async () => {
    const bytes = signPledge(p, pledge, seed)
    expect(decodePledge(p, bytes, network)).to.deep.equal(pledge)
    await expectCode('PLEDGE_NETWORK', () => decodePledge(p, bytes, seed))
    const forged = signPledge(p, pledge, new Uint8Array(32).fill(4))
    await expectCode('PLEDGE_SIGNATURE', () => decodePledge(p, forged, network))
    await expectCode('PLEDGE_SHAPE', () => decodePledge(p, signPledge(p, { ...pledge, bytes: 2 ** 50 }, seed), network))
    await survivesMutations(bytes, { seed: 'pledge', count: 2_000 }, mutated => decodePledge(p, mutated, network))
  })

  it('takes a pledge at any clock that differs by an hour, and none that is made for ever', async () => {
    for (const nowS of [1_000_000, 1_003_600, 1_000_000 - 86_400 - 3_600]) checkPledgeTime(pledge, nowS)
    await expectCode('PLEDGE_EXPIRED', () => checkPledgeTime(pledge, 1_003_601))
    await expectCode('PLEDGE_FUTURE', () => checkPledgeTime(pledge, 1_000_000 - 86_400 - 3_601))
  })

  it('reads what it writes, and ends with a code whatever mutations make of it', async () => {
    const asked = { nonce: seed, leaseS: 60, blobs: [{ cid, sizeBytes: 12 }] }
    const news = { run: new Uint8Array(8), next: 7, pledges: [signPledge(p, pledge, seed)] }
    const forms: [string, Uint8Array, (bytes: Uint8Array) => unknown, unknown][] = [
      ['proof request', proof.encodeProofRequest(asked), proof.decodeProofRequest, asked],
      ['proof answer', proof.encodeProofAnswer([seed, null]), b => proof.decodeProofAnswer(b, 2), [seed, null]],
      ['hold request', encodeHoldRequest(asked.blobs), decodeHoldRequest, asked.blobs],
      ['hold answer', encodeHoldAnswer([true, false, true]), b => decodeHoldAnswer(b, 3), [true, false, true]],
      [
        'pledges request',
        encodePledgesRequest({ run: news.run, after: 3 }),
        decodePledgesRequest,
        { run: news.run, after: 3 }
      ],
      ['pledges answer', encodePledgesAnswer(news), decodePledgesAnswer, news]
    ]
    for (const [name, bytes, read, expected] of forms) {
      expect(read(bytes), name).to.deep.equal(expected)
      await survivesMutations(bytes, { seed: name, count: 2_000 }, read)
    }
    await expectCode('HOLD_SHAPE', () => decodeHoldAnswer(encodeHoldAnswer([true, true]), 1))
    await expectCode('PROOF_SHAPE', () => proof.decodeProofAnswer(proof.encodeProofAnswer([null]), 2))
  })

  it('asks for stretches inside the blob, others with every nonce, and all of a small one', () => {
    const large = { cid, sizeBytes: 5_000_000 }
    const ranges = proof.provenRanges(p, seed, large)
    expect(ranges).to.have.length(8)
    for (const { from, length } of ranges) expect(from + length).to.be.at.most(large.sizeBytes)
    expect(proof.provenRanges(p, network, large)).not.to.deep.equal(ranges)
    expect(proof.provenRanges(p, seed, { cid, sizeBytes: 32_768 })).to.deep.equal([{ from: 0, length: 32_768 }])
  })

  it('makes a proof that is good for its prover, nonce, blob and bytes only', () => {
    const parts = [new Uint8Array(10)]
    const blob = { cid, sizeBytes: 10 }
    const good = proof.proofOf(p, seed, network, blob, parts)
    expect(proof.isProven(good, proof.proofOf(p, seed, network, blob, parts))).to.equal(true)
    const others = [
      proof.proofOf(p, network, network, blob, parts),
      proof.proofOf(p, seed, seed, blob, parts),
      proof.proofOf(p, seed, network, { cid, sizeBytes: 11 }, parts),
      proof.proofOf(p, seed, network, blob, [new Uint8Array(9)])
    ]
    for (const other of [...others, null]) expect(proof.isProven(good, other)).to.equal(false)
    expect(toHex(good)).to.have.length(66)
  })
})
