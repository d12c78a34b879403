/** What a node makes of a message that came from outside. */
export interface Verdict {
  /** `accept`: valid, kept, passed on. `ignore`: not now or not needed, nobody's fault. `reject`: whoever sent it broke a rule. */
  readonly verdict: 'accept' | 'ignore' | 'reject'
  /** Why not, a code of docs/errors.md. */
  readonly code?: string
  /** An ignored message that may be valid later, for example when the chain has caught up: sync asks for it again. */
  readonly retry?: boolean
}

/**
 * Judges a message and, if it is valid, keeps it before it answers.
 *
 * @param bytes - an envelope as it came, at most 64 KiB
 * @param from - id of the peer it came from
 * @param topic - the gossip topic, where it came by gossip
 */
export type Accept = (bytes: Uint8Array, from: string, topic?: string) => Promise<Verdict>
