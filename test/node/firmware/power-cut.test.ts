import { execFile } from 'node:child_process'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { generatedImage, importImage, startWorld, type World } from '#test/node/firmware/world.ts'

const CHILD = fileURLToPath(new URL('update-process.ts', import.meta.url))
const run = promisify(execFile)

/** Runs an update in a process of its own, from a peer or a file; `undefined` if it was killed on the way. */
async function update(directory: string, from: string, killAt = ''): Promise<Record<string, unknown> | undefined> {
  try {
    const { stdout } = await run(process.execPath, [CHILD, directory, from, killAt], { timeout: 30_000 })
    const lines = stdout.trim().split('\n')
    return { ...(JSON.parse(lines.at(-1) ?? '{}') as object), lines: lines.map(line => JSON.parse(line) as object) }
  } catch (error) {
    if ((error as { signal?: string }).signal === 'SIGKILL') return undefined
    throw error
  }
}

describe('an update cut off by a loss of power', () => {
  let world: World
  before(async function () {
    this.timeout(60_000)
    world = await startWorld()
  })
  after(async () => world.close())

  it('leaves the old firmware or the new one at every step, and ends well the next time', async function () {
    this.timeout(120_000)
    const model = await world.newModel('pacemaker programmer')
    const maker = await world.maker([], ['/ip4/127.0.0.1/tcp/0'])
    const address = maker.host.libp2p.getMultiaddrs()[0]!.toString()
    const [old, next] = [generatedImage('old', 20_000), generatedImage('new', 2_500_000)]
    await world.publish(model, await importImage(maker, old), '1.0', 1)
    const { directory, files } = await world.device(model)
    await world.update(directory, [address])
    await world.publish(model, await importImage(maker, next), '2.0', 2)

    const file = join(directory, 'from-a-peer')
    await writeFile(file, next)

    let cuts = 0
    for (; (await update(directory, file, String(cuts))) == null; cuts++) {
      const { installed, securityFloor } = await files.readState()
      expect([installed?.version, securityFloor]).to.be.deep.oneOf([
        ['1.0', 1],
        ['2.0', 2]
      ])
      const image = await readFile(files.imagePath(installed!.sha256))
      expect(image.equals(installed?.version === '1.0' ? old : next)).to.equal(true)
    }
    expect(cuts).to.be.greaterThan(6)
    expect((await files.readState()).installed?.version).to.equal('2.0')
    expect(await readdir(join(directory, 'images'))).to.have.length(2)
    expect(await readdir(directory)).to.not.include('update.cbor')
  })

  it('goes on with the blocks that came, from another peer', async function () {
    this.timeout(60_000)
    const model = await world.newModel('dialysis machine')
    const maker = await world.maker([], ['/ip4/127.0.0.1/tcp/0'])
    const image = await importImage(maker, generatedImage('dialysis', 6_500_000))
    await world.publish(model, image, '1.0')
    const { directory } = await world.device(model)
    const address = maker.host.libp2p.getMultiaddrs()[0]!.toString()
    // Steps: checked, selected, fetching, then one for each piece.
    expect(await update(directory, address, '5')).to.equal(undefined)
    await maker.stop()

    const other = await world.maker([], ['/ip4/127.0.0.1/tcp/0'])
    await importImage(other, generatedImage('dialysis', 6_500_000))
    const result = await update(directory, other.host.libp2p.getMultiaddrs()[0]!.toString())
    const fetching = (result?.['lines'] as Record<string, unknown>[]).find(({ step }) => step === 'fetching')
    expect(fetching?.['heldBytes']).to.be.greaterThan(3 << 20)
    expect(result?.['outcome']).to.equal('installed')
  })
})
