/** The file with the key of a private network. */
import { stat } from 'node:fs/promises'
import { fromHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { NETWORK_KEY_BYTES } from '#core/network/private-session.ts'
import { readIfThere } from '#node/store/durable-file.ts'

/**
 * Reads a network key: 64 hexadecimal digits, as `openssl rand -hex 32` writes them. Only its owner may be able to read the file.
 *
 * @throws SalusError `NETWORK_KEY_MISSING` if there is no file; `NETWORK_KEY_MODE` if others can read it;
 * `NETWORK_KEY_MALFORMED` if it holds something else
 */
export async function loadNetworkKey(file: string): Promise<Uint8Array> {
  const bytes = await readIfThere(file)
  if (bytes == null) {
    throw new SalusError('NETWORK_KEY_MISSING', `There is no ${file}; get the network's key from whoever runs it.`)
  }
  // Windows has no such bits.
  if (process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0) {
    throw new SalusError('NETWORK_KEY_MODE', `Others than its owner can read ${file}; make its mode 0600.`)
  }
  const text = new TextDecoder().decode(bytes).trim()
  if (!/^[0-9a-f]{64}$/i.test(text)) {
    throw new SalusError('NETWORK_KEY_MALFORMED', `${file} does not hold 64 hexadecimal digits.`)
  }
  return fromHex(`0x${text.toLowerCase()}`, NETWORK_KEY_BYTES)
}
