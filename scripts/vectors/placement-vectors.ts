/** Vectors of docs/specs/{placement,pledge,proof}.md. */
import { CID } from 'multiformats/cid'
import type { Primitives } from '#core/crypto/primitives.ts'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { orderOf } from '#core/placement/order.ts'
import { signPledge } from '#core/placement/pledge.ts'
import { encodeProofAnswer, encodeProofRequest, proofOf, provenRanges } from '#core/placement/proof.ts'
import { createPeerTable, drawOf, seedOf } from '#core/placement/rendezvous.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'] as const

/** Files by name. */
export function placementVectors(p: Primitives) {
  return { placement: orders(p), pledge: pledges(p), proof: proofs(p) }
}

function orders(p: Primitives) {
  const peers = NAMES.map((id, i) => ({
    id,
    digest: toHex(p.sha256(utf8(`peer ${id}`))),
    weight: 2 ** (30 + i),
    operator: i < 4 ? 'one' : ''
  }))
  const table = createPeerTable(peers.map(peer => ({ ...peer, seed: seedOf(p.sha256(utf8(`peer ${peer.id}`))) })))
  const blobs = Array.from({ length: 8 }, (_, i) => {
    const digest = p.sha256(utf8(`blob ${String(i)}`))
    const [high, low] = seedOf(digest)
    return {
      digest: toHex(digest),
      draws: table.peers.map(({ seed }) => drawOf(seed[0], seed[1], high, low)),
      order: orderOf(table, [high, low], NAMES.length).map(at => table.peers[at]?.id ?? '')
    }
  })
  return {
    description:
      'Draws, in the order of the peers, and orders for blobs (docs/specs/placement.md); digests stand for those of keys and CIDs',
    peers,
    blobs
  }
}

function pledges(p: Primitives) {
  const seed = new Uint8Array(32).fill(1)
  const network = new Uint8Array(32).fill(2)
  const pledge = {
    network,
    peerKey: p.ed25519PublicKey(seed),
    bytes: 2 ** 40,
    sequence: 1_795_300_000_000,
    validUntilS: 1_795_386_400,
    operator: 'City Hospital',
    region: 'eu-west',
    addresses: [Uint8Array.of(4, 127, 0, 0, 1, 6, 0x0f, 0xa1)]
  }
  return {
    description: 'Pledges (docs/specs/pledge.md); the seed of the key is 32 bytes of 1',
    network: toHex(network),
    peerKey: toHex(pledge.peerKey),
    valid: [toHex(signPledge(p, pledge, seed)), toHex(signPledge(p, { ...pledge, bytes: 0, addresses: [] }, seed))],
    invalid: [
      { code: 'PLEDGE_SIGNATURE', bytes: toHex(signPledge(p, pledge, network)) },
      { code: 'PLEDGE_SHAPE', bytes: toHex(signPledge(p, { ...pledge, bytes: 2 ** 46 + 1 }, seed)) }
    ]
  }
}

function proofs(p: Primitives) {
  const cid = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
  const nonce = new Uint8Array(32).fill(3)
  const prover = utf8('prover')
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251)
  const cases = [1_000, bytes.length].map(sizeBytes => {
    const blob = { cid, sizeBytes }
    const ranges = provenRanges(p, nonce, blob)
    const parts = ranges.map(({ from, length }) => bytes.subarray(from, from + length))
    return { sizeBytes, ranges, proof: toHex(proofOf(p, nonce, prover, blob, parts)) }
  })
  return {
    description:
      'Proofs of possession (docs/specs/proof.md) of blobs whose i-th byte is i modulo 251; the CID stands for any, "prover" for a peer id',
    cid: cid.toString(),
    nonce: toHex(nonce),
    prover: toHex(prover),
    cases,
    request: toHex(encodeProofRequest({ nonce, leaseS: 3_600, blobs: [{ cid, sizeBytes: 1_000 }] })),
    answer: toHex(encodeProofAnswer([nonce, null]))
  }
}
