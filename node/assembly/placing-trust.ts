/** Whom placement takes at their word: it follows from who is let in (docs/specs/placement.md). */
import type { PlacingComponents, PlacingInit } from '#node/assembly/placing.ts'
import type { HostInit } from '#node/network/host.ts'
import type { FollowedMembers } from '#node/network/members.ts'
import { parseAddress } from '#node/network/supervisor.ts'

/** What placement is told of it. */
export interface PlacingTrust extends Pick<PlacingComponents, 'listed'>, Pick<PlacingInit, 'vouched' | 'isOpen'> {}

/**
 * In a consortium, the peers that are listed; in a private network, whoever has its key; in an open one, the peers that the operator
 * configured by their ids.
 */
export function placingTrust(
  { admission, peers = [] }: Pick<HostInit, 'admission' | 'peers'>,
  members: Pick<FollowedMembers, 'listed'>
): PlacingTrust {
  switch (admission?.mode ?? 'open') {
    case 'consortium':
      return { listed: members.listed, isOpen: false }
    case 'private':
      return { vouched: () => true, isOpen: false }
    case 'open': {
      const ids = new Set(
        peers.flatMap(address => {
          const last = parseAddress(address).getComponents().at(-1)
          return last?.name === 'p2p' && last.value != null ? [last.value] : []
        })
      )
      return { vouched: id => ids.has(id), isOpen: true }
    }
  }
}
