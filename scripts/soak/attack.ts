/** What an attack in the soak is, and what all of them use. */
import type { Host } from '#node/network/host.ts'
import { submit } from '#node/network/submit.ts'
import { parseAddress } from '#node/network/supervisor.ts'
import type { BenchPeer } from '#scripts/bench/exchange/peer.ts'
import type { Swarm } from '#scripts/soak/swarm.ts'

/** What attackers are told. */
export interface AttackInit {
  /** Attackers; each does one of the attacks, again and again under new identities. */
  readonly count: number
  /** Messages that the nodes have. */
  readonly known: readonly Uint8Array[]
  /** Hands an honest message in at one of the nodes, which all of them must have in the end. */
  readonly handIn: (message: Uint8Array) => Promise<void>
  readonly signal: AbortSignal
}

/** One attack, until the peer was cut off or the time is up; returns how many blows it dealt. */
export type Attack = (swarm: Swarm, peer: BenchPeer, init: AttackInit) => Promise<number>

/** Time for one attack under one identity, ms. */
export const ROUND_MS = 1_500

/** Hands a message to a node, whatever it says. */
export async function hand({ libp2p }: Host, multiaddr: string, message: Uint8Array): Promise<void> {
  const signal = AbortSignal.timeout(ROUND_MS)
  await submit(libp2p, parseAddress(multiaddr), message, { signal }).catch(() => undefined)
}
