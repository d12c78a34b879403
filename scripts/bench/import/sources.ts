/** What is imported: Synthea’s patients where the reference data lies beside the project, else made-up ones; and large attachments. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { ROOT } from '#scripts/process/run.ts'
import { syntheticFhirPatient } from '#scripts/synthetic/fhir-patient.ts'

const ARCHIVE = join(ROOT, '../shared/data/research/synthea-r4.tar.gz')
const BLOCK = 512
const PIECE_BYTES = 3 * 65_536

/** Records as hospitals hand them over. */
export interface Bundles {
  readonly origin: string
  /** One bundle for each patient. */
  readonly texts: readonly Uint8Array[]
}

/** Bundles of at most so many patients. */
export async function patientBundles(count: number): Promise<Bundles> {
  if (existsSync(ARCHIVE)) {
    const tar = gunzipSync(await readFile(ARCHIVE))
    const texts = [...filesIn(tar)].filter(({ name }) => /_[0-9a-f-]{36}\.json$/.test(name)).map(({ bytes }) => bytes)
    return { origin: 'Synthea', texts: texts.slice(0, count) }
  }
  const texts = Array.from({ length: count }, (_, i) => Buffer.from(syntheticFhirPatient({ seed: i + 1, visits: 60 })))
  return { origin: 'made-up patients; the Synthea archive of the reference data is not there', texts }
}

/** Bundles as one source, each on lines of its own. */
export async function* joined(texts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    yield text
    yield Buffer.from('\n')
  }
  await Promise.resolve()
}

/** A document of so many bytes of content that does not deflate, as one bundle; made while it is read. */
export async function* largeDocument(bytes: number): AsyncGenerator<Uint8Array> {
  const head = '{"resourceType":"DocumentReference","id":"large","status":"current","content":[{"attachment":'
  yield Buffer.from(`${head}{"contentType":"application/dicom","data":"`)
  let block = createHash('sha512').update(String(bytes)).digest()
  for (let done = 0; done < bytes; done += PIECE_BYTES) {
    const piece = Buffer.alloc(Math.min(PIECE_BYTES, bytes - done))
    for (let i = 0; i < piece.length; i += block.length) {
      if (i % 65_536 === 0) block = createHash('sha512').update(block).digest()
      block.copy(piece, i)
      piece.writeUInt32LE((done + i) % 0xffff_ffff, Math.min(i, piece.length - 4))
    }
    yield Buffer.from(piece.toString('base64'))
  }
  await Promise.resolve()
  yield Buffer.from('"}}]}')
}

/** The regular files of a tar archive (POSIX ustar). */
function* filesIn(tar: Uint8Array): Generator<{ readonly name: string; readonly bytes: Uint8Array }> {
  const text = (from: number, length: number): string =>
    Buffer.from(tar.subarray(from, from + length))
      .toString()
      .replace(/\0.*$/s, '')
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0;) {
    const size = Number.parseInt(text(at + 124, 12), 8)
    const kind = text(at + 156, 1)
    if (kind === '' || kind === '0') yield { name: text(at, 100), bytes: tar.subarray(at + BLOCK, at + BLOCK + size) }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
}
