import { expect } from 'chai'
import { createPaperChain, paperId, paperRevocation, type PaperChainInit } from '#scripts/bench/node/paper-chain.ts'
import type { Instead } from '#test/node/chain/paper-endpoint.ts'
import {
  paperPeer,
  startPaperNetwork,
  until,
  type PaperNetwork,
  type PaperPeer
} from '#test/node/chain/paper-network.ts'

const SIZE: PaperChainInit = { blocks: 60, eventsPerBlock: 2, mix: 'mixed' }
/** A grant that the chain opens in block 2 and does not revoke, one that it revokes in block 4, and their patient. */
const LIVE = paperId('grant', 4)
const REVOKED = paperId('grant', 1)
const PATIENT = paperId('patient', 0)
const REFUSED = { error: { code: -32_601, message: 'not found' } }

const chain = createPaperChain(SIZE)
const forged = createPaperChain({
  ...SIZE,
  branch: 'forged',
  branchesAt: 21,
  instead: number => (number === 22 ? [paperRevocation(PATIENT, LIVE)] : undefined)
})
/** Receipts are not given, and logs not as they are. */
const unproven =
  (logs: (logs: { topics: string[] }[]) => unknown): Instead =>
  (method, _, answer) =>
    method === 'eth_getBlockReceipts' ? REFUSED : method === 'eth_getLogs' ? logs(answer as []) : undefined
const withoutRevocations = unproven(logs => logs.filter(({ topics }) => topics[2] !== REVOKED))

describe('a follower among liars', function () {
  this.timeout(20_000)
  let network: PaperNetwork

  const peers = (count: number, head: number): PaperPeer[] =>
    Array.from({ length: count }, (_, i) => paperPeer(chain, `rpc-${String(i)}`, head))

  beforeEach(async () => {
    network = await startPaperNetwork()
  })
  afterEach(async () => network.stop())

  it('adds nothing, and says that it waits, while two endpoints have different chains', async () => {
    const [liar, honest] = peers(2, 20) as [PaperPeer, PaperPeer]
    const follower = await network.follow([liar, honest])
    Object.assign(liar, { chain: forged, head: 43 })
    honest.head = 40
    await until(() => follower.status().state === 'waiting')
    expect(follower.status()).to.include({ code: 'CHAIN_DISPUTED', blockNumber: 20 })
    expect(follower.view().grant(LIVE)?.revokedAtS).to.equal(null)
    liar.isAway = true
    await until(() => follower.status().blockNumber === 40)
    expect(follower.status()).to.include({ state: 'following', code: null })
    expect(follower.view().grant(LIVE)?.revokedAtS).to.equal(null)
  })

  it('asks for a block only when both of two endpoints have it, and not for ever of one that lags', async () => {
    const [late, first] = peers(2, 20) as [PaperPeer, PaperPeer]
    const follower = await network.follow([late, first])
    first.head = 40
    const looks = (): number => follower.status().endpoints[0]?.requests ?? 0
    const enough = looks() + 10
    await until(() => looks() > enough)
    expect(follower.status().blockNumber).to.equal(20)
    // A block now and then is not keeping up.
    late.head = 21
    network.aheadMs += 31_000
    await until(() => follower.status().blockNumber === 40)
  })

  it('says that it waits where blocks that it added are disputed by as many', async () => {
    const [liar, honest] = peers(2, 20) as [PaperPeer, PaperPeer]
    const follower = await network.follow([liar, honest])
    honest.isAway = true
    Object.assign(liar, { chain: forged, head: 30 })
    await until(() => follower.status().blockNumber === 30)
    Object.assign(honest, { head: 30, isAway: false })
    await until(() => follower.status().state === 'waiting' && follower.status().code === 'CHAIN_DISPUTED')
    expect(follower.status().blockNumber).to.equal(30)
    expect(follower.status().counters.blocksTakenBack).to.equal(0)
  })

  const withheld: readonly (readonly [string, Instead])[] = [
    [
      'gives no new block',
      (method, [number]) => (method === 'eth_getBlockByNumber' && Number(number) > 20 ? { result: null } : undefined)
    ],
    [
      'gives another chain’s new blocks',
      (method, params) =>
        method === 'eth_getBlockByNumber' && Number(params[0]) > 20 ? forged.answer(method, params) : undefined
    ],
    [
      'gives blocks that do not hang together',
      (method, params) =>
        method === 'eth_getBlockByNumber' && Number(params[0]) > 21 ? forged.answer(method, params) : undefined
    ]
  ]
  for (const [name, instead] of withheld) {
    for (const count of [2, 3]) {
      it(`goes on with another of ${String(count)} endpoints where the first one ${name}`, async () => {
        const [liar, ...honest] = peers(count, 20) as [PaperPeer, ...PaperPeer[]]
        const follower = await network.follow([liar, ...honest])
        // Of two that disagree nobody knows which to believe; one that gives nothing does not disagree.
        const isForged = count === 2 && !name.includes('no new block')
        liar.instead = (method, params, answer) =>
          method === 'eth_blockNumber' ? '0x2b' : instead(method, params, answer)
        for (const one of honest) one.head = 40
        await until(() => (isForged ? follower.status().state === 'waiting' : follower.status().blockNumber === 40))
        expect(follower.view().grant(LIVE)?.revokedAtS).to.equal(null)
        if (!isForged) expect(follower.status().state).to.equal('following')
      })
    }
  }

  it('says that it waits while a sole endpoint speaks of blocks that it does not give', async () => {
    const [peer] = peers(1, 20) as [PaperPeer]
    const follower = await network.follow([peer])
    peer.instead = method => (method === 'eth_blockNumber' ? '0x28' : undefined)
    await until(() => follower.status().code === 'CHAIN_WITHHELD' && follower.status().state === 'waiting')
    peer.head = 40
    await until(() => follower.status().blockNumber === 40 && follower.status().state === 'following')
  })

  it('believes logs without receipts only where another endpoint of three gives the same', async () => {
    const [liar, slow, honest] = peers(3, 1) as [PaperPeer, PaperPeer, PaperPeer]
    const follower = await network.follow([liar, slow, honest])
    liar.instead = withoutRevocations
    // It has the blocks, and fails whenever it is asked for more.
    slow.instead = method => (method.startsWith('eth_get') && method !== 'eth_getBlockByNumber' ? REFUSED : undefined)
    honest.instead = method => (method === 'eth_getBlockReceipts' ? REFUSED : undefined)
    for (const one of [liar, slow, honest]) one.head = 8
    await until(() => follower.status().state === 'waiting')
    expect(follower.status().blockNumber).to.be.lessThan(4)
    slow.instead = () => undefined
    await until(() => follower.status().blockNumber === 8)
    expect(follower.view().grant(REVOKED)?.revokedAtS).to.not.equal(null)
  })

  it('does not take the logs of an endpoint that has not got the block for a second opinion', async () => {
    const [liar, late, away] = peers(3, 1) as [PaperPeer, PaperPeer, PaperPeer]
    const follower = await network.follow([liar, late, away], { quorum: 1 })
    away.isAway = true
    liar.instead = withoutRevocations
    late.instead = (method, [number], answer) =>
      method === 'eth_getBlockByNumber' && Number(number) > 1
        ? { result: null }
        : unproven(() => [])(method, [number], answer)
    for (const one of [liar, late]) one.head = 8
    await until(() => follower.status().state === 'waiting')
    expect(follower.status().blockNumber).to.be.lessThan(4)
  })

  it('blames nobody where all have headers of rules that it does not know', async () => {
    const all = peers(3, 20)
    const follower = await network.follow(all)
    const { requests } = follower.status().endpoints[2] ?? { requests: 0 }
    for (const one of all) {
      one.head = 24
      one.instead = (method, [number], answer) =>
        method === 'eth_getBlockByNumber' && Number(number) > 20
          ? { ...(answer as object), extraData: '0x77' }
          : undefined
    }
    await until(() => follower.status().state === 'waiting' && follower.status().code === 'CHAIN_HEADER_RULES')
    await until(() => (follower.status().endpoints[2]?.requests ?? 0) > requests + 5)
    expect(follower.status()).to.deep.include({ blockNumber: 20 })
    expect(follower.status().counters).to.include({ lies: 0, rebuilds: 0 })
    expect(follower.status().endpoints.map(({ state }) => state)).to.deep.equal(['good', 'good', 'good'])
    for (const one of all) one.instead = () => undefined
    await until(() => follower.status().blockNumber === 24)
  })
})
