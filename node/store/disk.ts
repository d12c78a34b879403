/**
 * Notices that the disk is full before the database does, and brings the database back after a write that failed
 * (docs/decisions/0037-backup-scrub-durability.md).
 */
import { statfs } from 'node:fs/promises'
import { SalusError } from '#core/error.ts'
import type { Log } from '#node/log.ts'
import { codesOf, onFailedWrite, reopenDatabase, type Database } from '#node/store/database.ts'

/** `low`: less than twice the reserve is free. `full`: records are refused. `failed`: a write failed, everything is refused until the database was opened anew. */
export type DiskState = 'ok' | 'low' | 'full' | 'failed'

/** How it stands. */
export interface DiskStatus {
  readonly state: DiskState
  /** Of `failed`: the disk was full, or it refused for another reason. */
  readonly failure?: 'room' | 'error'
  /** Bytes that are free for this process, as of the last look. */
  readonly freeBytes: number
}

/** What watching needs. */
export interface DiskComponents {
  readonly db: Database
  readonly log: Log
  /** Bytes that are free in a folder; asks the file system unless told. */
  readonly freeBytes?: (path: string) => Promise<number>
}

/** What it is told. */
export interface DiskInit {
  readonly path: string
  /** Bytes that records leave to the index, the chain and the operating system; 64 MiB unless told. */
  readonly reserveBytes?: number
  /** Time between two looks, ms; 1,000 unless told. */
  readonly everyMs?: number
}

/** Watches a disk. */
export interface Disk {
  start(): Promise<void>
  stop(): Promise<void>
  status(): DiskStatus
  /**
   * To be asked before a record is written.
   *
   * @throws SalusError `STORE_FULL`, `STORE_WRITE_FAILED`
   */
  refuseIfFull(): void
}

const DEFAULT_RESERVE = 64 << 20
/** Most time between two tries of a database that goes on failing, ms: while it is opened anew, nothing can be read. */
const MAX_RETRY_MS = 60_000
/** Codes of LevelDB after which it takes no further write. */
const FAILURES = ['LEVEL_IO_ERROR', 'LEVEL_CORRUPTION']

/** Makes the watch of a node's disk. */
export function createDisk(components: DiskComponents, init: DiskInit): Disk {
  const { db, log, freeBytes = freeBytesOf } = components
  const { path, reserveBytes = DEFAULT_RESERVE, everyMs = 1_000 } = init
  let status: DiskStatus = { state: 'ok', freeBytes: Number.POSITIVE_INFINITY }
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined
  /** Looks to pass before the failed database is tried again, and how many of the next time. */
  let [wait, nextWait] = [0, 1]

  function become(state: DiskState, free: number, failure?: 'room' | 'error'): void {
    if (state !== status.state) log.warn({ state, freeBytes: free }, 'the state of the disk changed')
    status = { state, freeBytes: free, ...(failure == null ? {} : { failure }) }
  }

  function onFailure(cause: unknown): void {
    const isRoom = isNoSpace(cause)
    if (!isRoom && !codesOf(cause).some(code => FAILURES.includes(code))) return
    if (status.state !== 'failed') log.error({ err: cause }, 'the database could not write')
    become('failed', status.freeBytes, isRoom ? 'room' : 'error')
  }

  async function look(): Promise<void> {
    const free = await freeBytes(path)
    const { state, failure } = status
    if (state === 'failed' && !(await isMended(free, failure))) {
      become('failed', free, failure)
      return
    }
    // Something else may have met the end of the disk meanwhile: the database says so at its next write.
    if (state === 'full' && free >= reserveBytes && !(await writes())) return
    become(free < reserveBytes ? 'full' : free < 2 * reserveBytes ? 'low' : 'ok', free)
  }

  /** LevelDB writes nothing more after a failed write; opened anew, it has what was acknowledged and nothing of the rest. */
  async function isMended(free: number, failure: DiskStatus['failure']): Promise<boolean> {
    if (failure === 'room' && free < 2 * reserveBytes) return false
    if (wait-- > 0) return false
    // Counted before: it may not even open.
    nextWait = Math.min(2 * nextWait, Math.ceil(MAX_RETRY_MS / everyMs))
    wait = nextWait
    await reopenDatabase(db)
    const isWell = await writes()
    if (isWell) [wait, nextWait] = [0, 1]
    return isWell
  }

  async function writes(): Promise<boolean> {
    return await db.batch([{ type: 'del', key: 'probe' }], { sync: true }).then(
      () => true,
      () => false
    )
  }

  function lookSoon(): void {
    looking ??= look()
      .catch((error: unknown) => log.error({ err: error }, 'the disk could not be looked at'))
      .finally(() => {
        looking = undefined
      })
  }

  return {
    async start() {
      onFailedWrite(db, onFailure)
      await look()
      timer = setInterval(lookSoon, everyMs)
    },
    async stop() {
      clearInterval(timer)
      await looking
    },
    status: () => status,
    refuseIfFull() {
      const { state, failure } = status
      if (state === 'full' || (state === 'failed' && failure === 'room')) throw full()
      if (state === 'failed') throw writeFailed()
    }
  }
}

/** What to tell whoever wrote. */
export function failedWrite(cause: unknown): SalusError {
  return isNoSpace(cause) ? full(cause) : writeFailed(cause)
}

/** Whether an error says that there is no room, of Node's file system or of LevelDB, which only has words for it. */
export function isNoSpace(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if ('code' in at && (at.code === 'ENOSPC' || at.code === 'EDQUOT')) return true
    if (/no space left|quota exceeded/i.test(at.message)) return true
  }
  return false
}

async function freeBytesOf(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}

function full(cause?: unknown): SalusError {
  return new SalusError('STORE_FULL', 'The node’s disk is full; make room or hand it in to another node.', { cause })
}

function writeFailed(cause?: unknown): SalusError {
  return new SalusError('STORE_WRITE_FAILED', 'The disk refused a write; check its space and health.', { cause })
}
