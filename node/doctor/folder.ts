/** The folder of a node: who may read it, whether it can be written, how much room there is, who uses it. */
import { access, constants, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { isSalusError } from '#core/error.ts'
import { LOW_DISK_BYTES } from '#node/metrics/alerts.ts'
import { fail, ok, warn, type Finding } from '#node/doctor/finding.ts'
import { identityIn } from '#node/network/identity.ts'
import { openDatabase } from '#node/store/database.ts'
import { SCHEMA, UNFINISHED, versionOf } from '#node/store/schema.ts'

const OTHERS = 0o077
const GIB = 2 ** 30

/** Looks at the folder. @param isRunning - whether a node runs on it, which then holds its lock */
export async function checkFolder(dataDir: string, isRunning: boolean): Promise<readonly Finding[]> {
  const there = await stat(dataDir).catch(() => undefined)
  if (there == null || !there.isDirectory()) {
    return [
      fail('data folder', `There is no folder ${dataDir}.`, 'Make it with "salus node init", or correct dataDir.')
    ]
  }
  return [
    await permissions(dataDir, there.mode),
    await room(dataDir),
    await identity(dataDir),
    isRunning ? ok('store', 'A node runs on it and has it open.') : await store(dataDir)
  ]
}

async function permissions(dataDir: string, mode: number): Promise<Finding> {
  const check = 'folder permissions'
  try {
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    return fail(
      check,
      `This account may not write into ${dataDir}.`,
      'Run as the account of the node, or chown the folder to it.'
    )
  }
  if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
    return warn(check, 'Other accounts of this machine may look into the folder.', `Run: chmod 700 ${dataDir}`)
  }
  return ok(check, 'Only its owner may use the folder.')
}

async function room(dataDir: string): Promise<Finding> {
  const { bavail, bsize, blocks, files, ffree } = await statfs(dataDir)
  const free = bavail * bsize
  const says = `${(free / GIB).toFixed(1)} GiB of ${((blocks * bsize) / GIB).toFixed(1)} GiB are free.`
  if (free < LOW_DISK_BYTES / 4) return fail('disk room', says, 'Free room now: the node refuses what it cannot keep.')
  if (free < LOW_DISK_BYTES) return warn('disk room', says, 'Free room, or move dataDir to a larger disk.')
  // Some file systems have no such bound, and say so with zero.
  if (files > 0 && ffree < 10_000)
    return warn('disk room', `${says} Few names of files are left.`, 'Use a file system with more inodes.')
  return ok('disk room', says)
}

async function identity(dataDir: string): Promise<Finding> {
  const check = 'identity'
  const file = join(dataDir, 'identity.key')
  const there = await stat(file).catch(() => undefined)
  if (there == null)
    return warn(
      check,
      'There is no identity yet.',
      'The first start makes one; restore yours first if you have a backup.'
    )
  if (process.platform !== 'win32' && (there.mode & OTHERS) !== 0) {
    return fail(check, 'Others may read the identity.', `Run: chmod 600 ${file}`)
  }
  try {
    const key = await identityIn(file)
    return ok(check, `This is ${peerIdFromPrivateKey(key).toString()}.`)
  } catch (error) {
    return fail(
      check,
      isSalusError(error) ? error.message : 'The identity cannot be read.',
      `Restore ${file} from a backup.`
    )
  }
}

async function store(dataDir: string): Promise<Finding> {
  const check = 'store'
  const folder = join(dataDir, 'db')
  // Opening it would make it.
  if ((await stat(folder).catch(() => undefined)) == null)
    return ok(check, 'There is none yet; the first start makes it.')
  if ((await stat(join(dataDir, UNFINISHED)).catch(() => undefined)) != null) {
    return fail(check, 'A restore into the folder was broken off.', 'Run "salus node restore" again; it begins anew.')
  }
  try {
    const db = await openDatabase(folder)
    const version = await versionOf(db).finally(async () => db.close())
    if (version > SCHEMA) {
      return fail(
        check,
        `It is of version ${String(version)}, this program writes ${String(SCHEMA)}.`,
        'Use the newer program that wrote it, or restore a backup of this one.'
      )
    }
    if (version < SCHEMA) {
      return warn(
        check,
        `It opens, and is of version ${String(version)}: the next start makes version ${String(SCHEMA)} of it.`,
        'Back it up before: an older program cannot open it then.'
      )
    }
    return ok(check, `It opens, and is of version ${String(version)}.`)
  } catch (error) {
    if (isSalusError(error, 'STORE_LOCKED')) {
      return fail(
        check,
        'Another process has it open and does not answer as a node.',
        'Find and end it: fuser on the folder db tells which.'
      )
    }
    return fail(
      check,
      isSalusError(error) ? error.message : 'It does not open.',
      'Restore it from a backup, or move it away: peers and chain bring back what was public.'
    )
  }
}
