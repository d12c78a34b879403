import { domain } from '#core/abi/typed-data/domain.ts'
import { claimTypes } from '#core/abi/typed-data/grants.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import type { ChainCall, SigningTarget } from '#core/agent/chain-call.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { encodeEvidence } from '#core/identity/evidence.ts'
import { keyBindingDomain, keyBindingTypedData, type SignTypedData } from '#core/identity/key-binding.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'

/** The evidence of a patient: its bundle, which the chain knows. */
export function patientEvidence(keys: Pick<AgentKeys, 'bundleBytes'>): Uint8Array {
  return encodeEvidence({ bundle: keys.bundleBytes })
}

/**
 * The evidence of a grantee: its bundle, bound to its address by the wallet's signature.
 *
 * @param request - `notAfterS`: until when it holds, seconds since 1970-01-01
 */
export async function granteeEvidence(
  keys: Pick<AgentKeys, 'bundleBytes'>,
  request: { readonly target: SigningTarget; readonly notAfterS: number; readonly signTypedData: SignTypedData }
): Promise<Uint8Array> {
  const { chainId, contracts } = request.target
  const bindingDomain = keyBindingDomain(chainId, contracts.AccessGrants.address)
  const typed = keyBindingTypedData(bindingDomain, keyBundleDigest(keys.bundleBytes), request.notAfterS)
  const signature = fromHex(await request.signTypedData(typed.domain, typed.types, typed.value))
  return encodeEvidence({ bundle: keys.bundleBytes, binding: { notAfter: request.notAfterS, signature } })
}

/**
 * The claim of one use of a grant, signed by its grantee.
 *
 * @param request - `signer`: the grantee's address, 20 bytes; `usesLeft`: after this claim
 */
export async function claimCall(request: {
  readonly target: SigningTarget
  readonly grantId: Uint8Array
  readonly signer: Uint8Array
  readonly usesLeft: number
  readonly deadlineS: number
  readonly signTypedData: SignTypedData
}): Promise<ChainCall> {
  const { target, deadlineS, usesLeft } = request
  const grantId = toHex(request.grantId)
  const signature = await request.signTypedData(
    domain('AccessGrants', target.chainId, target.contracts.AccessGrants.address),
    claimTypes,
    { grantId, usesLeft, deadline: deadlineS }
  )
  return {
    contract: 'AccessGrants',
    method: 'claim',
    args: [grantId, toHex(request.signer), deadlineS, signature]
  }
}
