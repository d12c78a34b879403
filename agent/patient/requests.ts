/** Requests for access that the patient has scanned. */
import type { PatientAccount, SettledRequest } from '#core/agent/agent-state.ts'
import { checkNumber } from '#core/agent/code-text.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { openRequestCode, type RequestCode } from '#core/grant/request-code.ts'
import { secondsOf, type AgentComponents } from '#agent/components.ts'
import { changePatient } from '#agent/patient/change.ts'

/** A request in words. */
export interface ShownRequest {
  /** Digest of its bytes, `0x…`. */
  readonly id: string
  /** What the asker's screen shows too, if nobody swapped the code. */
  readonly check: string
  readonly request: RequestCode
}

const MAX_WAITING = 256

/** What names a request. */
export function digestOfRequest(p: Primitives, code: Uint8Array): Uint8Array {
  return p.sha256(code)
}

/**
 * Refuses a request that was answered before.
 *
 * @throws SalusError `REQUEST_CODE_REPLAYED`
 */
export function refuseAnswered(p: Primitives, { answered }: PatientAccount, code: Uint8Array): void {
  const digest = digestOfRequest(p, code)
  if (answered.some(each => each.isAnswered && equalBytes(each.digest, digest))) {
    throw new SalusError('REQUEST_CODE_REPLAYED', 'Refused: this request was answered before; ask for a new one.')
  }
}

/** Those that somebody might still use. */
export function withoutStale(requests: readonly SettledRequest[], nowS: number): SettledRequest[] {
  return requests.filter(({ notAfterS }) => notAfterS > nowS)
}

/** All but one. */
export function withoutRequest(requests: readonly SettledRequest[], digest: Uint8Array): SettledRequest[] {
  return requests.filter(each => !equalBytes(each.digest, digest))
}

/**
 * Takes a scanned request in, to be answered later.
 *
 * @throws SalusError `REQUEST_CODE_*`, `REQUESTS_FULL`
 */
export async function receiveRequest(components: AgentComponents, code: Uint8Array): Promise<ShownRequest> {
  const { p, clock, keeper, deployment } = components
  const nowS = secondsOf(clock)
  const request = openRequestCode(p, code, { target: deployment, nowS })
  await changePatient(keeper, account => {
    refuseAnswered(p, account, code)
    const live = stillOpen(components, account)
    if (live.some(each => equalBytes(each.code, code))) return account
    if (live.length >= MAX_WAITING) {
      throw new SalusError('REQUESTS_FULL', 'Too many requests wait for an answer; answer or let expire some first.')
    }
    return { ...account, requests: [...live, { code, receivedAtS: nowS }] }
  })
  return shown(p, code, request)
}

/** The requests that wait for an answer. */
export function waitingRequests(components: AgentComponents): ShownRequest[] {
  const { p, clock, keeper, deployment } = components
  const account = keeper.state().patient
  if (account == null) return []
  return stillOpen(components, account).map(({ code }) =>
    shown(p, code, openRequestCode(p, code, { target: deployment, nowS: secondsOf(clock) }))
  )
}

/**
 * The bytes of a waiting request.
 *
 * @throws SalusError `REQUEST_UNKNOWN`
 */
export function requestNamed(components: AgentComponents, id: string): Uint8Array {
  const { p, keeper } = components
  const found = keeper.state().patient?.requests.find(({ code }) => toHex(digestOfRequest(p, code)) === id)
  if (found == null) throw new SalusError('REQUEST_UNKNOWN', 'No such request waits; scan its code.')
  return found.code
}

function stillOpen({ p, clock, deployment }: AgentComponents, { requests }: PatientAccount) {
  return requests.filter(({ code }) => {
    try {
      openRequestCode(p, code, { target: deployment, nowS: secondsOf(clock) })
      return true
    } catch (error) {
      if (isSalusError(error)) return false
      throw error
    }
  })
}

function shown(p: Primitives, code: Uint8Array, request: RequestCode): ShownRequest {
  return { id: toHex(digestOfRequest(p, code)), check: checkNumber(p, code), request }
}
