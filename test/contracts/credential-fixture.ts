import { id } from 'ethers'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { credentialIdOf, openOffice, type Office } from '#test/contracts/credential-requests.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import { refusalBy, type Refuse } from '#test/contracts/refusal.ts'

/** What tests of credentials say often. */
export interface CredentialFixture {
  /** Expects that the contract of credentials refuses a call with this error. */
  readonly refuse: Refuse
  readonly credentialOfAda: () => string
  /** Whether Ada's credential is valid at a time, now unless told. */
  readonly isAdasValid: (time?: number) => Promise<boolean>
}

/** Signs for the hospital that each test begins with, accredited. */
export const hospitalKey: Key = accountKey('hospital')
/** Whom the hospital credentials. */
export const ada: Key = accountKey('ada')

/** Gives each test of a suite an accredited hospital; `enter` takes it, when the chain was opened. */
export function credentialFixture(enter: (chain: TestChain, office: Office) => void): CredentialFixture {
  let chain: TestChain
  let office: Office
  before(async () => {
    chain = await openChain()
    office = openOffice(chain, hospitalKey)
    enter(chain, office)
  })
  beforeEach(async () => {
    await office.accredit()
  })
  afterEach(() => chain.reset())
  after(() => chain.close())
  const credentialOfAda = (): string => credentialIdOf(office.organisation, ada, id('credential'))
  return {
    refuse: refusalBy(() => chain.contracts.credentials),
    credentialOfAda,
    isAdasValid: async time =>
      chain.contracts.credentials.isValid(credentialOfAda(), ada.id, time ?? (await chain.now()))
  }
}
