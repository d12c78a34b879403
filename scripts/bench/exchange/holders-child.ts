/** Holders of one file in a process of their own: honest ones, a liar and a slow one. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { lpStream } from '@libp2p/utils'
import { blockHeader, decodeRangeRequest } from '#core/network/range.ts'
import { RAW_CODEC, cidOfDigest } from '#core/record/cid.ts'
import { importFile } from '#node/network/import-file.ts'
import { RANGE_PROTOCOL } from '#node/network/range-serve.ts'
import { readBlock } from '#node/network/read-block.ts'
import { openBenchPeer, type BenchPeer } from '#scripts/bench/exchange/peer.ts'

const [, , directory = '', holders = '0', sizeBytes = '0'] = process.argv
/** The slow one sends a block in so long. */
const SLOW_MS = 1_000

/** Answers requests in another way from now on. */
async function answerBy(
  { host, exchange }: BenchPeer,
  answer: (digest: Uint8Array) => Promise<Uint8Array | undefined>
): Promise<void> {
  await exchange.stop()
  await host.libp2p.handle(RANGE_PROTOCOL, async stream => {
    const frames = lpStream(stream)
    try {
      for (;;) {
        for (const digest of decodeRangeRequest((await frames.read()).subarray())) {
          const bytes = await answer(digest)
          stream.send(blockHeader(bytes?.length))
          if (bytes != null) stream.send(bytes)
        }
      }
    } catch {
      // Whoever asked has had enough.
    }
  })
}

const content = randomBytes(Number(sizeBytes))
const peers: BenchPeer[] = []
let root = ''
for (let i = 0; i < Number(holders) + 2; i++) {
  const peer = await openBenchPeer(join(directory, String(i)))
  root = (await importFile(peer.host, [content])).cid.toString()
  peers.push(peer)
}
const [liar, slow, ...honest] = peers
const read = async (peer: BenchPeer, digest: Uint8Array): Promise<Uint8Array | undefined> =>
  readBlock(peer.blockstore, cidOfDigest(RAW_CODEC, digest))
if (liar == null || slow == null) throw new Error('no holders')
await answerBy(liar, async digest => {
  const bytes = await read(liar, digest)
  return bytes == null ? undefined : new Uint8Array(randomBytes(bytes.length))
})
await answerBy(slow, async digest => {
  await pause(SLOW_MS)
  return read(slow, digest)
})
const addressOf = ({ host }: BenchPeer): string => host.libp2p.getMultiaddrs()[0]?.toString() ?? ''
process.on('disconnect', () => process.exit())
process.send?.({ root, liar: addressOf(liar), slow: addressOf(slow), honest: honest.map(addressOf) })
