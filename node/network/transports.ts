/** Ways to other peers: TCP, WebSocket for browsers, and relays for those who cannot be dialled (docs/decisions/0034-admission-and-transport.md). */
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { dcutr } from '@libp2p/dcutr'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'

/**
 * What a node has to do with relays: `off`; `client` is reached through the relays in its listen addresses
 * (`<relay>/p2p-circuit`) and tries to connect directly from there; `server` passes on for others as well.
 */
export type RelayMode = 'off' | 'client' | 'server'

/** Peers that may be reached through one relay. */
const MAX_RESERVATIONS = 128
/** Time for which a relayed connection lives where the relay is open to everyone, ms: enough to connect directly. */
const OPEN_DURATION_MS = 120_000
/** Bytes that an open relay passes on for one connection. */
const OPEN_DATA_BYTES = 131_072n

/** The transports of a host. */
export function transportsOf(relay: RelayMode) {
  return relay === 'off' ? [tcp(), webSockets()] : [tcp(), webSockets(), circuitRelayTransport()]
}

/**
 * The services that relaying takes.
 *
 * @param isOpen - whether anyone may connect; then relayed connections are short, for strangers' traffic is nobody's duty
 */
export function relayServicesOf(relay: RelayMode, isOpen: boolean) {
  const reservations = {
    maxReservations: MAX_RESERVATIONS,
    applyDefaultLimit: isOpen,
    defaultDurationLimit: OPEN_DURATION_MS,
    defaultDataLimit: OPEN_DATA_BYTES
  }
  return {
    ...(relay === 'off' ? {} : { dcutr: dcutr() }),
    ...(relay === 'server' ? { relay: circuitRelayServer({ reservations }) } : {})
  }
}
