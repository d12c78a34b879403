/** Asking patients for access, and taking their answers. */
import { SalusError } from '#core/error.ts'
import { openAnswerCode, type AnswerCode } from '#core/grant/answer-code.ts'
import { MAX_REQUEST_CODE_S, signRequestCode, type RequestCode } from '#core/grant/request-code.ts'
import { COMPARTMENTS } from '#core/record/compartment.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import type { Accounts } from '#agent/accounts.ts'
import { changeClinician, renewEvidence } from '#agent/clinician/account.ts'
import { secondsOf, type AgentComponents } from '#agent/components.ts'
import { digestOfRequest, withoutStale } from '#agent/patient/requests.ts'

/** What a clinician asks for. */
export interface RequestWish extends Pick<
  RequestCode,
  'name' | 'compartments' | 'rights' | 'uses' | 'durationS' | 'purpose'
> {
  /** For how long the code may be answered, seconds. */
  readonly validS: number
}

/** How long the answer to a request is waited for after the request itself has expired. */
const ANSWER_S = 7 * 86_400

/**
 * Makes a signed request, to be shown to a patient.
 *
 * @throws SalusError `REQUEST_CODE_VALIDITY`, `REQUEST_CODE_SHAPE`
 */
export async function makeRequest(
  components: AgentComponents & { readonly accounts: Accounts },
  { validS, ...wish }: RequestWish
): Promise<Uint8Array> {
  const { p, random, clock, accounts } = components
  if (!(validS > 0 && validS <= MAX_REQUEST_CODE_S)) {
    throw new SalusError('REQUEST_CODE_VALIDITY', 'A request is good for at least a second and at most seven days.')
  }
  await renewEvidence(components)
  const { account, keys, evidence } = await accounts.clinician()
  const { network, address } = account.state
  const issuedAtS = secondsOf(clock)
  const notAfterS = issuedAtS + validS
  const compartments = COMPARTMENTS.filter(each => wish.compartments.includes(each))
  const request = { ...wish, compartments, network, address, evidence, issuedAtS, notAfterS, nonce: random(16) }
  const code = signRequestCode(p, request, keys.signSeed)
  const made = { digest: digestOfRequest(p, code), notAfterS: notAfterS + ANSWER_S, isAnswered: false }
  await changeClinician(components, now => ({ ...now, requests: [...withoutStale(now.requests, issuedAtS), made] }))
  return code
}

/**
 * Reads an answer to one of the clinician's requests.
 *
 * @throws SalusError `ANSWER_CODE_*`
 */
export async function readAnswer(
  { p, clock, accounts }: AgentComponents & { readonly accounts: Accounts },
  code: Uint8Array
): Promise<AnswerCode> {
  const { account } = await accounts.clinician()
  const digests = (isAnswered: boolean): Uint8Array[] =>
    account.requests.filter(each => each.isAnswered === isAnswered).map(({ digest }) => digest)
  return openAnswerCode(p, code, {
    network: account.state.network,
    nowS: secondsOf(clock),
    open: digests(false),
    answered: digests(true)
  })
}

/** Remembers that a request has its answer: another one is refused from now on. */
export async function settleRequest(components: AgentComponents, digest: Uint8Array): Promise<void> {
  await changeClinician(components, now => ({
    ...now,
    requests: now.requests.map(each => (equalBytes(each.digest, digest) ? { ...each, isAnswered: true } : each))
  }))
}
