/** Who is there and how much each holds for others, as far as this node has heard (docs/specs/pledge.md). */
import { base58btc } from 'multiformats/bases/base58'
import { concat, toHex } from '#core/encoding/bytes.ts'
import type { Clock, Primitives } from '#core/crypto/primitives.ts'
import { isSalusError } from '#core/error.ts'
import { PEER_ID_PREFIX } from '#core/network/node-listing.ts'
import { checkPledgeTime, decodePledge, PLEDGE_SKEW_S, type Pledge } from '#core/placement/pledge.ts'
import type { ListedPeer } from '#node/network/members.ts'
import { createPeerTable, seedOf, type PeerTable, type PlacePeer } from '#core/placement/rendezvous.ts'

/** What hearing of members needs. */
export interface MembersComponents {
  readonly p: Primitives
  readonly clock: Clock
  /** Milliseconds since some moment, which nobody sets back: by it peers are given up. */
  readonly elapsedMs: () => number
  /** The registry's word on a peer, where there is one: peers that it does not list are passed over. */
  readonly listed?: (peerKey: Uint8Array) => ListedPeer | undefined
}

/** What it is told. */
export interface MembersInit {
  /** Network identifier, 32 bytes. */
  readonly networkId: Uint8Array
  /** Time without a new pledge after which a peer counts as dead, ms. */
  readonly deadAfterMs: number
  /** Most peers that are remembered, 16,384 unless told. */
  readonly maxMembers?: number
  /** Most peers that are gone and of which the last number is remembered, 65,536 unless told. */
  readonly maxGone?: number
}

/** What became of a pledge. `refused` may be right elsewhere or at another time; `forged` is right nowhere, and no honest peer passes it on. */
export type Heard = 'new' | 'known' | 'refused' | 'forged'

/** A peer that pledged. */
export interface Member {
  readonly id: string
  readonly pledge: Pledge
  readonly bytes: Uint8Array
}

/** The peers that pledged. */
export interface Members {
  /** Takes in a pledge; one that was heard before, or an older one, changes nothing. */
  hear(bytes: Uint8Array): Heard
  /** The peers that are alive, willing and not distrusted; another object where they changed. */
  table(): PeerTable
  get(id: string): Member | undefined
  /** Pledges heard after a number, oldest first, and the number of the last. */
  newsAfter(number: number, limit: number): { readonly next: number; readonly pledges: Uint8Array[] }
  /** A peer did not prove what it should hold: it is left out for a while, twice as long each time. */
  distrust(id: string): void
  /** A peer proved what it should hold: what was before is forgotten. */
  trust(id: string): void
  size(): number
}

interface Known extends Member {
  readonly place: PlacePeer
  readonly heardAtMs: number
  readonly number: number
}

/** What is left of a peer that is gone. */
interface Gone {
  /** Number of its last pledge: none up to it is taken any more. */
  readonly sequence: number
  /** From when on no clock takes that pledge, in seconds since 1970. */
  readonly untilS: number
}

const MAX_MEMBERS = 16_384
const MAX_GONE = 65_536
/** Shortest time between two tables that differ by who came or pledged another size, ms. */
const LOOK_MS = 200
const FIRST_DISTRUST_MS = 600_000
const MAX_DISTRUST_MS = 86_400_000

/** Makes an empty {@link Members}. */
export function createMembers(components: MembersComponents, init: MembersInit): Members {
  const { p, clock, elapsedMs, listed } = components
  const { networkId, deadAfterMs, maxMembers = MAX_MEMBERS, maxGone = MAX_GONE } = init
  /** By peer key; whoever was heard last is last. */
  const known = new Map<string, Known>()
  const ids = new Map<string, string>()
  /** By peer key; whoever went first is first. */
  const gone = new Map<string, Gone>()
  const distrusted = new Map<string, { readonly untilMs: number; readonly times: number }>()
  let number = 0
  let table = createPeerTable([])
  let shape = ''
  let lookedAtMs = Number.NEGATIVE_INFINITY
  /** When the table may be another: somebody came, or may be dead, or trusted again. */
  let nextLookMs = Number.NEGATIVE_INFINITY

  function placeOf(id: string, pledge: Pledge): PlacePeer | undefined {
    const registered = listed?.(pledge.peerKey)
    if (listed != null && registered == null) return undefined
    const weight = Math.min(pledge.bytes, registered?.bytes ?? pledge.bytes)
    return { id, seed: seedOf(p.sha256(pledge.peerKey)), weight, operator: registered?.operator ?? pledge.operator }
  }

  function forgetGone(nowMs: number): void {
    for (const [key, { heardAtMs, id, pledge }] of known) {
      if (heardAtMs + deadAfterMs > nowMs) break
      known.delete(key)
      ids.delete(id)
      nextLookMs = Number.NEGATIVE_INFINITY
      // What it said last is not taken again, or whoever kept it could make the dead live.
      gone.set(key, { sequence: pledge.sequence, untilS: pledge.validUntilS + PLEDGE_SKEW_S })
    }
    for (const [key, { untilS }] of gone) {
      if (gone.size <= maxGone && untilS * 1_000 >= clock()) break
      gone.delete(key)
    }
    for (const [id, { untilMs }] of distrusted) if (untilMs + MAX_DISTRUST_MS < nowMs) distrusted.delete(id)
  }

  /** The sequence up to which nothing of a peer is taken. */
  function lastOf(key: string): number {
    const left = gone.get(key)
    if (left != null && left.untilS * 1_000 < clock()) gone.delete(key)
    return known.get(key)?.pledge.sequence ?? gone.get(key)?.sequence ?? -1
  }

  function hear(bytes: Uint8Array): Heard {
    let pledge: Pledge
    try {
      pledge = decodePledge(p, bytes, networkId)
      checkPledgeTime(pledge, Math.floor(clock() / 1_000))
    } catch (error) {
      if (!isSalusError(error)) throw error
      return error.code === 'PLEDGE_EXPIRED' || error.code === 'PLEDGE_FUTURE' ? 'refused' : 'forged'
    }
    const key = toHex(pledge.peerKey)
    if (lastOf(key) >= pledge.sequence) return 'known'
    const earlier = known.get(key)
    const id = idOfKey(pledge.peerKey)
    const place = placeOf(id, pledge)
    if (place == null) return 'refused'
    if (earlier == null && known.size >= maxMembers) {
      forgetGone(elapsedMs())
      // Whoever is there already stays: strangers, who cost nothing to invent, must not push them out.
      if (known.size >= maxMembers) return 'refused'
    }
    known.delete(key)
    gone.delete(key)
    known.set(key, { id, pledge, bytes, place, heardAtMs: elapsedMs(), number: ++number })
    ids.set(id, key)
    // That a peer is there still changes nothing: a thousand peers say so many times a second.
    const isSame = earlier?.place.weight === place.weight && earlier.place.operator === place.operator
    if (!isSame) nextLookMs = Math.min(nextLookMs, lookedAtMs + LOOK_MS)
    return 'new'
  }

  return {
    hear,
    table() {
      const nowMs = elapsedMs()
      if (nowMs < nextLookMs) return table
      lookedAtMs = nowMs
      forgetGone(nowMs)
      const [oldest] = known.values()
      const ends = [...distrusted.values()].map(({ untilMs }) => untilMs).filter(untilMs => untilMs > nowMs)
      nextLookMs = Math.min((oldest?.heardAtMs ?? nowMs) + deadAfterMs, ...ends)
      const alive = [...known.values()].filter(({ id }) => (distrusted.get(id)?.untilMs ?? 0) <= nowMs)
      const places = alive.map(({ place }) => place).filter(({ weight }) => weight > 0)
      const now = places
        .map(({ id, weight, operator }) => `${id} ${String(weight)} ${operator}`)
        .sort()
        .join('\n')
      if (now !== shape) {
        shape = now
        table = createPeerTable(places)
      }
      return table
    },
    get: id => known.get(ids.get(id) ?? ''),
    newsAfter(after, limit) {
      const pledges: Uint8Array[] = []
      let next = after
      // The order of the map is the order of the numbers.
      for (const member of known.values()) {
        if (member.number <= after) continue
        pledges.push(member.bytes)
        next = member.number
        if (pledges.length >= limit) break
      }
      return { next, pledges }
    },
    distrust(id) {
      const times = (distrusted.get(id)?.times ?? 0) + 1
      const forMs = Math.min(MAX_DISTRUST_MS, FIRST_DISTRUST_MS * 2 ** (times - 1))
      distrusted.set(id, { untilMs: elapsedMs() + forMs, times })
      nextLookMs = Number.NEGATIVE_INFINITY
    },
    trust(id) {
      if (distrusted.delete(id)) nextLookMs = Number.NEGATIVE_INFINITY
    },
    size: () => known.size
  }
}

/** The text of the peer id of an Ed25519 key. */
export function idOfKey(peerKey: Uint8Array): string {
  return base58btc.baseEncode(concat(PEER_ID_PREFIX, peerKey))
}
