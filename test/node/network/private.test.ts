import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { byteStream, multiaddrConnectionPair } from '@libp2p/utils'
import { SESSION_NONCE_BYTES, SESSION_TAG_BYTES } from '#core/network/private-session.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { createPrivateProtector } from '#node/network/private-protector.ts'
import { loadNetworkKey } from '#node/network/network-key.ts'
import { expectCode } from '#test/error-code.ts'
import { plainPeer, until, usePeers, type TestPeer } from '#test/node/network/peer.ts'

const networkKey = new Uint8Array(32).fill(5)
const admission = { mode: 'private', networkKey } as const

describe('a private network', () => {
  const peer = usePeers()

  async function isRefused(by: TestPeer, from: TestPeer['host']): Promise<void> {
    let refused: unknown
    await from.libp2p.dial(by.host.libp2p.getMultiaddrs()).catch((error: unknown) => (refused = error))
    expect(refused).to.not.equal(undefined)
    expect(by.host.libp2p.getConnections()).to.deep.equal([])
  }

  for (const transport of ['tcp', 'ws'] as const) {
    it(`carries much in both directions at once over ${transport}`, async () => {
      const listen = [`/ip4/127.0.0.1/tcp/0${transport === 'ws' ? '/ws' : ''}`]
      const a = await peer({ admission, listen })
      const b = await peer({ admission, peers: [a.address] })
      const sizeBytes = 8 << 20
      const sent = Buffer.alloc(sizeBytes, 'not all the same. ')
      await a.host.libp2p.handle('/test/echo', async stream => {
        const bytes = byteStream(stream, { maxBufferSize: 2 * sizeBytes })
        for (let left = sizeBytes; left > 0;) {
          const part = await bytes.read({ bytes: Math.min(left, 65_536) })
          left -= part.byteLength
          await bytes.write(part)
        }
      })
      const stream = await b.host.libp2p.dialProtocol(a.host.libp2p.getMultiaddrs(), '/test/echo')
      const bytes = byteStream(stream, { maxBufferSize: 2 * sizeBytes })
      const [, back] = await Promise.all([bytes.write(sent), bytes.read({ bytes: sizeBytes })])
      expect(sent.equals(back.subarray())).to.equal(true)
      await stream.close()
    })
  }

  it('refuses who has no key or another one, and who has one where none is wanted', async () => {
    const inside = await peer({ admission })
    const open = await peer()
    await isRefused(inside, open.host)
    await isRefused(inside, (await peer({ admission: { ...admission, networkKey: new Uint8Array(32) } })).host)
    await isRefused(open, inside.host)
  })

  it('tells an outsider nothing: random bytes, and no more', async () => {
    const inside = await peer({ admission })
    const port = Number(inside.address.split('/')[4])
    const heard: Buffer[] = []
    for (const guess of [0, 1]) {
      const socket = connect(port, '127.0.0.1')
      const chunks: Buffer[] = []
      socket.on('data', chunk => chunks.push(chunk))
      socket.on('error', () => undefined)
      socket.write(Buffer.alloc(SESSION_NONCE_BYTES + SESSION_TAG_BYTES, guess))
      await new Promise(resolve => socket.on('close', resolve))
      heard.push(Buffer.concat(chunks))
    }
    for (const bytes of heard) expect(bytes).to.have.length(SESSION_NONCE_BYTES + SESSION_TAG_BYTES)
    expect(heard[0]?.equals(heard[1] ?? Buffer.of())).to.equal(false)
  })

  it('gives a stock libp2p peer no identity and no list of protocols', async () => {
    const inside = await peer({ admission })
    const stranger = await plainPeer()
    try {
      let refused: unknown
      await stranger.dial(inside.host.libp2p.getMultiaddrs()).catch((error: unknown) => (refused = error))
      expect(refused).to.not.equal(undefined)
      await until('gone', () => inside.host.libp2p.getConnections().length === 0)
      for (const { protocols, peerRecordEnvelope } of await stranger.peerStore.all()) {
        expect(protocols).to.deep.equal([])
        expect(peerRecordEnvelope).to.equal(undefined)
      }
    } finally {
      await stranger.stop()
    }
  })

  it('does not let two connections to one peer answer each other', async () => {
    const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))
    const protector = createPrivateProtector({ p: nativePrimitives, random }, networkKey)
    const handshake = async (ends: ReturnType<typeof multiaddrConnectionPair>): Promise<string[]> => {
      const outcomes = await Promise.allSettled(ends.map(async end => protector.protect(end)))
      return outcomes.map(({ status }) => status)
    }
    expect(await handshake(multiaddrConnectionPair())).to.deep.equal(['fulfilled', 'fulfilled'])
    // What a stranger does who has no key: it calls twice, and hands each what it hears from the other.
    const crossed = multiaddrConnectionPair()
    for (const end of crossed) Object.assign(end, { direction: 'inbound' })
    expect(await handshake(crossed)).to.deep.equal(['rejected', 'rejected'])
  })

  it('reads its key from a file that only its owner can read', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'salus-key-'))
    const file = join(directory, 'network.key')
    try {
      await expectCode('NETWORK_KEY_MISSING', () => loadNetworkKey(file))
      await writeFile(file, `${'05'.repeat(32)}\n`, { mode: 0o600 })
      expect(await loadNetworkKey(file)).to.deep.equal(networkKey)
      await chmod(file, 0o640)
      await expectCode('NETWORK_KEY_MODE', () => loadNetworkKey(file))
      await chmod(file, 0o600)
      await writeFile(file, '05'.repeat(31))
      await expectCode('NETWORK_KEY_MALFORMED', () => loadNetworkKey(file))
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
