/** Writes to a store while it backs it up over and over, until it is killed; tells its parent what was acknowledged and backed up. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { backUp } from '#node/store/backup/back-up.ts'
import { createBlockstore } from '#node/store/blocks.ts'
import { createMessageLog } from '#node/store/messages.ts'
import { openStore } from '#node/store/schema.ts'

const [, , dataDir = '', to = ''] = process.argv
const db = await openStore(dataDir)
const blockstore = createBlockstore({ db, directory: join(dataDir, 'blocks') })
await blockstore.start()
const log = createMessageLog({ db })

/** A message names its block, which is on the disk before it, as a node does it. */
async function write(): Promise<never> {
  for (let i = 0; ; i++) {
    const bytes = new Uint8Array(randomBytes(i % 3 === 0 ? 70_000 : 300))
    const cid = CID.createV1(raw.code, await sha256.digest(bytes))
    await blockstore.put(cid, bytes)
    const position = await log.append(cid.toString(), cid.bytes, [new Uint8Array(32)])
    process.send?.({ position })
  }
}

async function backUpForEver(): Promise<never> {
  for (;;) {
    const { snapshot } = await backUp({ db, dataDir, clock: Date.now }, { to })
    process.send?.({ snapshot })
  }
}

await Promise.all([write(), write(), backUpForEver()])
