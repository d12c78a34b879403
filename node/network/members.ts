/** The peers of a consortium, as the node's own chain follower knows them (docs/specs/admission.md). */
import type { PeerId } from '@libp2p/interface'
import type { Deployment } from '#core/chain/deployment.ts'
import type { NodeListingRecord } from '#core/chain/records.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { isMember } from '#core/network/membership.ts'
import { isNodeListingProven } from '#core/network/node-listing.ts'
import type { Follower } from '#node/chain/follower.ts'

/** Who is of the consortium. */
export interface Members {
  /** Whether a peer is a member by the newest block that was followed; nobody is before {@link FollowedMembers.follow}. */
  isMember(peer: PeerId): boolean
  /** Hears when memberships may have changed; returns how to stop hearing. */
  onChange(handler: () => void): () => void
}

/** Members that the chain tells of once it is followed. */
export interface FollowedMembers extends Members {
  /** Asks this follower from now on. */
  follow(follower: Pick<Follower, 'view' | 'onBlock'>): void
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

  /** Once for all blocks of a turn: while the chain is read from its beginning, they come by the thousand. */
  function tellSoon(): void {
    telling ??= setImmediate(() => {
      telling = undefined
      for (const handler of handlers) handler()
    })
  }

  return {
    isMember(peer) {
      const key = peer.type === 'Ed25519' ? peer.publicKey.raw : undefined
      if (followed == null || key == null) return false
      return isMember(key, followed.view(), listing => isProven(key, peer.toString(), listing))
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
