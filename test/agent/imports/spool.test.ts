import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { concat } from '#core/encoding/bytes.ts'
import { readSpool, writeSpool } from '#agent/imports/spool.ts'
import { readImportState, writeImportState } from '#agent/imports/import-state.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { collected } from '#test/collected.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

const MIB = 1_048_576
const seed = new Uint8Array(32).fill(7)

describe('a source that waits on the disk', () => {
  let folder: string
  const random = seededRandom('spool')
  const path = (): string => join(folder, 'source')
  async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < bytes.length; i += size) yield await Promise.resolve(bytes.slice(i, i + size))
  }
  const write = async (bytes: Uint8Array, size = 100_000) => writeSpool({ p, random }, path(), seed, cut(bytes, size))
  const read = async (by = seed): Promise<Uint8Array> => concat(...(await collected(readSpool(p, path(), by)())))

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'salus-spool-'))
  })

  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  for (const size of [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB]) {
    it(`comes back as it was, ${String(size)} bytes`, async () => {
      const bytes = seededRandom('bytes')(size)
      const { sizeBytes, digest } = await write(bytes, 65_537)
      expect(sizeBytes).to.equal(size)
      expect(digest).to.deep.equal(p.sha256(bytes))
      expect(Buffer.from(await read()).equals(bytes)).to.equal(true)
      expect(Buffer.from(await read()).equals(bytes), 'twice').to.equal(true)
    })
  }

  it('is sealed, and refused when it was altered or cut', async () => {
    const bytes = Buffer.alloc(2 * MIB + 10, 'secret ')
    await write(bytes)
    const sealed = await readFile(path())
    expect(sealed.includes('secret')).to.equal(false)
    const flipped = Buffer.from(sealed)
    flipped[MIB] = (flipped[MIB] ?? 0) ^ 1
    for (const bad of [flipped, sealed.subarray(0, 32 + MIB + 16), sealed.subarray(0, -1), sealed.subarray(0, 40)]) {
      await writeFile(path(), bad)
      await expectCode('AGENT_SPOOL_DAMAGED', async () => read())
    }
    await writeFile(path(), sealed)
    await expectCode('AGENT_SPOOL_DAMAGED', async () => read(new Uint8Array(32)))
  })

  it('leaves nothing when the stream fails', async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(new Uint8Array(10))
      throw new Error('broke off')
    }
    const failure: unknown = await writeSpool({ p, random }, path(), seed, broken()).catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(Error)
    expect(await readdir(folder)).to.deep.equal([])
  })

  it('has a state that only this device reads, under its own name', async () => {
    const state = {
      what: random(32),
      server: 'https://his.example/fhir',
      today: 20_000,
      atMs: 1_700_000_000_000,
      done: 12
    }
    const file = { path: join(folder, 'state'), id: 'a', seed }
    expect(await readImportState(p, file)).to.equal(undefined)
    await writeImportState({ p, random }, file, state)
    expect(await readImportState(p, file)).to.deep.equal(state)
    await expectCode('SEALED_KEY', async () => readImportState(p, { ...file, id: 'b' }))
    await expectCode('SEALED_KEY', async () => readImportState(p, { ...file, seed: new Uint8Array(32) }))
  })
})
