/** Waits until as many nodes as were asked for have something on their disks (docs/specs/submit.md). */
import { setTimeout as pause } from 'node:timers/promises'
import { anySignal } from 'any-signal'
import { SalusError, isSalusError } from '#core/error.ts'
import type { AskedBlob } from '#core/placement/proof.ts'
import type { Log } from '#node/log.ts'
import { submit } from '#node/network/submit.ts'
import { askProofs, type AskProofsComponents } from '#node/placement/proofs.ts'
import { peerIdFromString } from '@libp2p/peer-id'

/** What confirming needs. */
export interface ConfirmerComponents extends AskProofsComponents {
  readonly log: Log
}

/** What it may be told. */
export interface ConfirmerInit {
  /** Time to wait, ms; 15,000 unless told. */
  readonly waitMs?: number
}

/** How many nodes are to have it. */
export interface Wanted {
  /** This node counts as one. */
  readonly replicas: number
  readonly signal?: AbortSignal
}

/** Confirms that others have something as well. */
export interface Confirmer {
  /**
   * Hands a message, which is here, to peers until enough have it on their disks. Returns the ids of those that do, this node first.
   *
   * @throws SalusError `STORE_REPLICAS` if the time is up: it is here and is passed on all the same; the signal's reason
   */
  message(bytes: Uint8Array, wanted: Wanted): Promise<string[]>
  /**
   * Has peers prove that they hold a blob, which is here, until enough do.
   *
   * @param preferred - ids of peers to ask first
   * @throws SalusError as {@link Confirmer.message}
   */
  blob(blob: AskedBlob, wanted: Wanted, preferred?: readonly string[]): Promise<string[]>
}

/** Most nodes that may be asked for: more would be a way to keep this one busy. */
export const MAX_REPLICAS = 16

const DEFAULT_WAIT_MS = 15_000
const PAUSE_MS = 200

/** Makes a {@link Confirmer}. */
export function createConfirmer(components: ConfirmerComponents, init: ConfirmerInit = {}): Confirmer {
  const { libp2p, log } = components
  const { waitMs = DEFAULT_WAIT_MS } = init

  /** Asks peers, as many at once as are missing, those that failed again after the others. */
  async function gather(
    { replicas, signal: outer }: Wanted,
    preferred: readonly string[],
    ask: (peer: string, signal: AbortSignal) => Promise<boolean>
  ): Promise<string[]> {
    const holders = [libp2p.peerId.toString()]
    const wanted = Math.min(replicas, MAX_REPLICAS)
    const signal = anySignal([outer, AbortSignal.timeout(waitMs)])
    try {
      for (let round = 0; holders.length < wanted && !signal.aborted; round++) {
        if (round > 0) await pause(PAUSE_MS, undefined, { signal }).catch(() => undefined)
        const connected = libp2p.getPeers().map(String)
        const queue = [...new Set([...preferred, ...connected])].filter(peer => !holders.includes(peer)).values()
        const worker = async (): Promise<void> => {
          for (const peer of queue) {
            if (signal.aborted || holders.length >= wanted) return
            if (await confirmed(peer, ask, signal)) holders.push(peer)
            // Whoever has it frees its worker for nobody: each worker is there for one replica.
            if (holders.includes(peer)) return
          }
        }
        await Promise.all(Array.from({ length: wanted - holders.length }, worker))
      }
    } finally {
      signal.clear()
    }
    outer?.throwIfAborted()
    if (holders.length >= wanted) return holders
    throw new SalusError(
      'STORE_REPLICAS',
      `Stored durably on ${String(holders.length)} of ${String(wanted)} nodes so far; it is kept and passed on. Send it again to wait for the others.`
    )
  }

  async function confirmed(
    peer: string,
    ask: (peer: string, signal: AbortSignal) => Promise<boolean>,
    signal: AbortSignal
  ): Promise<boolean> {
    try {
      return await ask(peer, signal)
    } catch (error) {
      if (!signal.aborted && !isSalusError(error)) throw error
      log.debug({ peer, err: error }, 'a peer did not confirm')
      return false
    }
  }

  return {
    message: async (bytes, wanted) =>
      gather(wanted, [], async (peer, signal) => {
        await submit(libp2p, peerIdFromString(peer), bytes, { signal })
        return true
      }),
    blob: async (blob, wanted, preferred = []) =>
      gather(wanted, preferred, async (peer, signal) => {
        const [proven] = await askProofs(components, peer, [blob], { leaseS: 0, signal })
        return proven === true
      })
  }
}
