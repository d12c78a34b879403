import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import type { CID } from 'multiformats/cid'
import type { Hex } from '#core/chain/events.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { seedUntilHeld } from '#node/firmware/seed.ts'
import { expectCode } from '#test/error-code.ts'
import { generatedImage, importImage, startWorld, type World } from '#test/node/firmware/world.ts'
import { until } from '#test/node/network/peer.ts'
import { referenceData } from '#test/reference-data.ts'

/** Three pieces and a bit, so that there is a tree. */
const IMAGE_BYTES = 3_500_000

interface Released {
  readonly sequence: number
  readonly cid: CID
}

describe('firmware from a maker to devices that never met it', () => {
  let world: World
  before(async function () {
    this.timeout(60_000)
    world = await startWorld()
  })
  after(async () => world.close())

  /** Publishes an image and takes the maker away once one node holds it. */
  async function release(model: Hex, bytes: Uint8Array, version: string, address: string): Promise<Released> {
    const maker = await world.maker([address])
    const image = await importImage(maker, bytes)
    const sequence = await world.publish(model, image, version)
    await seedUntilHeld(maker, image.cid, { replicas: 1, signal: AbortSignal.timeout(15_000), pollMs: 50 })
    await maker.stop()
    return { sequence, cid: image.cid }
  }

  it('reach them from another peer after the maker is gone', async () => {
    const model = await world.newModel('pump')
    const first = await world.node()
    const second = await world.node([first.address])
    const image = generatedImage('pump 1', IMAGE_BYTES)
    await release(model, image, '1.0.0', first.address)
    await until('the second node holds it', () => second.replicator.status().images === 1)
    await first.stop()

    const { directory } = await world.device(model)
    const { outcome, path } = await world.update(directory, [second.address])
    expect(outcome).to.equal('installed')
    expect(Buffer.from(image).equals(await readFile(path))).to.equal(true)
    expect((await world.update(directory, [second.address])).outcome).to.equal('current')
  })

  it('follow releases, and keep the last image to go back to', async () => {
    const model = await world.newModel('thermometer')
    const node = await world.node()
    const { directory, files } = await world.device(model)
    for (const version of ['1.0', '1.1', '1.2']) {
      await release(model, generatedImage(version, 10_000), version, node.address)
      expect((await world.update(directory, [node.address])).installed.version).to.equal(version)
    }
    const { installed, previous } = await files.readState()
    expect([installed?.version, previous?.version]).to.deep.equal(['1.2', '1.1'])
    expect(await files.hasImage(previous!)).to.equal(true)
  })

  it('are published once, however often their maker asks', async () => {
    const model = await world.newModel('inhaler')
    const image = await importImage(await world.maker([]), generatedImage('inhaler', 10_000))
    expect(await world.publish(model, image, '1.0')).to.equal(1)
    expect(await world.publish(model, image, '1.0')).to.equal(1)
    const next = await importImage(await world.maker([]), generatedImage('inhaler 2', 10_000))
    expect(await world.publish(model, next, '1.1')).to.equal(2)
    // Going back is a release of its own.
    expect(await world.publish(model, image, '1.0')).to.equal(3)
    expect((await world.registry.head(model)).latest).to.equal(3)
  })

  it('install again what was damaged on the disk', async () => {
    const model = await world.newModel('scale')
    const node = await world.node()
    await release(model, generatedImage('scale', 10_000), '1.0', node.address)
    const { directory, files } = await world.device(model)
    const { path } = await world.update(directory, [node.address])
    await writeFile(path, 'worn out')
    expect((await world.update(directory, [node.address])).outcome).to.equal('installed')
    expect(await files.hasImage((await files.readState()).installed!)).to.equal(true)
  })

  it('are refused once they are held or yanked, and nodes let go of them', async () => {
    const model = await world.newModel('ventilator')
    const node = await world.node()
    const { sequence, cid } = await release(model, generatedImage('ventilator', IMAGE_BYTES), '1.0', node.address)
    const { directory, files } = await world.device(model)

    await world.stop('hold', model, sequence)
    await expectCode('FIRMWARE_HELD', async () => world.update(directory, [node.address]))
    await world.stop('yank', model, sequence)
    await expectCode('FIRMWARE_YANKED', async () => world.update(directory, [node.address]))
    expect((await files.readState()).installed).to.equal(null)
    await until('the node lets go', async () => !(await node.blockstore.has(cid)))
  })

  it('are refused under a number that whoever sent the yank left out', async () => {
    const model = await world.newModel('twin')
    const node = await world.node()
    const image = generatedImage('twin', 10_000)
    const { sequence, cid } = await release(model, image, '1.0', node.address)
    const { directory } = await world.device(model)
    await world.update(directory, [node.address])
    await release(model, generatedImage('between', 10_000), '1.1', node.address)
    const { sequence: twin } = await release(model, image, '1.2', node.address)
    const { directory: current } = await world.device(model)
    expect((await world.update(current, [node.address])).installed.sequence).to.equal(twin)

    const numbers = await world.registry.numbersOfImage(model, toHex(createHash('sha256').update(image).digest()))
    expect(numbers.map(number => number.sequence)).to.deep.equal([sequence, twin])
    const partly = { ...world.registry, numbersOfImage: async () => Promise.resolve(numbers.slice(0, 1)) }
    await world.stop('yank', model, sequence, partly)
    expect((await world.registry.head(model)).active).to.equal(twin)
    for (const device of [directory, current, (await world.device(model)).directory]) {
      await expectCode('FIRMWARE_YANKED', async () => world.update(device, [node.address]))
    }
    await until('the node lets go', async () => !(await node.blockstore.has(cid)))
    await world.stop('yank', model, sequence)
    expect((await world.registry.head(model)).active).to.equal(sequence + 1)
  })

  it('keep what runs when it is yanked', async () => {
    const model = await world.newModel('oximeter')
    const node = await world.node()
    const { directory, files } = await world.device(model)
    const { sequence } = await release(model, generatedImage('oximeter', 10_000), '1.0', node.address)
    await world.update(directory, [node.address])
    await world.stop('yank', model, sequence)
    await expectCode('FIRMWARE_YANKED', async () => world.update(directory, [node.address]))
    expect(await files.hasImage((await files.readState()).installed!)).to.equal(true)
  })

  it('are refused when the bytes are not the signed ones, and forgotten', async () => {
    const model = await world.newModel('cuff')
    const maker = await world.maker([], ['/ip4/127.0.0.1/tcp/0'])
    const address = maker.host.libp2p.getMultiaddrs()[0]!.toString()
    const node = await world.node([address])
    const signed = generatedImage('cuff', IMAGE_BYTES)
    const served = signed.slice()
    served[IMAGE_BYTES - 1]! ^= 1
    const { sha256 } = await importImage(maker, signed)
    const { cid, sizeBytes } = await importImage(maker, served)
    await world.publish(model, { cid, sizeBytes, sha256 }, '1.0')

    const { directory, files } = await world.device(model)
    await expectCode('FIRMWARE_WRONG_HASH', async () => world.update(directory, [address]))
    expect((await files.readState()).installed).to.equal(null)
    expect(await files.readPending()).to.equal(undefined)
    await until('the node lets go', async () => !(await node.blockstore.has(cid)))
  })

  it('are refused when they do not fit', async () => {
    const model = await world.newModel('patch')
    const node = await world.node()
    await release(model, generatedImage('patch', 10_000), '1.0', node.address)
    const { directory } = await world.device(model, 9_999)
    await expectCode('FIRMWARE_OVERSIZE', async () => world.update(directory, [node.address]))
  })

  it('carry real firmware', async function () {
    const folder = referenceData(this, 'firmware/ath9k-htc')
    const model = await world.newModel('adapter')
    const node = await world.node()
    const { directory } = await world.device(model)
    for (const version of ['1.4.0-106', '1.4.0-108', '1.4.0-110']) {
      const image = await readFile(`${folder}/htc_9271-${version}.fw`)
      await release(model, image, version, node.address)
      expect(image.equals(await readFile((await world.update(directory, [node.address])).path))).to.equal(true)
    }
  })
})
