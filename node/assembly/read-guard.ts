/** Who may read a patient's entries from this node: signed, fresh, single-use requests (docs/specs/http-api.md). */
import type { Deployment } from '#core/chain/deployment.ts'
import { networkIdOfDeployment } from '#core/chain/deployment.ts'
import type { ChainView } from '#core/chain/view.ts'
import type { Clock, Primitives } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import { judgeResponder } from '#core/custody/release-rules.ts'
import { toHex } from '#core/encoding/bytes.ts'
import type { ReadRequest } from '#core/grant/read-request.ts'
import { RIGHT_READ } from '#core/grant/terms.ts'
import { checkRight } from '#core/network/author-right.ts'
import { createRequestGate } from '#node/assembly/request-gate.ts'

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
   * `READ_UNCLAIMED`; under an emergency `EMERGENCY_OVER`, `EMERGENCY_RESPONDER`, `EMERGENCY_UNKNOWN`, `BINDING_*`, `EVIDENCE_*`
   */
  admit(bytes: Uint8Array): ReadRequest
}

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

/** Makes a guard. */
export function createReadGuard({ p, deployment, chain, clock, audience }: ReadGuardComponents): ReadGuard {
  const gate = createRequestGate({ p, network: networkIdOfDeployment(deployment), audience, clock })

  function judge(request: ReadRequest, nowMs: number): void {
    const view = chain()
    // The later of both clocks: while the chain is away its time stands still, and what expires must expire all the same.
    const nowS = Math.max(view.blockTimeS, Math.floor(nowMs / 1000))
    // What an emergency opens, its shares do; whoever declared it may have the sealed entries.
    if (request.grant != null && view.emergency(toHex(request.grant)) != null) {
      judgeResponder(request, { deployment, chain: view, nowS })
      return
    }
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
  }

  return { admit: bytes => gate.pass(bytes, judge).request }
}
