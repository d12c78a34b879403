/** Secrets are given by the path of a file that only its owner can read. */
import { stat } from 'node:fs/promises'
import { SalusError } from '#core/error.ts'

/** Permission bits of everyone but the owner; a group may read, as with systemd's credentials and containers' secrets it must. */
const OTHERS = 0o037

/**
 * Refuses a secret that others can read or change.
 *
 * @throws SalusError `CONFIG_SECRET_FILE` if there is no such file; `CONFIG_SECRET_MODE`
 */
export async function checkSecretFile(path: string): Promise<void> {
  let mode: number
  try {
    const found = await stat(path)
    if (!found.isFile()) throw new Error('not a file')
    ;({ mode } = found)
  } catch (cause) {
    throw new SalusError(
      'CONFIG_SECRET_FILE',
      `There is no file ${path} with the secret that the configuration names.`,
      {
        cause
      }
    )
  }
  // Windows has no such bits.
  if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
    throw new SalusError('CONFIG_SECRET_MODE', `Others may read or change ${path}; run: chmod 600 ${path}`)
  }
}
