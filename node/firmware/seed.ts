/** Gives a new image to the network and tells when enough peers hold it, so that its maker may leave. */
import { setTimeout as pause } from 'node:timers/promises'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { isSalusError } from '#core/error.ts'
import { blocksOf } from '#node/firmware/image-blocks.ts'
import type { FirmwarePeer } from '#node/firmware/peer.ts'
import { askHave } from '#node/network/have.ts'

/** What seeding may be told. */
export interface SeedInit {
  /** How many peers must hold every block. */
  readonly replicas: number
  readonly signal: AbortSignal
  /** Hears of each new count of holders. */
  readonly onHolders?: (holders: number) => void
  /** Time between two rounds of questions, ms; 500 unless told. */
  readonly pollMs?: number
}

/** Blocks in one question; the protocol allows 256. */
const PAGE = 256

/** Serves an image until enough connected peers say they hold all of it. */
export async function seedUntilHeld(peer: FirmwarePeer, root: CID, init: SeedInit): Promise<void> {
  const { replicas, signal, onHolders, pollMs = 500 } = init
  const cids: CID[] = []
  for await (const cid of blocksOf(peer.blockstore, root)) cids.push(cid)
  const holders = new Set<string>()
  let told = -1
  for (;;) {
    for (const id of peer.host.libp2p.getPeers()) {
      if (!holders.has(id.toString()) && (await holdsAll(peer, id, cids, signal))) holders.add(id.toString())
    }
    if (holders.size !== told) onHolders?.(holders.size)
    told = holders.size
    if (holders.size >= replicas) return
    await pause(pollMs, undefined, { signal })
  }
}

/** Asks page by page, and stops at the first block that is missing. */
async function holdsAll(
  { host }: FirmwarePeer,
  id: PeerId,
  cids: readonly CID[],
  signal: AbortSignal
): Promise<boolean> {
  try {
    for (let from = 0; from < cids.length; from += PAGE) {
      const answers = await askHave(host.libp2p, id, cids.slice(from, from + PAGE), { signal })
      if (answers.includes(false)) return false
    }
    return true
  } catch (error) {
    // A peer that went away or speaks no such protocol holds nothing; the next round asks again.
    if (isSalusError(error)) return false
    throw error
  }
}
