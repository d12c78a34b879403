/** A peer in a process of its own: fetches a file, tells its parent of each part, and waits for its end after some. */
import { CID } from 'multiformats/cid'
import { openPeer, until } from '#test/node/network/peer.ts'

const [, , directory = '', address = '', root = '', parts = '0'] = process.argv
const { host, exchange } = await openPeer(directory, { peers: [address] })
process.on('disconnect', () => process.exit())
await until('connected', () => host.libp2p.getPeers().length > 0)
let received = 0
for await (const part of exchange.fetch(CID.parse(root), { maxBytes: 64 << 20, windowBytes: 2 << 20 })) {
  received += part.length > 0 ? 1 : 0
  process.send?.(received)
  if (received === Number(parts)) await new Promise(() => undefined)
}
