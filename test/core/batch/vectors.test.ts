import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { portablePrimitives as p } from '#core/crypto/portable.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { decodeBatch, leafIndex, leafParts } from '#core/batch/batch.ts'
import { headerDigest } from '#core/batch/header.ts'
import { readingLeaf } from '#core/batch/leaf.ts'
import { decodeReading, encodeReading, type Reading } from '#core/batch/reading.ts'
import { someBatches } from '#test/core/batch/fixtures.ts'

interface ReadingVectors {
  readings: { reading: Reading; bytes: string }[]
}

interface BatchVectors {
  signKey: string
  batches: {
    bytes: string
    headerDigest: string
    treeSize: number
    root: string
    leaves: { index: number; salt: string; leaf: string }[]
  }[]
}

const load = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8'))
const hex = (bytes: Uint8Array): string => toHex(bytes).slice(2)

describe('vectors of readings and batches', () => {
  it('readings have the published bytes', async () => {
    const { readings } = (await load('reading')) as ReadingVectors
    for (const { reading, bytes } of readings) {
      expect(hex(encodeReading(reading))).to.equal(bytes)
      expect(decodeReading(fromHex(bytes))).to.deep.equal(reading)
    }
  })

  it('batches have the published bytes, leaves and roots', async () => {
    const { signKey, batches } = (await load('batch')) as BatchVectors
    const { built } = someBatches([3, 0, 2])
    expect(built.map(({ bytes }) => hex(bytes))).to.deep.equal(batches.map(({ bytes }) => bytes))
    for (const vector of batches) {
      const batch = decodeBatch(p, fromHex(vector.bytes), fromHex(signKey))
      expect(hex(headerDigest(p, batch.signed.bytes))).to.equal(vector.headerDigest)
      expect([batch.header.treeTo, hex(batch.header.root)]).to.deep.equal([vector.treeSize, vector.root])
      const leaves = batch.readings.map((_, position) => {
        const { reading, salt } = leafParts(p, batch, position)
        return { index: leafIndex(batch.header, position), salt: hex(salt), leaf: hex(readingLeaf(p, reading, salt)) }
      })
      expect(leaves).to.deep.equal(vector.leaves)
    }
  })
})
