import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { SalusError } from '#core/error.ts'
import { dutyOf } from '#core/placement/decide.ts'
import { createPeerTable, seedOf } from '#core/placement/rendezvous.ts'
import { cidOfDigest, RAW_CODEC } from '#core/record/cid.ts'
import { createAuditor, type Auditor, type HeldBlob } from '#node/placement/audit.ts'
import { log } from '#test/node/network/peer.ts'
import { peers } from '#test/core/placement/peers.ts'

const RULES = { replicas: 3, takeOverMs: 1_000 }
const ME = 'p0'

/** Blobs that are here and belong here. */
function held(count: number): HeldBlob[] {
  return Array.from({ length: count }, (_, i) => {
    const digest = createHash('sha256')
      .update(`held ${String(i)}`)
      .digest()
    return { cid: cidOfDigest(RAW_CODEC, digest), sizeBytes: 10, seed: seedOf(digest), offered: false }
  })
}

describe('asking after replicas', () => {
  const table = createPeerTable(peers(8))
  const blobs = held(60)
  let elapsed = 0
  let distrusted: string[]
  let trusted: string[]
  /** Whether a peer proves a blob, by their names. */
  let proves: (peer: string, blob: string) => boolean | undefined

  function auditor(): Auditor {
    return createAuditor(
      {
        me: ME,
        members: { table: () => table, distrust: id => distrusted.push(id), trust: id => trusted.push(id) },
        reach: { reach: async () => Promise.resolve(true) },
        prove: async (peer, some) => Promise.resolve(some.map(({ cid }) => proves(peer, cid.toString()))),
        callUp: async () => Promise.resolve(),
        elapsedMs: () => elapsed,
        log
      },
      { rules: RULES, leaseS: 1, isVouched: () => true }
    )
  }

  /** Rounds an hour apart, each in pages. */
  async function rounds(count: number): Promise<void> {
    const one = auditor()
    for (let round = 0; round < count; round++) {
      for (let from = 0; from < blobs.length; from += 10) {
        await one.audit(blobs.slice(from, from + 10), new AbortController().signal)
      }
      one.judge()
      elapsed += 3_600_000
    }
  }

  beforeEach(() => {
    elapsed = 0
    distrusted = []
    trusted = []
  })

  it('leaves out who holds nothing of what it should, once a round, and nobody behind it', async () => {
    const isDuty = (peer: string, cid: string): boolean =>
      blobs.some(blob => blob.cid.toString() === cid && dutyOf(RULES, table, ME, blob.seed).includes(peer))
    // Who is behind the liar holds nothing either: nobody has called it up yet.
    proves = (peer, cid) => peer !== 'p1' && isDuty(peer, cid)
    await rounds(2)
    expect(distrusted).to.deep.equal(['p1'])
    expect(trusted).not.to.include('p1')
  })

  it('leaves out nobody who still fetches what it should hold, or has no room for some of it', async () => {
    let share = 0.1
    proves = (peer, cid) =>
      peer !== 'p1' || Number.parseInt(createHash('sha256').update(cid).digest('hex').slice(0, 4), 16) < share * 65_536
    for (share of [0.3, 0.6, 0.9]) await rounds(3)
    expect(distrusted).to.deep.equal([])
  })

  it('leaves out nobody who could not be asked', async () => {
    proves = peer => {
      if (peer === 'p1') throw new SalusError('PEER_NO_ANSWER', 'No answer.')
      return true
    }
    await rounds(3)
    expect(distrusted).to.deep.equal([])
  })
})
