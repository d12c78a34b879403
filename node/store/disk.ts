/** Notices that the disk is full before the database does, and brings it back once there is room (docs/decisions/0037-backup-scrub-durability.md). */
import { statfs } from 'node:fs/promises'
import { SalusError } from '#core/error.ts'
import type { Log } from '#node/log.ts'
import { reopenDatabase, type Database } from '#node/store/database.ts'

/** `low`: less than twice the reserve is free. `full`: records are refused. `failed`: a write failed, everything is refused until the database was opened anew. */
export type DiskState = 'ok' | 'low' | 'full' | 'failed'

/** How it stands. */
export interface DiskStatus {
  readonly state: DiskState
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
   * @throws SalusError `STORE_FULL`
   */
  refuseIfFull(): void
  /** A write failed: returns what to tell its caller. */
  failed(cause: unknown): SalusError
}

const DEFAULT_RESERVE = 64 << 20

/** Makes the watch of a node's disk. */
export function createDisk(components: DiskComponents, init: DiskInit): Disk {
  const { db, log, freeBytes = freeBytesOf } = components
  const { path, reserveBytes = DEFAULT_RESERVE, everyMs = 1_000 } = init
  let status: DiskStatus = { state: 'ok', freeBytes: Number.POSITIVE_INFINITY }
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined

  function become(state: DiskState, free: number): void {
    if (state !== status.state) log.warn({ state, freeBytes: free }, 'the state of the disk changed')
    status = { state, freeBytes: free }
  }

  async function look(): Promise<void> {
    const free = await freeBytes(path)
    if (status.state === 'failed') {
      if (free < 2 * reserveBytes) {
        become('failed', free)
        return
      }
      // LevelDB writes nothing more after a failed write; opened anew, it has what was acknowledged and nothing of the rest.
      await reopenDatabase(db)
    } else if (status.state === 'full' && free >= reserveBytes) {
      // Something else may have met the end of the disk meanwhile: the database says so at its next write.
      await db.batch([{ type: 'del', key: 'probe' }], { sync: true }).catch(async () => reopenDatabase(db))
    }
    become(free < reserveBytes ? 'full' : free < 2 * reserveBytes ? 'low' : 'ok', free)
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
      await look()
      timer = setInterval(lookSoon, everyMs)
    },
    async stop() {
      clearInterval(timer)
      await looking
    },
    status: () => status,
    refuseIfFull() {
      if (status.state === 'full' || status.state === 'failed') throw full()
    },
    failed(cause) {
      if (!isNoSpace(cause)) {
        return new SalusError('STORE_WRITE_FAILED', 'The disk refused a write; check its space and health.', { cause })
      }
      become('failed', status.freeBytes)
      return full(cause)
    }
  }
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
