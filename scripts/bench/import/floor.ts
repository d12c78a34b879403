/** What any store must do that keeps what it is given deflated, encrypted, signed, and safe from a power cut. */
import { createCipheriv, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'

/** Entries that one flush makes safe. */
export const FLUSHED_TOGETHER = 8

/** Seconds that it takes for some bodies. */
export async function floorSeconds(bodies: readonly Uint8Array[]): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'salus-bench-floor-'))
  const file = await open(join(dir, 'log'), 'a')
  const { privateKey } = generateKeyPairSync('ed25519')
  try {
    const begun = performance.now()
    for (const [i, body] of bodies.entries()) {
      const cipher = createCipheriv('aes-256-gcm', randomBytes(32), randomBytes(12))
      const sealed = Buffer.concat([cipher.update(deflateRawSync(body)), cipher.final(), cipher.getAuthTag()])
      await file.write(Buffer.concat([sealed, sign(null, sealed, privateKey)]))
      if (i % FLUSHED_TOGETHER === FLUSHED_TOGETHER - 1) await file.datasync()
    }
    await file.datasync()
    return (performance.now() - begun) / 1000
  } finally {
    await file.close()
    await rm(dir, { recursive: true })
  }
}
