/** The requests to the chain about guardians and recovery (docs/specs/contracts-patients.md). */
import { domain, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import { guardianSetTypes, recoveryTypes, recoveryVetoTypes } from '#core/abi/typed-data/recovery.ts'
import type { ChainCall, SigningTarget } from '#core/agent/chain-call.ts'
import { guardianLeaf, guardianProof } from '#core/custody/guardian-tree.ts'
import type { GuardianNote } from '#core/custody/guardians.ts'
import { toHex } from '#core/encoding/bytes.ts'
import type { SignTypedData } from '#core/identity/key-binding.ts'

/** Delay that a patient is proposed: long enough to hear of a recovery one did not ask for. */
export const RECOVERY_DELAY_S: number = 3 * 86_400

/** Who signs about which patient, under which number, and until when a relayer may submit it (seconds since 1970). */
export interface RecoverySigning {
  readonly target: SigningTarget
  readonly patient: Uint8Array
  /** `nonceOf(patient)` on the chain. */
  readonly nonce: number
  readonly deadlineS: number
  readonly signTypedData: SignTypedData
}

/** A guardian's consent to a recovery. */
export interface Approval {
  readonly guardian: Uint8Array
  readonly salt: Uint8Array
  readonly proof: readonly Uint8Array[]
  readonly signature: string
}

async function sign(
  { target, signTypedData }: RecoverySigning,
  types: TypedDataTypes,
  value: Record<string, unknown>
): Promise<string> {
  const { address } = target.contracts.AccessGrants
  return await signTypedData(domain('AccessGrants', target.chainId, address), types, value)
}

/**
 * Names the patient's guardians.
 *
 * @param signer - address of the patient's wallet, 20 bytes
 * @param terms - root of the guardians' tree, how many must approve, and the delay in seconds
 */
export async function guardianSetCall(
  by: RecoverySigning,
  signer: Uint8Array,
  terms: { readonly root: Uint8Array; readonly threshold: number; readonly delayS: number }
): Promise<ChainCall> {
  const [patient, root] = [toHex(by.patient), toHex(terms.root)]
  const { threshold, delayS } = terms
  const { nonce, deadlineS } = by
  const value = { patient, root, threshold, delay: delayS, nonce, deadline: deadlineS }
  const signature = await sign(by, guardianSetTypes, value)
  return {
    contract: 'AccessGrants',
    method: 'setGuardians',
    args: [patient, root, threshold, delayS, deadlineS, toHex(signer), signature]
  }
}

/** Signs a recovery to a new wallet: as one of the guardians, or as the new wallet itself. */
export async function signRecovery(by: RecoverySigning, newSigner: Uint8Array): Promise<string> {
  const { nonce, deadlineS } = by
  const value = { patient: toHex(by.patient), newSigner: toHex(newSigner), nonce, deadline: deadlineS }
  return await sign(by, recoveryTypes, value)
}

/**
 * A guardian's approval, from what came with its share.
 *
 * @throws SalusError `GUARDIAN_LEAF` if the note is not of this patient's guardian
 */
export async function approveRecovery(
  by: RecoverySigning,
  newSigner: Uint8Array,
  note: GuardianNote
): Promise<Approval> {
  const { address, salt } = note
  const proof = guardianProof(note, guardianLeaf(by.patient, address, salt))
  return { guardian: address, salt, proof, signature: await signRecovery(by, newSigner) }
}

/**
 * Opens a recovery.
 *
 * @param signature - of the new wallet, by {@link signRecovery}
 */
export function openRecoveryCall(
  about: Pick<RecoverySigning, 'patient' | 'deadlineS'>,
  newSigner: Uint8Array,
  signature: string,
  approvals: readonly Approval[]
): ChainCall {
  // The contract wants them in order, so that each counts once.
  const sorted = [...approvals].sort((a, b) => (toHex(a.guardian) < toHex(b.guardian) ? -1 : 1))
  const list = sorted.map(({ guardian, salt, proof, signature: by }) => [
    toHex(guardian),
    toHex(salt),
    proof.map(toHex),
    by
  ])
  return {
    contract: 'AccessGrants',
    method: 'openRecovery',
    args: [toHex(about.patient), toHex(newSigner), about.deadlineS, signature, list]
  }
}

/** Completes a recovery after its delay; anybody may send it. */
export function completeRecoveryCall(patient: Uint8Array, newSigner: Uint8Array): ChainCall {
  return { contract: 'AccessGrants', method: 'completeRecovery', args: [toHex(patient), toHex(newSigner)] }
}

/** Stops a recovery; any device of the patient that has its wallet can. */
export async function vetoRecoveryCall(by: RecoverySigning, signer: Uint8Array): Promise<ChainCall> {
  const { nonce, deadlineS } = by
  const patient = toHex(by.patient)
  const signature = await sign(by, recoveryVetoTypes, { patient, nonce, deadline: deadlineS })
  return { contract: 'AccessGrants', method: 'vetoRecovery', args: [patient, deadlineS, toHex(signer), signature] }
}
