/** What a token may be good for; a token names what it may do, never who is behind it. */

/** Every scope. */
export const SCOPES = ['status:read', 'events', 'metrics', 'peers:write', 'backup', 'scrub', 'tokens'] as const

/** One of {@link SCOPES}. */
export type Scope = (typeof SCOPES)[number]

/** Scopes that change nothing: tokens for these alone may live longer. */
export const READ_SCOPES: readonly Scope[] = ['status:read', 'events', 'metrics']

/** What each scope lets its holder do, for people. */
export const SCOPE_MEANS: Readonly<Record<Scope, string>> = {
  'status:read': 'see peers, tokens of its own and the state of repairs',
  events: 'hear what the node takes in, its peers, repairs and alerts',
  metrics: 'read /metrics',
  'peers:write': 'connect, disconnect and ban peers',
  backup: 'make backups',
  scrub: 'check stored data and have it healed',
  tokens: 'make tokens that may do no more than its own, and revoke any'
}
