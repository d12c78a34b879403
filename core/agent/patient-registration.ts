import { domain } from '#core/abi/typed-data/domain.ts'
import { registrationTypes } from '#core/abi/typed-data/patients.ts'
import { toHex } from '#core/encoding/bytes.ts'
import type { ChainCall, SigningTarget } from '#core/agent/chain-call.ts'
import type { PatientState } from '#core/agent/patient-state.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { deriveAgentKeys, type AgentKeys } from '#core/identity/agent-keys.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import type { SignTypedData } from '#core/identity/key-binding.ts'

/** The patient's own keys. */
export async function patientKeys(p: Primitives, state: PatientState): Promise<AgentKeys> {
  return await deriveAgentKeys(p, state.seed)
}

/**
 * The request that registers the patient's pseudonym, signed by its wallet.
 *
 * @param request - `deadlineS`: until when a relayer may submit it, seconds since 1970-01-01
 */
export async function registrationCall(
  state: PatientState,
  keys: Pick<AgentKeys, 'bundleBytes'>,
  request: { readonly target: SigningTarget; readonly deadlineS: number; readonly signTypedData: SignTypedData }
): Promise<ChainCall> {
  const { target, deadlineS } = request
  const signer = toHex(state.signer)
  const keyBundle = toHex(keyBundleDigest(keys.bundleBytes))
  const signature = await request.signTypedData(
    domain('AccessGrants', target.chainId, target.contracts.AccessGrants.address),
    registrationTypes,
    { patient: toHex(state.patient), signer, keyBundle, deadline: deadlineS }
  )
  return {
    contract: 'AccessGrants',
    method: 'register',
    args: [signer, keyBundle, toHex(state.salt), deadlineS, signature]
  }
}
