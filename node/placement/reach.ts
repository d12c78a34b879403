/** Connects with members by the addresses in their pledges, each at most once a while: whoever cannot be reached costs one wait. */
import { peerIdFromString } from '@libp2p/peer-id'
import type { Libp2p } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { anySignal } from 'any-signal'
import type { Log } from '#node/log.ts'
import { isDialable } from '#node/placement/dialable.ts'
import type { Members } from '#node/placement/members.ts'

/** What reaching needs. */
export interface ReachComponents {
  readonly libp2p: Pick<Libp2p, 'dial' | 'getConnections' | 'getMultiaddrs'>
  readonly members: Pick<Members, 'get'>
  readonly elapsedMs: () => number
  readonly log: Log
}

/** What it is told. */
export interface ReachInit {
  /** Whether anyone may pledge: then only addresses are dialled that nobody can abuse ({@link isDialable}). */
  readonly isOpen: boolean
  /** Time for dialling one member, ms; 5,000 unless told. */
  readonly dialMs?: number
  /** Time for which one that was not reached is not dialled again, ms; 60,000 unless told. */
  readonly restMs?: number
}

/** Connects with members. */
export interface Reach {
  /** Whether a member is connected now, after dialling it if need be. */
  reach(id: string): Promise<boolean>
  /** Resolves once one of some members is connected, or none can be. */
  reachAny(ids: readonly string[]): Promise<void>
  /** Gives up what is being dialled. */
  stop(): void
}

/** Members that are dialled at once; further ones count as not reached. */
const MAX_DIALS = 64
/** Members of which is remembered that they were not reached. */
const MAX_RESTING = 16_384

/** Makes a {@link Reach}. */
export function createReach({ libp2p, members, elapsedMs, log }: ReachComponents, init: ReachInit): Reach {
  const { isOpen, dialMs = 5_000, restMs = 60_000 } = init
  const stopping = new AbortController()
  const dialling = new Map<string, Promise<boolean>>()
  /** Until when members are not dialled; who was tried last is last. */
  const resting = new Map<string, number>()

  const isConnected = (id: string): boolean => libp2p.getConnections(peerIdFromString(id)).length > 0

  /** The member's addresses as it may be dialled by them; none where their bytes are no multiaddress: a stranger wrote them. */
  function addressesOf(id: string): Multiaddr[] {
    const own = libp2p.getMultiaddrs()
    return (members.get(id)?.pledge.addresses ?? []).flatMap(bytes => {
      try {
        const address = multiaddr(bytes)
        const last = address.getComponents().at(-1)
        const whole = last?.name === 'p2p' ? address : address.encapsulate(`/p2p/${id}`)
        const isOfMember = whole.getComponents().at(-1)?.value === id
        return isOfMember && (!isOpen || isDialable(whole, own)) ? [whole] : []
      } catch {
        return []
      }
    })
  }

  async function dial(id: string): Promise<boolean> {
    const addresses = addressesOf(id)
    const signal = anySignal([stopping.signal, AbortSignal.timeout(dialMs)])
    try {
      if (addresses.length > 0) await libp2p.dial(addresses, { signal })
    } catch (error) {
      log.debug({ err: error }, 'a member could not be reached')
    } finally {
      signal.clear()
    }
    if (isConnected(id)) return true
    resting.delete(id)
    resting.set(id, elapsedMs() + restMs)
    const [oldest] = resting.keys()
    if (resting.size > MAX_RESTING && oldest != null) resting.delete(oldest)
    return false
  }

  async function reach(id: string): Promise<boolean> {
    if (isConnected(id)) return true
    const running = dialling.get(id)
    if (running != null) return running
    if (stopping.signal.aborted || dialling.size >= MAX_DIALS || (resting.get(id) ?? -Infinity) > elapsedMs())
      return false
    const dialled = dial(id).finally(() => dialling.delete(id))
    dialling.set(id, dialled)
    return dialled
  }

  return {
    reach,
    async reachAny(ids) {
      const tried = ids.map(async id => {
        if (!(await reach(id))) throw new Error('not reached')
      })
      await Promise.any(tried).catch(() => undefined)
    },
    stop: () => stopping.abort()
  }
}
