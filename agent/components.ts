import type { Deployment } from '#core/chain/deployment.ts'
import type { Stretch } from '#core/crypto/scrypt.ts'
import type { Clock, Primitives, Random } from '#core/crypto/primitives.ts'
import type { ChainFacts } from '#agent/chain/chain-facts.ts'
import type { Keeper } from '#agent/vault/keeper.ts'
import type { Outbox } from '#agent/network/outbox.ts'
import type { Journals } from '#agent/record/journal.ts'
import type { NodeClient } from '#node/http/client.ts'
import type { Log } from '#node/log.ts'

/** The world as an agent sees it: everything that acts, counts or chances is passed in. */
export interface AgentWorld {
  readonly p: Primitives
  readonly random: Random
  readonly clock: Clock
  readonly stretch: Stretch
  readonly log: Log
  readonly deployment: Deployment
  readonly node: NodeClient
  readonly chain: ChainFacts
}

/** The world and what the agent keeps. */
export interface AgentComponents extends AgentWorld {
  readonly keeper: Keeper
  readonly outbox: Outbox
  readonly journals: Journals
  /** What one-time claims opened, sealed. */
  readonly claimed: Outbox
}

/** Whole seconds since 1970-01-01. */
export function secondsOf(clock: Clock): number {
  return Math.floor(clock() / 1000)
}
