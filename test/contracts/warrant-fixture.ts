import { id } from 'ethers'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { refusalBy, type Refuse } from '#test/contracts/refusal.ts'
import { openWarrantDesk, type Auditor, type WarrantDesk } from '#test/contracts/warrant-requests.ts'

/** What tests of warrants say often. */
export interface WarrantFixture {
  /** Expects that the contract of warrants refuses a call with this error. */
  readonly refuse: Refuse
  /** Lets time pass. */
  readonly wait: (seconds: number) => Promise<void>
}

/** Auditors, one for each name of an organisation. */
export function auditorsOf(...organisations: readonly string[]): Auditor[] {
  return organisations.map((organisation, index) => ({
    key: accountKey(`auditor ${String(index)}`),
    organisation: id(organisation)
  }))
}

/** Gives each test of a suite these auditors, named in the contract; `prepare` takes the desk and goes on from there. */
export function warrantFixture(
  auditors: readonly Auditor[],
  prepare: (chain: TestChain, desk: WarrantDesk) => unknown
): WarrantFixture {
  let chain: TestChain
  let desk: WarrantDesk
  before(async () => {
    chain = await openChain()
  })
  beforeEach(async () => {
    desk = openWarrantDesk(chain, auditors)
    await desk.name()
    await prepare(chain, desk)
  })
  afterEach(() => chain.reset())
  after(() => chain.close())
  return {
    refuse: refusalBy(() => desk.warrants),
    wait: async seconds => chain.moveTo((await chain.now()) + seconds)
  }
}
