import type { Libp2p } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { isSalusError } from '#core/error.ts'
import { askHave } from '#node/network/have.ts'

/** Most images asked about at once: what one question of `/salus/have/1` holds. */
export const MAX_ROOTS = 256

/**
 * Which of some images a connected peer says it has, by CID. Asking first keeps images that nobody has, and anyone can
 * publish any number of those, from taking the places of the others.
 *
 * @param roots - of the images; beyond 256 the rest is left for another time
 */
export async function offeredImages(libp2p: Libp2p, roots: readonly CID[], signal: AbortSignal): Promise<Set<string>> {
  const asked = roots.slice(0, MAX_ROOTS)
  const offered = new Set<string>()
  if (asked.length === 0) return offered
  const ask = async (peer: Parameters<typeof askHave>[1]): Promise<void> => {
    try {
      const answers = await askHave(libp2p, peer, asked, { signal })
      for (const [i, cid] of asked.entries()) if (answers[i] === true) offered.add(cid.toString())
    } catch (error) {
      // A peer that does not answer offers nothing.
      if (!isSalusError(error) && !signal.aborted) throw error
    }
  }
  await Promise.all(libp2p.getPeers().map(ask))
  return offered
}
