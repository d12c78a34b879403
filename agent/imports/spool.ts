/**
 * A source that waits on the disk while it is imported, sealed: an import reads twice, and goes on after a crash. AES-256-GCM over
 * chunks of 1 MiB, whose nonces count them and mark the last, under a key of the device for this one file.
 */
import { createHash } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { utf8 } from '#core/encoding/bytes.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import type { ImportSource } from '#core/fhir/import/survey.ts'
import { flushFolderOf } from '#node/store/durable-file.ts'

const SALT_BYTES = 32
const CHUNK_BYTES = 1_048_576
const TAG_BYTES = 16
const MAX_BYTES = 2 ** 40
const LABEL = utf8('salus/agent-spool/1')

/** What was written. */
export interface Spooled {
  readonly sizeBytes: number
  /** SHA-256 of the bytes as they came. */
  readonly digest: Uint8Array
}

/**
 * Writes a stream, taken no faster than it is written; on the disk when it resolves, and gone if the stream fails.
 *
 * @throws SalusError `FHIR_OVERSIZE`, and what the stream fails with
 */
export async function writeSpool(
  { p, random }: { readonly p: Primitives; readonly random: Random },
  path: string,
  seed: Uint8Array,
  bytes: AsyncIterable<Uint8Array>
): Promise<Spooled> {
  const salt = random(SALT_BYTES)
  const key = p.hkdfSha256(seed, LABEL, salt, 32)
  const temporary = `${path}.tmp`
  const file = await open(temporary, 'w', 0o600)
  const hash = createHash('sha256')
  const chunk = new Uint8Array(CHUNK_BYTES)
  let [used, index, sizeBytes] = [0, 0, 0]
  const flush = async (isLast: boolean): Promise<void> => {
    await file.write(p.aes256GcmSeal(key, nonceOf(index, isLast), chunk.subarray(0, used)))
    index++
    used = 0
  }
  try {
    await file.write(salt)
    for await (const piece of bytes) {
      hash.update(piece)
      sizeBytes += piece.length
      if (sizeBytes > MAX_BYTES) throw new SalusError('FHIR_OVERSIZE', 'Refused: the source is too large; split it.')
      for (let i = 0; i < piece.length;) {
        // A whole chunk is written when more follows: the last one is marked.
        if (used === CHUNK_BYTES) await flush(false)
        const fits = Math.min(piece.length - i, CHUNK_BYTES - used)
        chunk.set(piece.subarray(i, i + fits), used)
        used += fits
        i += fits
      }
    }
    await flush(true)
    await file.sync()
    await file.close()
    await rename(temporary, path)
    await flushFolderOf(path)
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(temporary, { force: true })
    throw error
  } finally {
    key.fill(0)
    chunk.fill(0)
  }
  return { sizeBytes, digest: new Uint8Array(hash.digest()) }
}

/**
 * Reads it again, each time from its beginning.
 *
 * The source throws SalusError `AGENT_SPOOL_DAMAGED` if the file was altered or cut.
 */
export function readSpool(p: Primitives, path: string, seed: Uint8Array): ImportSource {
  return async function* () {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      const salt = await readExactly(file, SALT_BYTES)
      const key = p.hkdfSha256(seed, LABEL, salt, 32)
      let left = size - SALT_BYTES
      for (let index = 0; left > 0; index++) {
        const sealed = await readExactly(file, Math.min(left, CHUNK_BYTES + TAG_BYTES))
        left -= sealed.length
        const plain = p.aes256GcmOpen(key, nonceOf(index, left === 0), sealed)
        if (plain == null) throw damaged()
        yield plain
      }
      key.fill(0)
    } finally {
      await file.close()
    }
  }
}

async function readExactly(file: Awaited<ReturnType<typeof open>>, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, length - done)
    if (bytesRead === 0) throw damaged()
    done += bytesRead
  }
  return bytes
}

function nonceOf(index: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setBigUint64(0, BigInt(index))
  nonce[11] = isLast ? 1 : 0
  return nonce
}

function damaged(): SalusError {
  return new SalusError('AGENT_SPOOL_DAMAGED', 'What was to be imported is damaged on the disk; import it again.')
}
