import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadOrCreateIdentity } from '#node/network/identity.ts'
import { parseAddress } from '#node/network/supervisor.ts'
import { expectCode } from '#test/error-code.ts'
import { openPeer, until, usePeers } from '#test/node/network/peer.ts'

describe('host', () => {
  const peer = usePeers()

  it('connects to nobody it was not told of', async () => {
    await peer()
    const b = await peer()
    expect(b.host.libp2p.getPeers()).to.deep.equal([])
    expect(b.host.libp2p.getMultiaddrs().every(address => address.toString().startsWith('/ip4/127.0.0.1/'))).to.equal(
      true
    )
  })

  it('waits for a peer that is not there yet, and stops at once all the same', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'salus-peer-'))
    try {
      const first = await openPeer(directory)
      const { address } = first
      await first.stop()
      const waiting = await peer({ peers: [address] })
      const again = await openPeer(directory, { listen: [address.split('/p2p/')[0] ?? ''] })
      await until('connected', () => waiting.host.libp2p.getConnections(again.host.peerId).length > 0)
      await again.stop()
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  it('does not dial a peer that is cut off', async () => {
    const a = await peer()
    const b = await peer()
    b.bans.penalise(a.host.peerId.toString(), 100, 'TEST')
    let refused: unknown
    await b.host.libp2p.dial(a.host.libp2p.getMultiaddrs()).catch((error: unknown) => (refused = error))
    expect(refused).to.be.an('error')
  })

  it('says that an address or an identity cannot be read', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'salus-peer-'))
    try {
      const file = join(directory, 'identity.key')
      await writeFile(file, 'no key')
      await expectCode('IDENTITY_MALFORMED', () => loadOrCreateIdentity(file))
      await expectCode('PEER_ADDRESS_MALFORMED', () => parseAddress('localhost:4001'))
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
