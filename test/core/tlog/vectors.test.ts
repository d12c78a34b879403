import { readFile } from 'node:fs/promises'
import { checkTlogVectors, type TlogVectors } from '#test/core/tlog/vectors.ts'

describe('vectors of Go’s libraries for logs', () => {
  it('hold here', async () => {
    const text = await readFile(new URL('../../vectors/tlog.json', import.meta.url), 'utf8')
    checkTlogVectors(JSON.parse(text) as TlogVectors)
  })
})
