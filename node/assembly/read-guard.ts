/** Who may read a patient's entries from this node: signed, fresh, single-use requests (docs/specs/http-api.md). */
import type { Deployment } from '#core/chain/deployment.ts'
import { networkIdOfDeployment } from '#core/chain/deployment.ts'
import type { ChainView } from '#core/chain/view.ts'
import type { Clock, Primitives } from '#core/crypto/primitives.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { decodeReadRequest, verifyReadRequest, type ReadRequest } from '#core/grant/read-request.ts'
import { RIGHT_READ } from '#core/grant/terms.ts'
import { checkRight } from '#core/network/author-right.ts'

/** What judging read requests needs. */
export interface ReadGuardComponents {
  readonly p: Primitives
  readonly deployment: Deployment
  readonly chain: () => ChainView
  readonly clock: Clock
  /** Peer id bytes of this node. */
  readonly audience: Uint8Array
}

/** Judges read requests. */
export interface ReadGuard {
  /**
   * Admits a read request once.
   *
   * @throws SalusError `READ_REQUEST_*` for one that is malformed, unsigned or for another node; `READ_STALE`, `READ_REPLAYED`,
   * `READ_BUSY`; `READ_REVOKED`, `READ_EXPIRED`, `READ_NOT_GRANTED`, `READ_NOT_YET`,
   * `READ_UNCLAIMED`
   */
  admit(bytes: Uint8Array): ReadRequest
}

/** Difference between the requester's clock and ours that is borne, ms. */
export const MAX_CLOCK_SKEW_MS: number = 2 * 60_000
/** Nonces that are remembered; all are forgotten when their requests are stale. */
const MAX_NONCES = 65_536
/** Nonces of one author that are remembered: nobody can use up the memory alone. */
const MAX_AUTHOR_NONCES = 256

/** What a refusal of the shared rules means to a reader. */
const CODES: Readonly<Record<string, readonly [code: string, message: string]>> = {
  GRANT_REVOKED: ['READ_REVOKED', 'The patient has taken this grant back.'],
  GRANT_EXPIRED: ['READ_EXPIRED', 'The grant has ended; ask the patient for another.'],
  GRANT_SPENT: ['READ_EXPIRED', 'The grant has been used up; ask the patient for another.'],
  GRANT_UNCLAIMED: ['READ_UNCLAIMED', 'This grant is counted: claim a use on the chain, then read within ten minutes.'],
  BINDING_EXPIRED: ['READ_EXPIRED', 'The key binding has expired; sign a new one.'],
  GRANT_NOT_YET: ['READ_NOT_YET', 'The grant has not begun.'],
  GRANT_UNKNOWN: ['READ_NOT_YET', 'This node does not know the grant; if it is new, try again soon.'],
  PATIENT_UNKNOWN: ['READ_NOT_YET', 'This node does not know the patient; if it is new, try again soon.']
}

/** Makes a guard; it remembers nonces in memory only, since requests of before a restart go stale in two minutes. */
export function createReadGuard({ p, deployment, chain, clock, audience }: ReadGuardComponents): ReadGuard {
  const network = networkIdOfDeployment(deployment)
  /** Time at which a nonce may be forgotten, ms. */
  const nonces = new Map<string, { readonly author: string; readonly forgetAtMs: number }>()
  /** Nonces of each author. */
  const shares = new Map<string, number>()

  function share(author: string, change: 1 | -1): void {
    const now = (shares.get(author) ?? 0) + change
    if (now > 0) shares.set(author, now)
    else shares.delete(author)
  }

  function useOnce(request: ReadRequest, nowMs: number): void {
    for (const [nonce, { author, forgetAtMs }] of nonces) {
      if (forgetAtMs > nowMs) break
      nonces.delete(nonce)
      share(author, -1)
    }
    const author = toHex(request.author)
    const nonce = author + toHex(request.nonce)
    if (nonces.has(nonce)) throw new SalusError('READ_REPLAYED', 'This request was used before; sign a new one.')
    if (nonces.size >= MAX_NONCES || (shares.get(author) ?? 0) >= MAX_AUTHOR_NONCES) {
      throw new SalusError('READ_BUSY', 'Too many requests at the moment; try again soon.')
    }
    nonces.set(nonce, { author, forgetAtMs: nowMs + 2 * MAX_CLOCK_SKEW_MS })
    share(author, 1)
  }

  return {
    admit(bytes) {
      const decoded = decodeReadRequest(bytes, { network, audience })
      const { request } = decoded
      const nowMs = clock()
      if (Math.abs(nowMs - request.issuedAtMs) > MAX_CLOCK_SKEW_MS) {
        throw new SalusError(
          'READ_STALE',
          'The request is too old or from the future; check the clock and sign a new one.'
        )
      }
      if (!verifyReadRequest(p, decoded)) {
        throw new SalusError('READ_REQUEST_SIGNATURE', 'The request was not signed by its author.')
      }
      const view = chain()
      // The later of both clocks: while the chain is away its time stands still, and what expires must expire all the same.
      const nowS = Math.max(view.blockTimeS, Math.floor(nowMs / 1000))
      const span = { fromS: nowS, toS: nowS }
      const context = { deployment, chain: view, right: RIGHT_READ, span, past: false }
      const right = checkRight(request, request.evidence, context)
      if ('verdict' in right) {
        const [code, message] = CODES[right.code] ?? [
          'READ_NOT_GRANTED',
          'The patient has not given this right to the author.'
        ]
        throw new SalusError(code, message)
      }
      // Last: only requests that are answered use up memory.
      useOnce(request, nowMs)
      return request
    }
  }
}
