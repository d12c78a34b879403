import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { decodeManifest, exportImport } from '#core/fhir/import/manifest.ts'
import { fhirVectors } from '#scripts/vectors/fhir-vectors.ts'
import type { VectorFile } from '#scripts/vectors/vector-file.ts'
import { collected } from '#test/collected.ts'
import { expectCode } from '#test/error-code.ts'

describe('the published vectors of FHIR imports', () => {
  const path = new URL('../../../vectors/fhir-import.json', import.meta.url)
  const committed = JSON.parse(readFileSync(path, 'utf8')) as VectorFile

  it('are what the code makes', async () => {
    expect((await fhirVectors(portablePrimitives))['fhir-import']).to.deep.equal(committed)
  })

  it('are refused, where bad, with the code they name', async () => {
    for (const { bytes, code } of committed.invalid) await expectCode(code, () => decodeManifest(fromHex(bytes)))
  })

  it('make the source again', async () => {
    const [{ source } = {}, ...entries] = committed.valid as { source?: string; entry: string; body: string }[]
    const open = (id: Uint8Array): Promise<Uint8Array> => {
      const found = entries.find(({ entry }) => Buffer.from(fromHex(entry)).equals(id))
      return Promise.resolve(fromHex(found?.body ?? ''))
    }
    const pieces = await collected(exportImport(decodeManifest(fromHex(entries.at(-1)?.body ?? '')), open))
    expect(Buffer.concat(pieces).toString()).to.equal(source)
  })
})
