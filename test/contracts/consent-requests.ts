import { consentTypes, consentWithdrawalTypes } from '#core/abi/typed-data/consents.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import type { Key } from '#test/contracts/keys.ts'
import { researchContracts, type Sent } from '#test/contracts/research-contracts.ts'

/** A consent, by the patient and the name it gave it. */
export interface ConsentName {
  readonly patient: string
  readonly consentId: string
}

/** Gives a consent, or replaces its policy. */
export async function giveConsent(
  chain: TestChain,
  key: Key,
  consent: ConsentName & { readonly policy: string; readonly revision: number }
): Sent {
  const { patient, consentId, policy, revision } = consent
  const deadline = await chain.deadline()
  const signature = await key.sign(chain.domainOf('ConsentRegistry'), consentTypes, { ...consent, deadline })
  const { consents } = researchContracts(chain)
  return consents.give(patient, consentId, policy, revision, deadline, key.signer, signature)
}

/** Withdraws a consent. */
export async function withdrawConsent(chain: TestChain, key: Key, { patient, consentId }: ConsentName): Sent {
  const deadline = await chain.deadline()
  const value = { patient, consentId, deadline }
  const signature = await key.sign(chain.domainOf('ConsentRegistry'), consentWithdrawalTypes, value)
  return researchContracts(chain).consents.withdraw(patient, consentId, deadline, key.signer, signature)
}
