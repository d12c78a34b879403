import { expect } from 'chai'
import { id, type ContractTransactionResponse } from 'ethers'
import { roleId, ROLES } from '#core/chain/roles.ts'
import { FUNCTION_ROLES } from '#scripts/deploy/governance/functions.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { giveConsent, withdrawConsent } from '#test/contracts/consent-requests.ts'
import { breakGlass, emergencyOf, end, setPolicy, STANDARD } from '#test/contracts/emergency-requests.ts'
import { openWorld, type EmergencyWorld } from '#test/contracts/emergency-world.ts'
import { accountKey, walletOf } from '#test/contracts/keys.ts'
import { openReleaseDesk, type ReleaseDesk } from '#test/contracts/release-requests.ts'
import { researchContracts } from '#test/contracts/research-contracts.ts'
import { claim, grantIdOf, revoke, rotateSigner, SCOPE, signGrant, termsFor } from '#test/contracts/requests.ts'
import { openWarrantDesk, warrantIdOf, type WarrantDesk } from '#test/contracts/warrant-requests.ts'

/** Answers every question of `canCall` with yes, at once. */
const SAYS_YES = '0x60015f5260405ff3'

describe('governance, whatever roles it has in one hand', () => {
  const governor = accountKey('governor')
  const grantee = accountKey('grantee')
  const stewards = ['s', 't', 'u'].map(accountKey)
  const auditors = ['a', 'b', 'c', 'd', 'e'].map(name => ({ key: accountKey(name), organisation: id(name) }))
  let chain: TestChain
  let world: EmergencyWorld
  let desk: ReleaseDesk
  let warrants: WarrantDesk
  before(async () => {
    chain = await openChain()
    world = await openWorld(chain)
    desk = openReleaseDesk(chain, stewards, 2)
    warrants = openWarrantDesk(chain, auditors)
    await desk.open()
    await warrants.name()
    await desk.publish(await desk.terms(1))
    await warrants.open(await warrants.terms())
    await (await signGrant(chain, world.patientKey, world.patient, termsFor(grantee, { uses: 2 }))).submit()
    await giveConsent(chain, world.patientKey, {
      patient: world.patient,
      consentId: id('consent'),
      policy: id('policy'),
      revision: 1
    })
    const { manager } = researchContracts(chain)
    for (const role of ROLES) await manager.grantRole(roleId(role), governor.id, 0)
  })
  after(() => chain.close())

  const targets = () =>
    Object.keys(FUNCTION_ROLES).filter(name => name !== 'AccessManager') as (keyof typeof FUNCTION_ROLES)[]

  /** All that is the patient's, or happened to a release or warrant. */
  const patientState = async (): Promise<unknown[]> => {
    const { grants, emergencies } = chain.contracts
    const { consents, releases, warrants: escrow } = researchContracts(chain)
    const { patient } = world
    return [
      await grants.signerOf(patient),
      await grants.termsOf(grantIdOf(patient, SCOPE)),
      [...(await emergencies.policyOf(patient))],
      [...(await consents.consentOf(patient, id('consent')))],
      await releases.latestRelease(),
      [...(await releases.releaseOf(1))],
      [...(await escrow.warrantOf(warrantIdOf(await warrants.terms())))]
    ]
  }

  /** What would be somebody else's to sign, signed by the governor. */
  const takings = (): Readonly<Record<string, () => Promise<unknown>>> => ({
    grant: async () => (await signGrant(chain, governor, world.patient, { ...termsFor(governor) })).submit(),
    revoke: () => revoke(chain, governor, world.patient),
    'revoke by account': async () =>
      (await chain.sentBy(walletOf('governor'))).grants.revokeByAccount(world.patient, SCOPE),
    claim: () => claim(chain, governor, grantIdOf(world.patient, SCOPE), 1),
    'rotate the signer': () => rotateSigner(chain, governor, governor, world.patient),
    'set a policy': () => setPolicy(chain, governor, world.patient, STANDARD),
    'break the glass': () => breakGlass(chain, [governor], emergencyOf(world.patient, world.adas)),
    'give consent': () =>
      giveConsent(chain, governor, { patient: world.patient, consentId: id('x'), policy: id('p'), revision: 1 }),
    'publish a release': async () =>
      openReleaseDesk(chain, [governor, accountKey('s')], 2).publish(await desk.terms(2)),
    'open a warrant': async () =>
      openWarrantDesk(
        chain,
        auditors.map(each => ({ ...each, key: governor }))
      ).open(await warrants.terms({ caseDigest: id('other') }))
  })

  const takesNothing = async (): Promise<void> => {
    const before = await patientState()
    for (const [name, take] of Object.entries(takings())) {
      const took = await take().then(
        () => true,
        (error: unknown) => {
          // Refused by a contract, not by a mistake of this test.
          expect(String(error), name).to.match(/revert/)
          return false
        }
      )
      expect(took, name).to.equal(false)
    }
    expect(await patientState()).to.deep.equal(before)
  }

  it('takes nothing that is a patient’s, a responder’s, the stewards’ or the auditors’', takesNothing)

  it('takes nothing under an authority that says yes to everybody', async () => {
    const { manager } = researchContracts(chain)
    const yes = await chain.deployCode(SAYS_YES)
    for (const name of targets()) await manager.updateAuthority(chain.deployment.contracts[name].address, yes)
    await takesNothing()
    const { grants } = await chain.sentBy(walletOf('stranger'))
    await grants.pause()
    await grants.unpause()
  })

  describe('with every contract paused and closed', () => {
    before(async () => {
      await chain.reset()
      world = await openWorld(chain)
      await desk.open()
      await warrants.name()
      await desk.publish(await desk.terms(1))
      await warrants.open(await warrants.terms())
      await (await signGrant(chain, world.patientKey, world.patient, termsFor(grantee, { uses: 2 }))).submit()
      const consent = { patient: world.patient, consentId: id('consent'), policy: id('policy'), revision: 1 }
      await giveConsent(chain, world.patientKey, consent)
      const { manager } = researchContracts(chain)
      for (const name of targets()) {
        const contract = chain.contracts.grants.attach(
          chain.deployment.contracts[name].address
        ) as typeof chain.contracts.grants
        await contract.pause()
        await manager.setTargetClosed(chain.deployment.contracts[name].address, true)
        await expect(contract.unpause()).to.be.revertedWithCustomError(contract, 'AccessManagedUnauthorized')
      }
    })

    const goesOn: Readonly<Record<string, () => Promise<ContractTransactionResponse>>> = {
      'a claim of a running grant': () => claim(chain, grantee, grantIdOf(world.patient, SCOPE), 1),
      'revocation of a grant': () => revoke(chain, world.patientKey, world.patient),
      'an emergency': () => breakGlass(chain, [world.ada], emergencyOf(world.patient, world.adas)),
      'the end of an emergency': () => end(chain, world.patientKey, emergencyOf(world.patient, world.adas)),
      'a credential’s revocation': () => world.hospital.revoke(world.ada, undefined, id('credential 1')),
      'withdrawal of a consent': () =>
        withdrawConsent(chain, world.patientKey, { patient: world.patient, consentId: id('consent') }),
      'a hold of a release': () => desk.hold(1),
      'a release’s withdrawal': () => desk.withdraw(1),
      'an objection to a warrant': async () => warrants.object(warrantIdOf(await warrants.terms()), 0),
      'a court’s order against a warrant': async () => warrants.cancelByCourt(warrantIdOf(await warrants.terms())),
      'a new signer of a patient': () => rotateSigner(chain, world.patientKey, governor, world.patient)
    }
    for (const [what, call] of Object.entries(goesOn)) {
      it(`nothing keeps back ${what}`, async () => {
        expect((await (await call()).wait())?.status).to.equal(1)
      })
    }
  })
})
