/** Who may connect to a node, and how often at once (docs/specs/admission.md). */
import type { ConnectionGater, PeerId } from '@libp2p/interface'
import type { Bans } from '#node/network/bans.ts'
import type { Members } from '#node/network/members.ts'

/** Whom a node lets in, besides that nobody who is cut off comes in. */
export type AdmissionInit =
  /** Everyone. */
  | { readonly mode: 'open' }
  /** Whoever has the network's key, 32 bytes. */
  | { readonly mode: 'private'; readonly networkKey: Uint8Array }
  /** Peers that an accredited organisation lists on the chain. */
  | { readonly mode: 'consortium' }

/** What a gater needs. */
export interface GaterComponents {
  readonly bans: Pick<Bans, 'isBanned'>
  /** The consortium's; without it everyone is let in who is not cut off. */
  readonly members?: Members
  /** Connections that are open with a peer. */
  readonly connectionsOf: (peer: PeerId) => number
}

/** Whether a peer may be connected with now. */
export function isAdmitted({ bans, members }: Omit<GaterComponents, 'connectionsOf'>, peer: PeerId): boolean {
  return !bans.isBanned(peer.toString()) && (members?.isMember(peer) ?? true)
}

/**
 * The gater of a host: asked when a peer is dialled, and when it has proven who it is, before any protocol is spoken.
 *
 * @param maxConnectionsPerPeer - further connections that the peer opens are refused
 */
export function createGater(components: GaterComponents, maxConnectionsPerPeer: number): ConnectionGater {
  const denied = (peer: PeerId): boolean => !isAdmitted(components, peer)
  return {
    denyDialPeer: denied,
    denyOutboundEncryptedConnection: denied,
    denyInboundEncryptedConnection: peer => denied(peer) || components.connectionsOf(peer) >= maxConnectionsPerPeer,
    denyInboundRelayReservation: denied,
    denyOutboundRelayedConnection: (source, destination) => denied(source) || denied(destination),
    denyInboundRelayedConnection: (_relay, remote) => denied(remote)
  }
}
