import { privacySpendingTypes } from '#core/abi/typed-data/research.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import type { Key } from '#test/contracts/keys.ts'
import { researchContracts, type Sent } from '#test/contracts/research-contracts.ts'

/** The price of a question. */
export interface Spending {
  readonly dataset: string
  readonly researcher: string
  readonly query: string
  readonly microEpsilon: number
  readonly sequence: number
}

/** Books the price of a question by a keeper's signature. */
export async function spendSigned(chain: TestChain, keeper: Key, spending: Spending): Sent {
  const { dataset, researcher, query, microEpsilon, sequence } = spending
  const deadline = await chain.deadline()
  const value = { ...spending, deadline }
  const signature = await keeper.sign(chain.domainOf('PrivacyLedger'), privacySpendingTypes, value)
  const { ledger } = researchContracts(chain)
  return ledger.spendSigned(dataset, researcher, query, microEpsilon, sequence, deadline, keeper.signer, signature)
}
