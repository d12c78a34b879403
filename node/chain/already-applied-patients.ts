/** Whether a refused request of a patient, or of one whom it lets in, had been applied before, by `contract.method.error`. */
import type { TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import { claimTypes } from '#core/abi/typed-data/grants.ts'
import { keyBundleUpdateTypes, signerRotationTypes } from '#core/abi/typed-data/patients.ts'
import { guardianSetTypes, recoveryVetoTypes } from '#core/abi/typed-data/recovery.ts'
import type { Asked, Check } from '#node/chain/applied-check.ts'
import { isSigned, signerIdOf } from '#node/chain/applied-signature.ts'

/** The counter of uses, which claims lower, lies above all other terms. */
const USES_SHIFT = 248n
const UNLIMITED_USES = 255n

/** How many used nonces are looked at: a client tries again at once, or after another request or two. */
const RECENT_NONCES = 4n

const applied: Check = async () => Promise.resolve(true)

/** The id of a grant is a hash of its patient and scope: only the terms can differ. */
const hasTerms =
  (asked: (args: readonly unknown[]) => unknown): Check =>
  async (chain, { args, errorArgs }) => {
    const [terms] = (await chain.view('termsOf', errorArgs[0])) as [bigint]
    const wanted = asked(args) as bigint
    const [uses, wantedUses] = [terms >> USES_SHIFT, wanted >> USES_SHIFT]
    const isCountedDown = wantedUses !== UNLIMITED_USES && uses < wantedUses
    return terms === wanted || (isCountedDown && BigInt.asUintN(248, terms) === BigInt.asUintN(248, wanted))
  }

const hasGrantTerms: Check = hasTerms(args => args[1])

/**
 * Whether the present signer of a patient signed this under a nonce that has been used since. That alone does not tell which request
 * used it; together with a state that is as the request wants it, it does.
 */
async function isSignedUnderUsedNonce(
  chain: Asked,
  types: TypedDataTypes,
  fields: Readonly<Record<string, unknown>>,
  [signer, signature]: readonly unknown[]
): Promise<boolean> {
  const by = { signer: String(signer), signature: String(signature) }
  if ((await chain.view('signerOf', fields['patient']))[0] !== signerIdOf(by.signer)) return false
  const [nonce] = (await chain.view('nonceOf', fields['patient'])) as [bigint]
  for (let used = nonce - 1n; used >= 0n && used >= nonce - RECENT_NONCES; used--) {
    if (await isSigned(chain, types, { ...fields, nonce: used }, by)) return true
  }
  return false
}

const isRotated: Check = async (chain, { args: [patient, newSigner, deadline, , , newSignature] }) =>
  isSignedUnderUsedNonce(chain, signerRotationTypes, { patient, newSigner, deadline }, [newSigner, newSignature])

/** The signature of a claim is over the uses that it left, and the slot holds those if it was the last one. */
const isLastClaim: Check = async (chain, { args: [grantId, signer, deadline, signature] }) => {
  const [terms] = (await chain.view('termsOf', grantId)) as [bigint]
  const grantee = signerIdOf(`0x${terms.toString(16).padStart(64, '0').slice(-40)}`)
  const by = { signer: String(signer), signature: String(signature) }
  if (signerIdOf(by.signer) !== grantee) return false
  return isSigned(chain, claimTypes, { grantId, usesLeft: terms >> USES_SHIFT, deadline }, by)
}

/** What is not listed was not applied. */
export const PATIENT_CHECKS: Readonly<Record<string, Check>> = {
  'AccessGrants.register.PatientAlreadyRegistered': async (chain, { args, errorArgs }) => {
    const [keyBundle] = await chain.view('keyBundleOf', errorArgs[0])
    return keyBundle === args[1]
  },
  'AccessGrants.updateKeyBundle.RequestSignatureInvalid': async (chain, { args }) => {
    const [patient, keyBundle, deadline, ...by] = args
    if ((await chain.view('keyBundleOf', patient))[0] !== keyBundle) return false
    return isSignedUnderUsedNonce(chain, keyBundleUpdateTypes, { patient, keyBundle, deadline }, by)
  },
  // Once it is the new signer, the old one is refused for not being it; one that made itself new, for its nonce.
  'AccessGrants.rotateSigner.SignerNotTheOne': isRotated,
  'AccessGrants.rotateSigner.RequestSignatureInvalid': isRotated,
  'AccessGrants.setGuardians.RequestSignatureInvalid': async (chain, { args }) => {
    const [patient, root, threshold, delay, deadline, ...by] = args
    const present = await chain.view('guardiansOf', patient)
    if ([root, threshold, delay].some((value, i) => value !== present[i])) return false
    return isSignedUnderUsedNonce(chain, guardianSetTypes, { patient, root, threshold, delay, deadline }, by)
  },
  'AccessGrants.openRecovery.RecoveryUnderWay': async (chain, { args: [patient, newSigner] }) =>
    (await chain.view('recoveryOf', patient))[0] === signerIdOf(String(newSigner)),
  // Nothing is under way under that nonce, and the signer is still the one that wanted it so.
  'AccessGrants.vetoRecovery.RecoveryNotOpen': async (chain, { args: [patient, deadline, ...by] }) =>
    isSignedUnderUsedNonce(chain, recoveryVetoTypes, { patient, deadline }, by),
  'AccessGrants.completeRecovery.RecoveryNotOpen': async (chain, { args: [patient, newSigner] }) =>
    (await chain.view('signerOf', patient))[0] === signerIdOf(String(newSigner)),
  'AccessGrants.grant.GrantAlreadyOpened': hasGrantTerms,
  'AccessGrants.grantWithAccount.GrantAlreadyOpened': hasGrantTerms,
  // The root is over all that a batch holds, and kept for its patient.
  'AccessGrants.grantBatch.GrantBatchAlreadyOpened': applied,
  'AccessGrants.openFromBatch.GrantAlreadyOpened': hasTerms(args => (args[2] as readonly unknown[])[0]),
  // The tombstone is of the grant that was to be revoked: the id comes from the request.
  'AccessGrants.revoke.GrantIsRevoked': applied,
  'AccessGrants.claim.RequestSignatureInvalid': isLastClaim,
  'AccessGrants.claim.GrantNotLive': isLastClaim,
  // The digest is all that a request says, and kept for each who asks.
  'AccessGrants.requestAccess.AccessRequestMadeBefore': applied
}
