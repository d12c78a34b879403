/** Signing keys of a manufacturer: one secp256k1 key a file, as hexadecimal, readable by its owner only. */
import { open, readFile } from 'node:fs/promises'
import { Wallet } from 'ethers'
import type { Hex } from '#core/chain/events.ts'
import { SalusError } from '#core/error.ts'

/**
 * Makes a key and keeps it in a new file.
 *
 * @returns its address
 * @throws SalusError `KEY_FILE_EXISTS` rather than overwrite a key
 */
export async function createKeyFile(path: string): Promise<Hex> {
  const wallet = Wallet.createRandom()
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(`${wallet.privateKey}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') {
      throw new SalusError('KEY_FILE_EXISTS', `There is a file ${path} already; a key is never overwritten.`, { cause })
    }
    throw cause
  }
  return wallet.address.toLowerCase() as Hex
}

/**
 * Reads a key.
 *
 * @throws SalusError `KEY_FILE_UNREADABLE` if it is missing or holds no key; the text of the file is never repeated
 */
export async function readKeyFile(path: string): Promise<Wallet> {
  try {
    return new Wallet((await readFile(path, 'utf8')).trim())
  } catch {
    // The cause could quote what the file holds, so it is not passed on.
    throw new SalusError('KEY_FILE_UNREADABLE', `${path} holds no signing key; make one with "salus firmware keygen".`)
  }
}
