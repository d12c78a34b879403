/** Asks peers which of the blobs that are wanted here they have: whoever comes back with one is asked for it at once, not in an hour. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import { isSalusError } from '#core/error.ts'
import type { BlobWants, WantedBlob } from '#node/assembly/blob-wants.ts'
import type { Log } from '#node/log.ts'
import { askHave } from '#node/network/have.ts'

/** What asking needs. */
export interface WantRoundsComponents {
  readonly libp2p: Libp2p
  readonly wants: Pick<BlobWants, 'page' | 'hasten' | 'total'>
  /** Has what is due fetched. */
  readonly nudge: () => void
  readonly log: Log
}

/** What it may be told. */
export interface WantRoundsInit {
  /** Time between two rounds with all connected peers, ms; 600,000 unless told. */
  readonly everyMs?: number
  /** Time between the questions to two peers, ms; 1,000 unless told: whoever connects again and again causes no more. */
  readonly restMs?: number
}

/** Asks. */
export interface WantRounds {
  start(): void
  stop(): Promise<void>
}

/** Blobs of one question, and most of one peer in one round. */
const PAGE = 256
const MAX_ASKED = 4_096
/** Peers that wait to be asked. */
const MAX_QUEUE = 300

/** Makes the service. */
export function createWantRounds(components: WantRoundsComponents, init: WantRoundsInit = {}): WantRounds {
  const { libp2p, wants, nudge, log } = components
  const { everyMs = 600_000, restMs = 1_000 } = init
  const stopping = new AbortController()
  const { signal } = stopping
  /** Peers to ask, by id; who waits longest is first. */
  const queue = new Map<string, PeerId>()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined

  async function ask(peer: PeerId): Promise<void> {
    let after: WantedBlob | undefined
    for (let asked = 0; asked < MAX_ASKED && !signal.aborted; asked += PAGE) {
      const page = await wants.page(after, PAGE)
      if (page.length === 0) return
      const cids = page.map(({ cid }) => CID.parse(cid))
      const have = await askHave(libp2p, peer, cids, { signal })
      const found = page.filter((_, i) => have[i])
      for (const want of found) await wants.hasten(want)
      if (found.length > 0) nudge()
      if (page.length < PAGE) return
      after = page.at(-1)
    }
  }

  async function askAll(): Promise<void> {
    for (let [next] = queue; next != null && !signal.aborted; [next] = queue) {
      const [id, peer] = next
      queue.delete(id)
      await ask(peer).catch((error: unknown) => {
        if (!isSalusError(error) && !signal.aborted) throw error
        log.debug({ err: error }, 'a peer was not asked for what is wanted')
      })
      await pause(restMs, undefined, { signal }).catch(() => undefined)
    }
  }

  function enqueue(peer: PeerId): void {
    if (wants.total() === 0 || queue.size >= MAX_QUEUE || signal.aborted) return
    queue.set(peer.toString(), peer)
    running ??= askAll()
      .catch((error: unknown) => log.error({ err: error }, 'asking peers for what is wanted failed'))
      .finally(() => {
        running = undefined
      })
  }

  const onConnect = ({ detail }: CustomEvent<PeerId>): void => enqueue(detail)

  return {
    start() {
      libp2p.addEventListener('peer:connect', onConnect)
      timer = setInterval(() => libp2p.getPeers().forEach(enqueue), everyMs)
    },
    async stop() {
      clearInterval(timer)
      libp2p.removeEventListener('peer:connect', onConnect)
      stopping.abort()
      await running
    }
  }
}
