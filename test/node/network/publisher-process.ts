/** A peer in a process of its own: imports random bytes, tells its parent where they are, and serves them until it is killed. */
import { createHash, randomBytes } from 'node:crypto'
import { importFile } from '#node/network/import-file.ts'
import { openPeer } from '#test/node/network/peer.ts'

const [, , directory = '', sizeBytes = '0'] = process.argv
const content = randomBytes(Number(sizeBytes))
const { host, address } = await openPeer(directory)
const { cid } = await importFile(host, [content])
process.on('disconnect', () => process.exit())
process.send?.({ address, cid: cid.toString(), digest: createHash('sha256').update(content).digest('hex') })
