/**
 * A link that the patient's own agent serves, as a state that changes with each request (docs/specs/smart-health-link.md#server).
 * The new state must be on disk before the answer is sent: an attempt or a claim that a crash gives back is one too many.
 */
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { concat, equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'

/** How long a file's own address is good for; the specification allows an hour. */
const TICKET_S = 600
const MAX_RECIPIENT = 200
const MAX_TICKETS = 1000

/** What the maker of a link decides. */
export interface ServedLinkInit {
  /** When it ends, in seconds since 1970. */
  readonly expiresAtS: number
  /** Asked for if given; never kept. */
  readonly passcode?: string
  /** Wrong passcodes in the link's whole life; 10 if not given. */
  readonly attempts?: number
  /** How often it may be opened: once if not given, null for as often as one likes. */
  readonly claims?: number | null
  readonly fileCount: number
}

/** Who opened a link, and when. */
export interface ShlClaim {
  readonly atS: number
  /** What they said who they are: nothing proves it. */
  readonly recipient: string
}

/** A way to one file that a claim has opened. */
interface Ticket {
  /** SHA-256 of the secret in the file's address. */
  readonly digest: Uint8Array
  readonly file: number
  readonly untilS: number
}

/** The state of a link; plain data. */
export interface ServedLink {
  readonly expiresAtS: number
  readonly passcode: { readonly salt: Uint8Array; readonly digest: Uint8Array } | null
  readonly attemptsLeft: number
  /** Null: no limit. */
  readonly claimsLeft: number | null
  readonly isRevoked: boolean
  readonly fileCount: number
  readonly claims: readonly ShlClaim[]
  readonly tickets: readonly Ticket[]
}

/** What a request for the manifest came to. */
export type ClaimOutcome =
  /** One secret for the address of each file. */
  | { readonly kind: 'opened'; readonly secrets: readonly Uint8Array[] }
  | { readonly kind: 'wrong passcode'; readonly remainingAttempts: number }
  /** Ended, used up, revoked: the same answer for all, so that it tells nothing. */
  | { readonly kind: 'gone' }

/**
 * Makes the state of a new link.
 *
 * @throws SalusError `SHL_PASSCODE_SHAPE`
 */
export function createServedLink(p: Primitives, random: Random, init: ServedLinkInit): ServedLink {
  const { expiresAtS, passcode, attempts = 10, claims = 1, fileCount } = init
  if (passcode != null && (passcode.length < 4 || passcode.length > 128)) {
    throw new SalusError('SHL_PASSCODE_SHAPE', 'A passcode has 4 to 128 characters.')
  }
  const salt = random(32)
  return {
    expiresAtS,
    passcode: passcode == null ? null : { salt, digest: digestOf(p, salt, passcode) },
    attemptsLeft: attempts,
    claimsLeft: claims,
    isRevoked: false,
    fileCount,
    claims: [],
    tickets: []
  }
}

/** Decides on a request for the manifest (flags L and P) or for the one file (flag U). */
export function claimLink(
  p: Primitives,
  random: Random,
  link: ServedLink,
  asks: { readonly recipient: string; readonly passcode?: string; readonly nowS: number }
): { readonly link: ServedLink; readonly outcome: ClaimOutcome } {
  const { nowS, passcode } = asks
  if (!isLive(link, nowS)) return { link, outcome: { kind: 'gone' } }
  if (link.passcode != null && !equalBytes(digestOf(p, link.passcode.salt, passcode ?? ''), link.passcode.digest)) {
    // A request without a passcode costs an attempt too: else it would tell for free that the link lives.
    const attemptsLeft = link.attemptsLeft - 1
    return { link: { ...link, attemptsLeft }, outcome: { kind: 'wrong passcode', remainingAttempts: attemptsLeft } }
  }
  const secrets = Array.from({ length: link.fileCount }, () => random(32))
  const tickets = secrets.map((secret, file) => ({ digest: p.sha256(secret), file, untilS: nowS + TICKET_S }))
  const recipient = asks.recipient.slice(0, MAX_RECIPIENT)
  const claimed = {
    ...link,
    claimsLeft: link.claimsLeft == null ? null : link.claimsLeft - 1,
    claims: [...link.claims, { atS: nowS, recipient }],
    tickets: [...link.tickets.filter(each => each.untilS > nowS), ...tickets].slice(-MAX_TICKETS)
  }
  return { link: claimed, outcome: { kind: 'opened', secrets } }
}

/** The file that an address opens, which then opens no more; `undefined` if it opens none. */
export function redeemTicket(
  p: Primitives,
  link: ServedLink,
  secret: Uint8Array,
  nowS: number
): { readonly link: ServedLink; readonly file: number } | undefined {
  const digest = p.sha256(secret)
  const ticket = link.tickets.find(each => equalBytes(each.digest, digest))
  // A claim that was made in time may be finished after the link's end, not after it was revoked.
  if (ticket == null || ticket.untilS <= nowS || link.isRevoked) return undefined
  return { link: { ...link, tickets: link.tickets.filter(each => each !== ticket) }, file: ticket.file }
}

/** Ends a link at once, for files already promised too. */
export function revokeLink(link: ServedLink): ServedLink {
  return { ...link, isRevoked: true, tickets: [] }
}

/** Tells whether a link can still be opened. */
export function isLive({ expiresAtS, attemptsLeft, claimsLeft, isRevoked }: ServedLink, nowS: number): boolean {
  return !isRevoked && nowS < expiresAtS && attemptsLeft > 0 && claimsLeft !== 0
}

function digestOf(p: Primitives, salt: Uint8Array, passcode: string): Uint8Array {
  return p.hmacSha256(salt, concat(utf8('salus/shl-passcode/1'), Uint8Array.of(0), utf8(passcode.normalize('NFC'))))
}
