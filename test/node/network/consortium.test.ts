import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { concat, getBytes, hexlify, keccak256 } from 'ethers'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createFollower, type Follower } from '#node/chain/follower.ts'
import { loadOrCreateIdentity, peerSeedOf } from '#node/network/identity.ts'
import { createMembers, type FollowedMembers } from '#node/network/members.ts'
import { openDatabase, type Database } from '#node/store/database.ts'
import { openAnvil, type AnvilBackend } from '#test/contracts/backends/anvil.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { openOperator, type Operator, type Peer } from '#test/contracts/node-requests.ts'
import { log, openPeer, until, type TestPeer } from '#test/node/network/peer.ts'

describe('a consortium', function () {
  this.timeout(60_000)
  let backend: AnvilBackend
  let chain: TestChain
  let operator: Operator
  let directory: string
  let db: Database
  let follower: Follower
  let members: FollowedMembers
  let gate: TestPeer
  const opened: TestPeer[] = []

  before(async () => {
    backend = await openAnvil()
    chain = await openChain(backend)
    operator = openOperator(chain, accountKey('hospital'))
    await (await operator.accredit()).wait()
    directory = await mkdtemp(join(tmpdir(), 'salus-consortium-'))
    db = await openDatabase(join(directory, 'chain'))
    const { deployment } = chain
    follower = createFollower({ provider: backend.provider, deployment, db, log }, { pollMs: 20 })
    members = createMembers({ p, deployment })
    await follower.open()
    gate = await openPeer(join(directory, 'gate'), { admission: { mode: 'consortium' }, members })
  })

  after(async () => {
    for (const peer of opened) await peer.stop()
    await gate.stop()
    members.stop()
    await follower.stop()
    await db.close()
    await chain.close()
    await rm(directory, { recursive: true })
  })

  /** A peer with a key of its own, as the registry names it. */
  async function outsider(name: string): Promise<TestPeer & { readonly listed: Peer }> {
    const folder = join(directory, name)
    const seed = peerSeedOf(await loadOrCreateIdentity(join(folder, 'identity.key')))
    const key = hexlify(p.ed25519PublicKey(seed))
    const peer = await openPeer(folder, { listen: [] })
    opened.push(peer)
    return { ...peer, listed: { seed, key, node: keccak256(concat(['0x002408011220', key])) } }
  }

  const isIn = (peer: TestPeer): boolean => gate.host.libp2p.getConnections(peer.host.peerId).length > 0

  /** Dials once; a refusal shows here or at the gate. */
  async function dials(peer: TestPeer): Promise<boolean> {
    try {
      const connection = await peer.host.libp2p.dial(gate.host.libp2p.getMultiaddrs())
      await until('decided', () => isIn(peer) || connection.status !== 'open')
    } catch {
      return false
    }
    return isIn(peer)
  }

  async function followedHead(): Promise<void> {
    const head = await backend.provider.getBlockNumber()
    await until('followed', () => follower.status().blockNumber >= head)
  }

  it('lets nobody in before its chain is followed, then whom an organisation lists, until it is retired', async () => {
    const first = await outsider('first')
    await (await operator.list(first.listed)).wait()
    expect(await dials(first)).to.equal(false)
    await follower.start()
    members.follow(follower)
    await followedHead()
    const second = await outsider('second')
    expect(await dials(first)).to.equal(true)
    expect(await dials(second), 'not listed').to.equal(false)
    expect((await gate.host.libp2p.peerStore.all()).map(({ id }) => id.toString())).to.not.include(
      second.host.peerId.toString()
    )
    await (await operator.list(second.listed)).wait()
    await followedHead()
    expect(await dials(second)).to.equal(true)
    const { key } = first.listed
    expect(members.listed(getBytes(key))).to.deep.equal({ operator: operator.organisation, bytes: 2 ** 40 })
    await (await operator.retire(first.listed)).wait()
    await until('the retired one is out', () => !isIn(first))
    expect(isIn(second)).to.equal(true)
    expect(members.listed(getBytes(key))).to.equal(undefined)
    expect(await dials(first)).to.equal(false)
  })

  it('passes over a listing that the peer did not agree to', async () => {
    const third = await outsider('third')
    await (await operator.list(third.listed, { nodeProof: `0x${'07'.repeat(64)}` })).wait()
    await followedHead()
    expect(await dials(third)).to.equal(false)
  })

  it('closes connections when a listing ends by the chain’s time', async () => {
    const brief = await outsider('brief')
    const validUntil = (await chain.now()) + 1_000
    await (await operator.list(brief.listed, { validUntil })).wait()
    await followedHead()
    expect(await dials(brief)).to.equal(true)
    await chain.moveTo(validUntil)
    await until('out', () => !isIn(brief))
  })
})
