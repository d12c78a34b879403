/** What to tell whoever asked for a backup that could not be written. */
import { SalusError, isSalusError } from '#core/error.ts'
import { codesOf } from '#node/store/database.ts'
import { isNoSpace } from '#node/store/disk.ts'

/** Codes with which a system says that a folder may not be written. */
const REFUSED = ['EACCES', 'EPERM', 'EROFS', 'EEXIST', 'ENOENT', 'ENOTDIR', 'EIO']

/** `SNAPSHOT_FULL` or `SNAPSHOT_FOLDER` for what the disk of the backups refuses; anything else as it is. */
export function backupError(error: unknown, to: string): unknown {
  if (isSalusError(error, 'STORE_FULL') || isNoSpace(error)) {
    return new SalusError('SNAPSHOT_FULL', `The disk of ${to} is full; make room, or choose another folder.`, {
      cause: error
    })
  }
  const isRefused = !isSalusError(error) && codesOf(error).some(code => REFUSED.includes(code))
  if (isRefused || isSalusError(error, 'STORE_WRITE_FAILED')) {
    return new SalusError('SNAPSHOT_FOLDER', `${to} cannot be read or written; check it, or choose another folder.`, {
      cause: error
    })
  }
  return error
}
