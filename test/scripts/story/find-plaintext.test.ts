import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { findPlaintext } from '#scripts/story/find-plaintext.ts'

const MARKER = 'MARKER-of-the-patient-7f3a'

describe('the search for plaintext', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'salus-plaintext-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  it('finds a marker as bytes, hexadecimal or base 64, wherever it starts', async () => {
    const writings = fc.constantFrom<(bytes: Buffer) => string | Buffer>(
      bytes => bytes,
      bytes => bytes.toString('hex'),
      bytes => bytes.toString('base64'),
      bytes => bytes.toString('base64url')
    )
    await fc.assert(
      fc.asyncProperty(
        writings,
        fc.uint8Array({ maxLength: 40 }),
        fc.uint8Array({ maxLength: 40 }),
        async (write, before, after) => {
          await writeFile(join(folder, 'some.file'), write(Buffer.concat([before, Buffer.from(MARKER), after])))
          expect(await findPlaintext([folder], { name: Buffer.from(MARKER) })).to.have.length(1)
        }
      )
    )
  })

  it('finds nothing in a folder that does not hold it', async () => {
    await writeFile(join(folder, 'some.file'), MARKER.toLowerCase())
    expect(await findPlaintext([folder], { name: Buffer.from(MARKER) })).to.deep.equal([])
  })
})
