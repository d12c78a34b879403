import { readdir } from 'node:fs/promises'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { readLocalAccess } from '#node/auth/local-token.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'
import { osRandom } from '#scripts/story/people.ts'
import { createTestWorld, type TestWorld } from '#test/node/http/world.ts'

describe('a node that stops', function () {
  this.timeout(60_000)
  let world: TestWorld

  before(async () => {
    world = await createTestWorld()
  })
  after(async () => {
    await world.stop()
  })

  it('breaks off a scrub and says so to whoever waits for it, and leaves no token behind', async () => {
    let blockstore: DiskBlockstore | undefined
    const node = await world.node({
      operators: { scrubBytesPerSecond: 1 },
      services: context => {
        ;({ blockstore } = context)
        return []
      }
    })
    const { dataDir, url } = node
    const bytes = osRandom(1_000)
    await blockstore?.put(CID.createV1(raw.code, await sha256.digest(bytes)), bytes)
    const { token } = await readLocalAccess(dataDir)
    expect(await readdir(dataDir)).to.include('operator.json')
    const headers = { authorization: `Bearer ${token}` }
    const answer = await fetch(new URL('/v1/scrubs', url), { method: 'POST', headers })
    const [lines] = await Promise.all([answer.text(), node.stop()])
    expect(lines).to.include('"code":"UPKEEP_BROKEN_OFF"')
    expect(await readdir(dataDir)).to.not.include('operator.json')
  })
})
