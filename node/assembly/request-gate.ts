/** Signed requests to this node: fresh by its clock, for it alone, used once (docs/specs/read-request.md). */
import type { Clock, Primitives } from '#core/crypto/primitives.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { decodeReadRequest, verifyReadRequest, type ReadRequest } from '#core/grant/read-request.ts'

/** What judging the form of requests needs. */
export interface RequestGateComponents {
  readonly p: Primitives
  /** Network identifier, 32 bytes. */
  readonly network: Uint8Array
  /** Peer id bytes of this node. */
  readonly audience: Uint8Array
  readonly clock: Clock
}

/** Lets each fresh, signed request through once. */
export interface RequestGate {
  /**
   * Lets a request through if `judge` does not throw; only then it counts as used.
   *
   * @throws SalusError `READ_REQUEST_*` for one that is malformed, unsigned or for another node; `READ_STALE`, `READ_REPLAYED`,
   * `READ_BUSY`; whatever `judge` throws
   */
  pass<T>(bytes: Uint8Array, judge: (request: ReadRequest, nowMs: number) => T): { request: ReadRequest; judged: T }
}

/** Difference between the requester's clock and ours that is borne, ms. */
const MAX_CLOCK_SKEW_MS: number = 2 * 60_000
/** Nonces that are remembered; all are forgotten when their requests are stale. */
const MAX_NONCES = 65_536
/** Nonces of one author that are remembered: nobody can use up the memory alone. */
const MAX_AUTHOR_NONCES = 256

/** Makes a gate; it remembers nonces in memory only, since requests of before a restart go stale in two minutes. */
export function createRequestGate({ p, network, audience, clock }: RequestGateComponents): RequestGate {
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
    pass(bytes, judge) {
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
      const judged = judge(request, nowMs)
      // Last: only requests that are answered use up memory.
      useOnce(request, nowMs)
      return { request, judged }
    }
  }
}
