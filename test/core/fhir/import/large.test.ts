import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'

const CHILD = fileURLToPath(new URL('child-large.ts', import.meta.url))

interface Outcome {
  readonly parts: number
  readonly sourceBytes: number
  readonly exportedBytes: number
  readonly peakKib: number
}

async function importOf(mebibytes: number): Promise<Outcome> {
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD, String(mebibytes)])
  return JSON.parse(stdout) as Outcome
}

describe('import of a large attachment', () => {
  it('needs the memory of some parts, not of the whole', async function () {
    this.timeout(180_000)
    const small = await importOf(16)
    const large = await importOf(224)
    expect(large.parts).to.equal(Math.ceil(224 / 3))
    expect(large.exportedBytes).to.equal(large.sourceBytes)
    // 208 MiB more of content; garbage that was not yet collected stays far below that.
    expect(large.peakKib - small.peakKib).to.be.below(96 * 1024)
  })
})
