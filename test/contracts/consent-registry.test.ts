import { expect } from 'chai'
import { ZeroHash, id } from 'ethers'
import { consentTypes, consentWithdrawalTypes } from '#core/abi/typed-data/consents.ts'
import type { ConsentRegistry } from '#core/abi/types/ConsentRegistry.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { giveConsent, withdrawConsent } from '#test/contracts/consent-requests.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { refusalBy } from '#test/contracts/refusal.ts'
import { idOf, register } from '#test/contracts/requests.ts'
import { otherDomains, researchContracts, withHighS } from '#test/contracts/research-contracts.ts'

const [CONSENT, POLICY] = [id('consent'), id('policy')]

describe('ConsentRegistry', () => {
  const [key, other] = [accountKey('patient'), accountKey('other')]
  const patient = idOf(key.signer, id('salt'))
  let chain: TestChain
  let consents: ConsentRegistry
  before(async () => {
    chain = await openChain()
    consents = researchContracts(chain).consents
  })
  beforeEach(async () => {
    await register(chain, key)
    await register(chain, other)
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  const give = (policy: string, revision: number, by = key) =>
    giveConsent(chain, by, { patient, consentId: CONSENT, policy, revision })
  const withdraw = (by = key) => withdrawConsent(chain, by, { patient, consentId: CONSENT })
  const counts = (windowBlock: number): Promise<boolean> => consents.countsAt(patient, CONSENT, windowBlock)
  const refuse = refusalBy(() => consents)

  it('keeps a digest, since which block, and how often it changed', async () => {
    await expect(give(POLICY, 1)).to.emit(consents, 'ConsentGiven').withArgs(patient, CONSENT, POLICY, 1)
    const block = await chain.provider.getBlock('latest')
    expect([...(await consents.consentOf(patient, CONSENT))]).to.deep.equal([
      POLICY,
      1n,
      BigInt(block!.number),
      BigInt(block!.timestamp),
      false
    ])
    await expect(give(id('stricter'), 2)).to.emit(consents, 'ConsentGiven')
    const consent = await consents.consentOf(patient, CONSENT)
    expect([consent.policy, consent.revision]).to.deep.equal([id('stricter'), 2n])
    expect([...(await consents.consentOf(patient, id('other')))]).to.deep.equal([ZeroHash, 0n, 0n, 0n, false])
  })

  it('stands on the registry of patients', async () => {
    expect(await consents.patients()).to.equal(chain.deployment.contracts.AccessGrants.address)
  })

  it('counts for releases whose counting began while it was given, the block of the withdrawal included', async () => {
    expect(await counts(await chain.provider.getBlockNumber())).to.equal(false)
    const given = (await (await give(POLICY, 1)).wait())!.blockNumber
    await register(chain, accountKey('somebody'))
    expect([await counts(given - 1), await counts(given), await counts(given + 1)]).to.deep.equal([false, true, true])
    const withdrawn = (await (await withdraw()).wait())!.blockNumber
    expect([await counts(given - 1), await counts(given)]).to.deep.equal([false, true])
    expect([await counts(withdrawn), await counts(withdrawn + 1)]).to.deep.equal([true, false])
  })

  it('is withdrawn for ever, also while the contract is paused', async () => {
    await give(POLICY, 1)
    await consents.pause()
    await refuse(give(POLICY, 2), 'EnforcedPause')
    await expect(withdraw()).to.emit(consents, 'ConsentWithdrawn').withArgs(patient, CONSENT)
    const block = await chain.provider.getBlock('latest')
    const [since, time] = [BigInt(block!.number), BigInt(block!.timestamp)]
    expect([...(await consents.consentOf(patient, CONSENT))]).to.deep.equal([POLICY, 1n, since, time, true])
    await consents.unpause()
    await refuse(withdraw(), 'ConsentIsWithdrawn', CONSENT)
    for (const revision of [1, 2]) await refuse(give(POLICY, revision), 'ConsentIsWithdrawn', CONSENT)
    await giveConsent(chain, key, { patient, consentId: id('another'), policy: POLICY, revision: 1 })
  })

  it('can be withdrawn before a relayer who held it back submits it', async () => {
    await withdraw()
    await refuse(give(POLICY, 1), 'ConsentIsWithdrawn', CONSENT)
    for (const block of [0, 1, await chain.provider.getBlockNumber()]) expect(await counts(block)).to.equal(false)
  })

  it('refuses revisions out of sequence, so that no old policy comes back', async () => {
    await refuse(give(POLICY, 0), 'ConsentOutOfSequence', 1, 0)
    await refuse(give(POLICY, 2), 'ConsentOutOfSequence', 1, 2)
    await give(POLICY, 1)
    await refuse(give(POLICY, 1), 'ConsentOutOfSequence', 2, 1)
    await refuse(give(POLICY, 3), 'ConsentOutOfSequence', 2, 3)
    await refuse(give(ZeroHash, 2), 'ConsentPolicyMissing')
  })

  it('refuses everybody but the patient, and a patient that is not registered', async () => {
    await refuse(give(POLICY, 1, other), 'RequestSignatureInvalid')
    await refuse(withdraw(other), 'RequestSignatureInvalid')
    const unknown = { patient: id('nobody'), consentId: CONSENT, policy: POLICY, revision: 1 }
    await refuse(giveConsent(chain, key, unknown), 'PatientUnknown', id('nobody'))
    const deadline = await chain.deadline()
    const value = { patient, consentId: CONSENT, policy: POLICY, revision: 1, deadline }
    const signature = await other.sign(chain.domainOf('ConsentRegistry'), consentTypes, value)
    const claimed = consents.give(patient, CONSENT, POLICY, 1, deadline, key.signer, signature)
    await refuse(claimed, 'RequestSignatureInvalid')
  })

  it('refuses signatures for another chain, address or contract, late ones, and the other s', async () => {
    const deadline = await chain.deadline()
    const value = { patient, consentId: CONSENT, policy: POLICY, revision: 1, deadline }
    const submit = (signature: string, until = deadline): Promise<unknown> =>
      consents.give(patient, CONSENT, POLICY, 1, until, key.signer, signature)
    for (const where of otherDomains(chain, 'ConsentRegistry')) {
      await refuse(submit(await key.sign(where, consentTypes, value)), 'RequestSignatureInvalid')
      const withdrawal = await key.sign(where, consentWithdrawalTypes, value)
      const call = consents.withdraw(patient, CONSENT, deadline, key.signer, withdrawal)
      await refuse(call, 'RequestSignatureInvalid')
    }
    const good = await key.sign(chain.domainOf('ConsentRegistry'), consentTypes, value)
    await refuse(submit(withHighS(good)), 'RequestSignatureInvalid')
    await refuse(submit(good, deadline + 1), 'RequestSignatureInvalid')
    await refuse(submit(good, 1), 'RequestExpired', 1)
    await refuse(consents.withdraw(patient, CONSENT, 1, key.signer, good), 'RequestExpired', 1)
    await refuse(submit(good, 2 ** 40), 'RequestDeadlineTooFar', 2 ** 40)
    for (const [consentId, policy] of [
      [id('x'), POLICY],
      [CONSENT, id('x')]
    ] as const) {
      const call = consents.give(patient, consentId, policy, 1, deadline, key.signer, good)
      await refuse(call, 'RequestSignatureInvalid')
    }
    await submit(good)
  })
})
