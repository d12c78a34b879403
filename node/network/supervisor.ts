import { setTimeout as pause } from 'node:timers/promises'
import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { anySignal } from 'any-signal'
import { SalusError } from '#core/error.ts'
import type { Log } from '#node/log.ts'

/** Keeps connections to configured peers, for ever: libp2p itself neither dials discovered peers nor redials lost ones. */
export interface Supervisor {
  start(): void
  /** Stops dialling and waits until it has. */
  stop(): Promise<void>
}

/** What the supervisor needs. */
export interface SupervisorComponents {
  readonly libp2p: Libp2p
  readonly log: Log
}

/** What the supervisor is told. */
export interface SupervisorInit {
  /** Addresses, with or without a peer id at the end. */
  readonly peers: readonly Multiaddr[]
  /** First wait after a failed dial, 250 ms unless told; doubles with each further failure. */
  readonly minWaitMs?: number
  /** Longest wait, 15 s unless told. */
  readonly maxWaitMs?: number
}

const DIAL_TIMEOUT_MS = 10_000

/** A {@link Supervisor} for some peers. */
export function createSupervisor({ libp2p, log }: SupervisorComponents, init: SupervisorInit): Supervisor {
  const { peers, minWaitMs = 250, maxWaitMs = 15_000 } = init
  const stopping = new AbortController()
  let loops: Promise<void>[] = []

  async function keep(address: Multiaddr): Promise<void> {
    let failures = 0
    for (;;) {
      try {
        const connection = await dial(address)
        failures = 0
        await disconnected(connection.remotePeer)
      } catch (error) {
        // Said once, then only in detail: a peer may be away for days.
        if (++failures === 1) log.warn({ address: address.toString(), err: error }, 'peer not reached; trying on')
        else log.debug({ address: address.toString(), err: error, failures }, 'peer not reached')
      }
      // A peer that is lost at once, over and over, is waited for as well.
      const waitMs = Math.min(maxWaitMs, minWaitMs * 2 ** Math.min(failures, 16)) * (0.5 + Math.random() / 2)
      await sleep(waitMs)
      if (stopping.signal.aborted) return
    }
  }

  async function dial(address: Multiaddr): Promise<Connection> {
    // Not AbortSignal.any: it keeps every signal that was ever joined to a long-lived one.
    const signal = anySignal([stopping.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    try {
      return await libp2p.dial(address, { signal })
    } finally {
      signal.clear()
    }
  }

  /** Waits, or returns at once where the supervisor is stopped. */
  async function sleep(timeMs: number): Promise<void> {
    try {
      await pause(timeMs, undefined, { signal: stopping.signal })
    } catch (error) {
      if (!stopping.signal.aborted) throw error
    }
  }

  /** Resolves when no connection to the peer is left, or on stop. */
  async function disconnected(peer: PeerId): Promise<void> {
    await new Promise<void>(resolve => {
      const check = (): void => {
        if (!stopping.signal.aborted && libp2p.getConnections(peer).length > 0) return
        libp2p.removeEventListener('peer:disconnect', check)
        stopping.signal.removeEventListener('abort', check)
        resolve()
      }
      libp2p.addEventListener('peer:disconnect', check)
      stopping.signal.addEventListener('abort', check)
      check()
    })
  }

  return {
    start() {
      loops = peers.map(keep)
    },
    async stop() {
      stopping.abort()
      await Promise.all(loops)
    }
  }
}

/**
 * Reads the address of a peer.
 *
 * @throws SalusError `PEER_ADDRESS_MALFORMED`
 */
export function parseAddress(address: string): Multiaddr {
  try {
    return multiaddr(address)
  } catch (cause) {
    throw new SalusError('PEER_ADDRESS_MALFORMED', `Not a multiaddress: "${address}"; expected /ip4/…/tcp/…/p2p/….`, {
      cause
    })
  }
}
