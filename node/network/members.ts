/** The peers of a consortium, as the node's own chain follower knows them (docs/specs/admission.md). */
import type { PeerId } from '@libp2p/interface'
import type { Deployment } from '#core/chain/deployment.ts'
import type { NodeListingRecord } from '#core/chain/records.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { membershipsOf } from '#core/network/membership.ts'
import { isNodeListingProven } from '#core/network/node-listing.ts'
import type { Follower } from '#node/chain/follower.ts'

/** Who is of the consortium. */
export interface Members {
  /** Whether a peer is a member by the newest block that was followed; nobody is before {@link FollowedMembers.follow}. */
  isMember(peer: PeerId): boolean
  /** Hears when memberships may have changed; returns how to stop hearing. */
  onChange(handler: () => void): () => void
}

/** What a consortium's registry says of a peer. */
export interface ListedPeer {
  /** Organisation that lists it; of several, the one that did so first. */
  readonly operator: string
  /** Bytes that it pledges there. */
  readonly bytes: number
}

/** Members that the chain tells of once it is followed. */
export interface FollowedMembers extends Members {
  /** Asks this follower from now on. */
  follow(follower: Pick<Follower, 'view' | 'onBlock'>): void
  /** The registry's word on the peer with an Ed25519 key; none where it is no member. */
  listed(peerKey: Uint8Array): ListedPeer | undefined
  stop(): void
}

/** What membership needs. */
export interface MembersComponents {
  readonly p: Primitives
  readonly deployment: Deployment
}

/** Most proofs that are remembered to have been checked: a check costs a tenth of a millisecond. */
const MAX_CHECKED = 4_096

/** The members of a deployment's consortium. */
export function createMembers({ p, deployment }: MembersComponents): FollowedMembers {
  const { chainId, contracts } = deployment
  const registry = fromHex(contracts.NodeRegistry.address, 20)
  const handlers = new Set<() => void>()
  const checked = new Map<string, boolean>()
  let followed: Pick<Follower, 'view' | 'onBlock'> | undefined
  let unhear: (() => void) | undefined
  let telling: NodeJS.Immediate | undefined

  function isProven(peerKey: Uint8Array, peer: string, listing: NodeListingRecord): boolean {
    const { organisation, validUntilS, proof } = listing
    const key = [peer, organisation, validUntilS, proof].join('/')
    let isSound = checked.get(key)
    if (isSound == null) {
      const agreed = { chainId, registry, organisation: fromHex(organisation, 32), validUntil: validUntilS }
      isSound = isNodeListingProven(p, agreed, peerKey, fromHex(proof, 64))
      checked.set(key, isSound)
      const [oldest] = checked.keys()
      if (checked.size > MAX_CHECKED && oldest != null) checked.delete(oldest)
    }
    return isSound
  }

  function membershipsNow(peerKey: Uint8Array): NodeListingRecord[] {
    if (followed == null) return []
    const peer = toHex(peerKey)
    return membershipsOf(peerKey, followed.view(), listing => isProven(peerKey, peer, listing))
  }

  /** Once for all blocks of a turn: while the chain is read from its beginning, they come by the thousand. */
  function tellSoon(): void {
    telling ??= setImmediate(() => {
      telling = undefined
      for (const handler of handlers) handler()
    })
  }

  return {
    isMember(peer) {
      return peer.type === 'Ed25519' && membershipsNow(peer.publicKey.raw).length > 0
    },
    listed(peerKey) {
      const [first] = membershipsNow(peerKey)
      // Above the largest safe number no two pledges are told apart, and none counts for as much.
      return first == null ? undefined : { operator: first.organisation, bytes: Number(first.pledgedBytes) }
    },
    onChange(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    follow(follower) {
      followed = follower
      // Each block: time alone ends a listing.
      unhear = follower.onBlock(tellSoon)
      tellSoon()
    },
    stop() {
      unhear?.()
      clearImmediate(telling)
    }
  }
}
