import type { Clock } from '#core/crypto/primitives.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import type { Log } from '#node/log.ts'
import { openTable, type Database } from '#node/store/database.ts'

/** Bad conduct of a peer, in points; {@link BansInit.limit} points within a short time cut it off. */
export const PENALTY = {
  /** A request, frame or message that is not what its protocol says. */
  garbage: 25,
  /** More than its share, long after an honest peer would have stopped. */
  flood: 100
} as const

/** Which peers are cut off, and for how long; survives restarts. */
export interface Bans {
  /** Loads the bans that still hold. */
  start(): Promise<void>
  /** Waits for what is being written. */
  stop(): Promise<void>
  /** Whether a peer, by its id, is cut off now. */
  isBanned(peer: string): boolean
  /** Counts bad conduct; what led to it is logged by its code. */
  penalise(peer: string, points: number, code: string): void
  /** Calls a handler with each peer that is cut off from now on. Returns a function that takes the handler off. */
  onBan(handler: (peer: string) => void): () => void
}

/** What the bans need. */
export interface BansComponents {
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
}

/** What the bans may be told. */
export interface BansInit {
  /** Points that cut a peer off, 100 unless told. */
  readonly limit?: number
  /** Time after which half of the points are forgotten, a minute unless told. */
  readonly halfLifeMs?: number
  /** Length of a first ban, ten minutes unless told; each further one is twice as long, at most a day. */
  readonly firstBanMs?: number
}

interface Ban {
  readonly untilMs: number
  readonly count: number
}

const DAY_MS = 86_400_000
/** Most peers whose points are remembered; the one that was good longest is forgotten first. */
const MAX_TRACKED = 4096

/** The ban list of a node. */
export function createBans({ db, clock, log }: BansComponents, init: BansInit = {}): Bans {
  const { limit = 100, halfLifeMs = 60_000, firstBanMs = 600_000 } = init
  const table = openTable(db, 'bans')
  const bans = new Map<string, Ban>()
  const conduct = new Map<string, { points: number; atMs: number }>()
  const handlers = new Set<(peer: string) => void>()
  let writing: Promise<void> = Promise.resolve()

  function ban(peer: string, code: string): void {
    const count = (bans.get(peer)?.count ?? 0) + 1
    const lengthMs = Math.min(DAY_MS, firstBanMs * 2 ** (count - 1))
    const entry: Ban = { untilMs: clock() + lengthMs, count }
    bans.set(peer, entry)
    conduct.delete(peer)
    log.warn({ peer, code, forMs: lengthMs }, 'peer cut off')
    const write = (): Promise<void> => table.put(peer, utf8(JSON.stringify(entry)))
    writing = writing.then(write).catch((error: unknown) => log.error({ err: error }, 'ban not kept on disk'))
    for (const handler of handlers) handler(peer)
  }

  return {
    async start() {
      for await (const [peer, bytes] of table.iterator()) {
        const entry = JSON.parse(new TextDecoder().decode(bytes)) as Ban
        // The count is kept for a day after the ban, so that a second one is longer.
        if (entry.untilMs + DAY_MS > clock()) bans.set(peer, entry)
        else await table.del(peer).catch((error: unknown) => log.error({ err: error }, 'an old ban stays on the disk'))
      }
    },
    async stop() {
      await writing
    },
    isBanned(peer) {
      return (bans.get(peer)?.untilMs ?? 0) > clock()
    },
    penalise(peer, points, code) {
      if ((bans.get(peer)?.untilMs ?? 0) > clock()) return
      const nowMs = clock()
      const before = conduct.get(peer) ?? { points: 0, atMs: nowMs }
      const sum = before.points * 0.5 ** ((nowMs - before.atMs) / halfLifeMs) + points
      log.debug({ peer, code, points: sum }, 'bad conduct')
      if (sum >= limit) {
        ban(peer, code)
        return
      }
      conduct.delete(peer)
      conduct.set(peer, { points: sum, atMs: nowMs })
      if (conduct.size > MAX_TRACKED) {
        const [oldest] = conduct.keys()
        if (oldest != null) conduct.delete(oldest)
      }
    },
    onBan(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    }
  }
}
