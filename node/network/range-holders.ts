import type { Libp2p, PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { isSalusError } from '#core/error.ts'
import { askHave } from '#node/network/have.ts'
import { RANGE_PROTOCOL } from '#node/network/range-serve.ts'

/** Peers that are asked whether they have a block, at most. */
const MAX_ASKED = 64
/** So few candidates are not asked first: they say with the first answer that they do not have it. */
const MAX_UNASKED = 2
/** Time for an answer, ms: a peer that needs longer is no holder to wait for. */
const HAVE_TIMEOUT_MS = 2_000

/** How holders are looked for. */
export interface FindOptions {
  /** Hears of a holder as soon as it says that it has the block. */
  readonly onHolder: (peer: PeerId) => Promise<void>
  readonly signal: AbortSignal
}

/** Finds those of some connected peers that speak the range protocol and say that they have a block; a hint, as all they say. */
export async function findHolders(
  libp2p: Libp2p,
  peers: readonly PeerId[],
  cid: CID,
  { onHolder, signal }: FindOptions
): Promise<void> {
  const speakers = (await Promise.all(peers.map(async peer => ((await speaks(libp2p, peer)) ? [peer] : [])))).flat()
  const candidates = shuffled(speakers).slice(0, MAX_ASKED)
  if (candidates.length <= MAX_UNASKED) {
    await Promise.all(candidates.map(onHolder))
    return
  }
  await Promise.all(
    candidates.map(async peer => {
      if (await saysYes(libp2p, peer, cid, signal)) await onHolder(peer)
    })
  )
}

async function saysYes(libp2p: Libp2p, peer: PeerId, cid: CID, signal: AbortSignal): Promise<boolean> {
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(), HAVE_TIMEOUT_MS)
  const stop = (): void => timeout.abort()
  signal.addEventListener('abort', stop)
  try {
    const [has] = await askHave(libp2p, peer, [cid], { signal: timeout.signal })
    return has === true
  } catch (error) {
    // Whoever cannot be asked says with its first answer that it does not have the block.
    if (isSalusError(error, 'PEER_PROTOCOL_UNKNOWN')) return true
    // A peer that does not answer, or was too slow, offers nothing.
    if (!isSalusError(error) && !timeout.signal.aborted) throw error
    return false
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

/** Whether a peer speaks the protocol, as far as it has said yet. */
async function speaks(libp2p: Libp2p, peer: PeerId): Promise<boolean> {
  const known = await libp2p.peerStore.get(peer).catch(() => undefined)
  return known == null || known.protocols.length === 0 || known.protocols.includes(RANGE_PROTOCOL)
}

/** In another order each time, so that not everyone asks the same peers. */
function shuffled<T>(items: readonly T[]): T[] {
  const out = [...items]
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    const [a, b] = [out[i], out[j]]
    if (a != null && b != null) [out[i], out[j]] = [b, a]
  }
  return out
}
