import { chmod, link, mkdir, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { SalusError } from '#core/error.ts'
import { flushFolderOf, readIfThere } from '#node/store/durable-file.ts'

/**
 * The node's Ed25519 identity: read from a file, made on first use. Only the owner of the process can read the file.
 *
 * @throws SalusError `IDENTITY_MALFORMED` if the file holds no key
 */
export async function loadOrCreateIdentity(file: string): Promise<PrivateKey> {
  const stored = await readIfThere(file)
  if (stored != null) return toKey(file, stored)
  await mkdir(dirname(file), { recursive: true })
  const key = await generateKeyPair('Ed25519')
  const temporary = `${file}.${String(process.pid)}.tmp`
  const handle = await open(temporary, 'w', 0o600)
  try {
    await handle.writeFile(privateKeyToProtobuf(key))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await chmod(temporary, 0o600)
  try {
    // Unlike rename, link fails where another process was first: both then use the same identity.
    await link(temporary, file)
  } catch (error) {
    const other = await readIfThere(file)
    if (other == null) throw error
    return toKey(file, other)
  } finally {
    await rm(temporary, { force: true })
  }
  await flushFolderOf(file)
  return key
}

/**
 * The identity in a file, which must be there.
 *
 * @throws SalusError `IDENTITY_MALFORMED`
 */
export async function identityIn(file: string): Promise<PrivateKey> {
  return toKey(file, (await readIfThere(file)) ?? new Uint8Array())
}

/**
 * The seed of a peer key, from which a node's other keys derive.
 *
 * @throws SalusError `IDENTITY_TYPE` if the key is not of Ed25519
 */
export function peerSeedOf(key: PrivateKey): Uint8Array {
  if (key.type !== 'Ed25519') {
    throw new SalusError('IDENTITY_TYPE', 'The node’s identity is not an Ed25519 key; move it away for a new one.')
  }
  return key.raw.slice(0, 32)
}

function toKey(file: string, bytes: Uint8Array): PrivateKey {
  try {
    return privateKeyFromProtobuf(bytes)
  } catch (cause) {
    throw new SalusError(
      'IDENTITY_MALFORMED',
      `${file} holds no libp2p key; restore it, or move it away for a new one.`,
      {
        cause
      }
    )
  }
}
