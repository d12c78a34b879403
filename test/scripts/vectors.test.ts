import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { nativePrimitives } from '#node/crypto/native.ts'
import { allVectors } from '#scripts/vectors/all-vectors.ts'

describe('the vectors', () => {
  it('are what node scripts/generate-vectors.ts writes', async () => {
    for (const [name, made] of Object.entries(await allVectors(nativePrimitives))) {
      const committed = await readFile(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')
      expect(JSON.parse(committed), name).to.deep.equal(JSON.parse(JSON.stringify(made)))
    }
  })
})
