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

const SIZE: PaperChainInit = { blocks: 400, eventsPerBlock: 2, mix: 'mixed' }
/** A grant that is never revoked, one that is revoked in block 4, and their patient. */
const LIVE = paperId('grant', 4)
const REVOKED = paperId('grant', 1)
const PATIENT = paperId('patient', 0)
const REFUSED = { error: { code: -32_601, message: 'not found' } }

const chain = createPaperChain(SIZE)
/** Chains that part from it. */
const branchAt = (branchesAt: number) => createPaperChain({ ...SIZE, branch: `from ${String(branchesAt)}`, branchesAt })

interface Log {
  readonly topics: readonly string[]
  readonly data: string
  readonly blockNumber: string
}

/** Gives no receipts, and logs of old blocks with one left out and one invented. */
const liesAboutLogs: Instead = (method, _, answer) => {
  if (method === 'eth_getBlockReceipts') return REFUSED
  if (method !== 'eth_getLogs') return undefined
  const logs = (answer as Log[]).filter(({ topics }) => topics[2] !== REVOKED)
  const last = logs.findLast(({ blockNumber }) => blockNumber === '0x3')
  const invented = last == null ? [] : [{ ...last, ...paperRevocation(PATIENT, LIVE), logIndex: '0x9' }]
  return [...logs, ...invented]
}

describe('a follower and lies about the past', function () {
  this.timeout(20_000)
  let network: PaperNetwork
  let fresh: string[]

  const peers = (count: number, head?: number): PaperPeer[] =>
    Array.from({ length: count }, (_, i) => paperPeer(chain, `rpc-${String(i)}`, head))

  before(async () => {
    const honest = await startPaperNetwork()
    await honest.follow(peers(1), { proveAll: true })
    fresh = await honest.rows('state/')
    await honest.stop()
  })
  beforeEach(async () => {
    network = await startPaperNetwork()
  })
  afterEach(async () => network.stop())

  for (const count of [2, 3]) {
    it(`does not believe one of ${String(count)} endpoints that leaves out and invents old logs and gives no receipts`, async () => {
      const [liar, ...honest] = peers(count) as [PaperPeer, ...PaperPeer[]]
      liar.instead = liesAboutLogs
      const follower = await network.follow([liar, ...honest])
      expect(follower.status().counters.lies).to.be.greaterThan(0)
      expect(await network.rows('state/')).to.deep.equal(fresh)
      expect(await network.rows('ended/')).to.deep.equal([])
    })
  }

  it('does not believe an endpoint about old logs because the others are away, and proves them where it can', async () => {
    const [liar, away] = peers(2) as [PaperPeer, PaperPeer]
    away.isAway = true
    liar.instead = liesAboutLogs
    const follower = await network.begin([liar, away])
    await until(() => follower.status().code === 'CHAIN_QUORUM')
    expect(follower.view().grant(LIVE)).to.equal(undefined)
    liar.instead = (method, params, answer) =>
      method === 'eth_getBlockReceipts' ? undefined : liesAboutLogs(method, params, answer)
    await until(() => follower.status().blockNumber === SIZE.blocks)
    expect(await network.rows('state/')).to.deep.equal(fresh)
  })

  it('asks a third endpoint where two have different old logs and neither can prove them', async () => {
    const [first, liar, third] = peers(3) as [PaperPeer, PaperPeer, PaperPeer]
    for (const one of [first, third]) {
      one.instead = method => (method === 'eth_getBlockReceipts' ? REFUSED : undefined)
    }
    liar.instead = liesAboutLogs
    await network.follow([first, liar, third])
    expect(await network.rows('state/')).to.deep.equal(fresh)
  })

  it('takes times of old blocks from their headers where other endpoints do not say them with the logs', async () => {
    const [liar, honest] = peers(2) as [PaperPeer, PaperPeer]
    liar.instead = (method, _, answer) =>
      method === 'eth_getLogs' ? (answer as Log[]).map(log => ({ ...log, blockTimestamp: '0x1' })) : undefined
    await network.follow([liar, honest])
    expect(await network.rows('state/')).to.deep.equal(fresh)
  })

  it('takes back no more blocks than the endpoints agree on, however deep the lead says that it goes', async () => {
    const [liar, one, other] = peers(3, 300) as [PaperPeer, PaperPeer, PaperPeer]
    const follower = await network.follow([liar, one, other])
    const [honest, deep] = [branchAt(299), branchAt(120)]
    for (const peer of [one, other]) Object.assign(peer, { chain: honest, head: 305 })
    Object.assign(liar, { chain: deep, head: 308 })
    await until(() => follower.status().blockNumber === 305)
    expect(follower.status().counters).to.include({ blocksTakenBack: 2, reorganisations: 1, rebuilds: 0 })
    expect(follower.status().state).to.equal('following')
    // Also where the first block of the liar's branch is one that all have.
    const mixed = branchAt(304)
    liar.instead = (method, params) =>
      method === 'eth_getBlockByNumber' && Number(params[0]) > 200 && Number(params[0]) < 304
        ? deep.answer(method, params)
        : undefined
    for (const peer of [liar, one, other]) Object.assign(peer, { chain: mixed, head: 306 })
    await until(() => follower.status().state !== 'following' || follower.status().blockNumber === 306)
    expect(follower.status().counters.rebuilds).to.equal(0)
  })

  it('does not build the index anew because one endpoint has another chain', async () => {
    const [liar, ...honest] = peers(3, 300) as [PaperPeer, ...PaperPeer[]]
    const follower = await network.follow([liar, ...honest])
    Object.assign(liar, { chain: branchAt(0), head: 310 })
    for (const one of honest) one.head = 305
    await until(() => follower.status().blockNumber === 305)
    expect(follower.status().counters).to.include({ rebuilds: 0, blocksTakenBack: 0 })
  })

  it('forgets what an endpoint alone said once it is caught, also after a restart; a false end does not stay', async () => {
    const [liar, ...honest] = peers(3) as [PaperPeer, ...PaperPeer[]]
    liar.instead = liesAboutLogs
    liar.head = 300
    const alone = await network.follow([liar])
    expect(alone.view().grant(LIVE)?.revokedAtS).to.not.equal(null)
    expect(await network.rows('unsure/')).to.have.lengthOf.greaterThan(0)
    liar.head = 400
    liar.instead = (method, params, answer) =>
      method === 'eth_getBlockReceipts' ? [] : liesAboutLogs(method, params, answer)
    const among = await network.follow([liar, ...honest])
    await until(() => among.status().blockNumber === SIZE.blocks)
    expect(among.status().counters).to.include({ rebuilds: 1 })
    expect(among.view().grant(LIVE)?.revokedAtS).to.equal(null)
    expect(await network.rows('state/')).to.deep.equal(fresh)
    expect(await network.rows('ended/')).to.deep.equal([])
  })

  it('votes on each block where headers are not proven', async () => {
    const [liar, ...honest] = peers(3, 20) as [PaperPeer, ...PaperPeer[]]
    const follower = await network.follow([liar, ...honest], { trustHeaders: true })
    const made = `0x${'ab'.repeat(32)}`
    liar.instead = (method, [number], answer) => {
      if (method === 'eth_getLogs') return (number as { blockHash?: string }).blockHash === made ? [] : undefined
      if (method !== 'eth_getBlockByNumber' || typeof answer !== 'object') return undefined
      if (number === '0x19') return { ...answer, hash: made }
      return number === '0x1a' ? { ...answer, parentHash: made } : undefined
    }
    for (const one of [liar, ...honest]) one.head = 28
    await until(() => follower.status().blockNumber === 28)
    const number = Array.from({ length: 8 }, (_, i) => follower.view().grant(paperId('grant', 42 + i)))
    expect(number.some(grant => grant != null)).to.equal(true)
    expect(await network.rows('undo/')).to.satisfy((rows: string[]) => rows.every(row => !row.includes(made)))
  })

  it('takes for final what others call final too', async () => {
    const [liar, ...honest] = peers(3, 60) as [PaperPeer, ...PaperPeer[]]
    const says = (final: string): Instead => {
      return (method, [tag]) =>
        method === 'eth_getBlockByNumber' && tag === 'finalized' ? chain.answer(method, [final]) : undefined
    }
    liar.instead = says('0x3c')
    for (const one of honest) one.instead = says('0x20')
    const follower = await network.follow([liar, ...honest], { finality: 'finalized' })
    expect(follower.status()).to.include({ blockNumber: 32, finalizedNumber: 32 })
  })
})
