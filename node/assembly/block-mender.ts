/** Brings blocks that the disk has changed again from peers, a few at a time, for as long as it takes. */
import { setTimeout as pause } from 'node:timers/promises'
import type { CID } from 'multiformats/cid'
import type { Log } from '#node/log.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'

/** What it needs. */
export interface BlockMenderComponents {
  readonly blockstore: Pick<DiskBlockstore, 'damaged' | 'recheck'>
  /** Brings a block from peers and stores it; false where none has it now. */
  readonly heal: (cid: CID, signal: AbortSignal) => Promise<boolean>
  readonly log: Log
}

/** What it may be told. */
export interface BlockMenderInit {
  /** Time between two rounds, ms; a minute unless told. */
  readonly everyMs?: number
}

/** Mends blocks. */
export interface BlockMender {
  start(): void
  stop(): Promise<void>
}

/** Blocks of one round: the others have their turn in the next. */
const BATCH = 32

/** Makes the service. */
export function createBlockMender(components: BlockMenderComponents, init: BlockMenderInit = {}): BlockMender {
  const { blockstore, heal, log } = components
  const { everyMs = 60_000 } = init
  const stopped = new AbortController()
  let running: Promise<void> | undefined
  let turn = 0

  async function round(): Promise<void> {
    const damaged = blockstore.damaged()
    if (turn >= damaged.length) turn = 0
    const batch = damaged.slice(turn, turn + BATCH)
    turn += batch.length
    for (const cid of batch) {
      if (stopped.signal.aborted) return
      // It may have been the way to the disk that erred, not the disk.
      if (await blockstore.recheck(cid)) continue
      if (await heal(cid, stopped.signal)) log.info('a damaged block was brought again by a peer')
    }
  }

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      await round().catch((error: unknown) => {
        if (!stopped.signal.aborted) log.error({ err: error }, 'damaged blocks could not be mended')
      })
      await pause(everyMs, undefined, { signal: stopped.signal }).catch(() => undefined)
    }
  }

  return {
    start() {
      running = run()
    },
    async stop() {
      stopped.abort()
      await running
    }
  }
}
