/** What a clinician asks a patient for, signed, shown as a code (docs/specs/request-code.md). */
import { SalusError } from '#core/error.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { SigningTarget } from '#core/agent/chain-call.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { orderedCompartments } from '#core/grant/document.ts'
import { decodeEvidence, MAX_EVIDENCE_BYTES } from '#core/identity/evidence.ts'
import { checkBinding, keyBindingDomain } from '#core/identity/key-binding.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { COMPARTMENTS, readCompartment, type Compartment } from '#core/record/compartment.ts'

const AREA = 'REQUEST_CODE'
const LABEL = 'salus/request-code/1'
const MAX_NAME_LENGTH = 100
const MAX_PURPOSE_LENGTH = 200
const MAX_RIGHTS = 7
/** Difference of two people's clocks that is borne, seconds. */
const CLOCK_SKEW_S = 120

/** The longest time a request may be good for, seconds. */
export const MAX_REQUEST_CODE_S: number = 7 * 86_400

/** The most bytes a request code may have. */
export const MAX_REQUEST_CODE_BYTES: number = MAX_EVIDENCE_BYTES + 1536

/** What is asked for and by whom. */
export interface RequestCode {
  readonly network: Uint8Array
  /** Address that the grant is to be made to, 20 bytes. */
  readonly address: Uint8Array
  /** Evidence, encoded, that binds the asker's key bundle to the address. */
  readonly evidence: Uint8Array
  /** What the asker calls itself: nobody has checked it. */
  readonly name: string
  /** In the order of `COMPARTMENTS`. */
  readonly compartments: readonly Compartment[]
  /** Sum of the `RIGHT_` bits. */
  readonly rights: number
  /** As in a grant's terms: 1 = one-time, 255 = unlimited. */
  readonly uses: number
  /** For how long access is asked for, seconds; 0 for as long as the patient lets it. */
  readonly durationS: number
  readonly purpose: string
  /** Seconds since 1970-01-01. */
  readonly issuedAtS: number
  /** The code is void from then on; seconds since 1970-01-01. */
  readonly notAfterS: number
  /** 16 random bytes: one code is answered once. */
  readonly nonce: Uint8Array
}

function signedFields({ durationS, issuedAtS, notAfterS, ...rest }: RequestCode): Record<string, unknown> {
  return { v: 1, ...rest, duration: durationS, issuedAt: issuedAtS, notAfter: notAfterS }
}

/** The bytes of a signed request. */
export function signRequestCode(p: Primitives, request: RequestCode, signSeed: Uint8Array): Uint8Array {
  const fields = signedFields(request)
  return encodeCanonical({ ...fields, sig: p.ed25519Sign(signSeed, signingInput(LABEL, fields)) })
}

/**
 * Reads a request and checks everything in it but whether it was answered before.
 *
 * @throws SalusError `REQUEST_CODE_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`; `_NETWORK`, `_SIGNATURE` (altered, or put together from several), `_EXPIRED`, `_EARLY`; `BINDING_*`,
 * `EVIDENCE_*`, `KEY_BUNDLE_*`
 */
export function openRequestCode(
  p: Primitives,
  bytes: Uint8Array,
  { target, nowS }: { readonly target: SigningTarget; readonly nowS: number }
): RequestCode & { readonly bundle: Uint8Array } {
  const { request, signature } = decodeRequestCode(bytes)
  const { chainId, contracts } = target
  const ours = networkIdOf(chainId, contracts.AccessGrants.address)
  refuseUnless(equalBytes(request.network, ours), 'REQUEST_CODE_NETWORK', 'the request belongs to another network')
  const evidence = decodeEvidence(request.evidence)
  const { sign } = decodeKeyBundle(evidence.bundle)
  const isSigned = p.ed25519Verify(sign, signingInput(LABEL, signedFields(request)), signature)
  refuseUnless(isSigned, 'REQUEST_CODE_SIGNATURE', 'the request was altered, or put together from several')
  const { issuedAtS, notAfterS } = request
  refuseUnless(
    issuedAtS <= nowS + CLOCK_SKEW_S,
    'REQUEST_CODE_EARLY',
    'the request is from the future; compare the clocks'
  )
  const isFresh = nowS < notAfterS && notAfterS - issuedAtS <= MAX_REQUEST_CODE_S
  refuseUnless(isFresh, 'REQUEST_CODE_EXPIRED', 'the request has expired; ask for a new one')
  const domain = keyBindingDomain(chainId, contracts.AccessGrants.address)
  checkBinding(domain, evidence, { address: toHex(request.address), nowS })
  return { ...request, bundle: evidence.bundle }
}

function decodeRequestCode(bytes: Uint8Array): { request: RequestCode; signature: Uint8Array } {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_REQUEST_CODE_BYTES })
  readVersion(value, AREA)
  const fields = ['v', 'network', 'address', 'evidence', 'name', 'compartments', 'rights', 'uses', 'duration']
  const map = readMap(value, AREA, [...fields, 'purpose', 'issuedAt', 'notAfter', 'nonce', 'sig'])
  const compartments = readList(map['compartments'], AREA, 'compartments', COMPARTMENTS.length, item =>
    readCompartment(item, AREA)
  )
  const request = {
    network: readBytes(map['network'], AREA, 'network', 32),
    address: readBytes(map['address'], AREA, 'address', 20),
    evidence: readBytes(map['evidence'], AREA, 'evidence', { min: 1, max: MAX_EVIDENCE_BYTES }),
    name: readText(map['name'], AREA, 'name', MAX_NAME_LENGTH),
    compartments: orderedCompartments(compartments),
    rights: readUint(map['rights'], AREA, 'rights', MAX_RIGHTS),
    uses: readUint(map['uses'], AREA, 'uses', 255),
    durationS: readUint(map['duration'], AREA, 'duration', 2 ** 40),
    purpose: readText(map['purpose'], AREA, 'purpose', MAX_PURPOSE_LENGTH),
    issuedAtS: readUint(map['issuedAt'], AREA, 'issuedAt', 2 ** 40),
    notAfterS: readUint(map['notAfter'], AREA, 'notAfter', 2 ** 40),
    nonce: readBytes(map['nonce'], AREA, 'nonce', 16)
  }
  return { request, signature: readBytes(map['sig'], AREA, 'sig', 64) }
}

function refuseUnless(holds: boolean, code: string, why: string): void {
  if (!holds) throw new SalusError(code, `Refused: ${why}.`)
}
