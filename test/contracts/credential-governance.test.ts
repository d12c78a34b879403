import { expect } from 'chai'
import { id } from 'ethers'
import type { TestChain } from '#test/contracts/chain.ts'
import { ada, credentialFixture, hospitalKey } from '#test/contracts/credential-fixture.ts'
import { PROFILE, openOffice, type Office } from '#test/contracts/credential-requests.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { byStranger } from '#test/contracts/stranger.ts'

const [ACCREDITED, SUSPENDED, EXCLUDED] = [1n, 2n, 3n]

describe('CredentialRegistry: governance', () => {
  const [next, ben] = [accountKey('next'), accountKey('ben')]
  let chain: TestChain
  let office: Office
  const { refuse, credentialOfAda, isAdasValid } = credentialFixture((opened, its) => {
    ;[chain, office] = [opened, its]
  })
  const standing = async (): Promise<bigint> => chain.contracts.credentials.standingOf(office.organisation)

  it('is nobody else', async () => {
    const credentials = await byStranger(chain.provider, chain.contracts.credentials)
    const calls = [
      () => credentials.accredit(next.signer, PROFILE, id('salt')),
      () => credentials.suspend(office.organisation),
      () => credentials.reinstate(office.organisation),
      () => credentials.pause(),
      () => credentials.unpause()
    ]
    for (const call of calls) await refuse(call(), 'AccessManagedUnauthorized')
  })

  it('suspends and reinstates: credentials are not valid meanwhile', async () => {
    const { credentials } = chain.contracts
    await office.issue({ holder: ada })
    await expect(credentials.suspend(office.organisation))
      .to.emit(credentials, 'OrganisationSuspended')
      .withArgs(office.organisation)
    expect(await credentials.standingOf(office.organisation)).to.equal(SUSPENDED)
    expect(await isAdasValid()).to.equal(false)
    await refuse(credentials.requireValid(credentialOfAda()), 'CredentialNotValid', credentialOfAda())
    await refuse(office.issue({ holder: ben }), 'OrganisationNotAccredited', office.organisation)
    await expect(credentials.reinstate(office.organisation))
      .to.emit(credentials, 'OrganisationReinstated')
      .withArgs(office.organisation)
    expect(await isAdasValid()).to.equal(true)
  })

  it('suspends only what is accredited and reinstates only what is suspended', async () => {
    const { credentials } = chain.contracts
    await refuse(credentials.reinstate(office.organisation), 'OrganisationNotSuspended', office.organisation)
    await credentials.suspend(office.organisation)
    await refuse(credentials.suspend(office.organisation), 'OrganisationNotAccredited', office.organisation)
    await refuse(credentials.suspend(id('none')), 'OrganisationNotAccredited', id('none'))
    await refuse(credentials.reinstate(id('none')), 'OrganisationNotSuspended', id('none'))
  })

  it('pauses what is new, never suspending, excluding, revoking or changing a key', async () => {
    const { credentials } = chain.contracts
    await office.issue({ holder: ada })
    await credentials.pause()
    await refuse(credentials.accredit(next.signer, PROFILE, id('salt')), 'EnforcedPause')
    await refuse(office.issue({ holder: ben }), 'EnforcedPause')
    expect(await isAdasValid()).to.equal(true)
    await office.rotate(hospitalKey, next)
    await office.revoke(ada, next)
    await credentials.suspend(office.organisation)
    await credentials.exclude(office.organisation)
    await refuse(credentials.reinstate(office.organisation), 'EnforcedPause')
    await credentials.unpause()
    await credentials.reinstate(office.organisation)
  })

  it('excludes what is accredited or suspended, until it is reinstated', async () => {
    const { credentials } = chain.contracts
    const { organisation } = office
    await office.issue({ holder: ada })
    for (const suspends of [false, true]) {
      if (suspends) await credentials.suspend(organisation)
      await expect(credentials.exclude(organisation))
        .to.emit(credentials, 'OrganisationExcluded')
        .withArgs(organisation)
      expect(await standing()).to.equal(EXCLUDED)
      expect(await credentials.isAccredited(organisation)).to.equal(false)
      expect(await isAdasValid()).to.equal(false)
      await refuse(office.issue({ holder: ben }), 'OrganisationNotAccredited', organisation)
      await refuse(credentials.exclude(organisation), 'OrganisationNotAccredited', organisation)
      await refuse(credentials.suspend(organisation), 'OrganisationNotAccredited', organisation)
      await refuse(office.accredit(), 'OrganisationAlreadyAccredited', organisation)
      await expect(credentials.reinstate(organisation)).to.emit(credentials, 'OrganisationReinstated')
      expect(await standing()).to.equal(ACCREDITED)
      expect(await isAdasValid()).to.equal(true)
    }
    await refuse(credentials.exclude(id('none')), 'OrganisationUnknown', id('none'))
  })

  describe('suspends', () => {
    /** As many organisations as told, the first of them the hospital. */
    const openAll = async (count: number): Promise<string[]> => {
      const others = Array.from({ length: count - 1 }, (_, index) => openOffice(chain, accountKey(String(index))))
      for (const other of others) await other.accredit()
      return [office, ...others].map(({ organisation }) => organisation)
    }

    for (const [count, most] of [
      [1, 1],
      [2, 1],
      [5, 1],
      [6, 2],
      [8, 2],
      [9, 3]
    ] as const) {
      it(`${String(most)} of ${String(count)} organisations and no more: the others go on`, async () => {
        const { credentials } = chain.contracts
        const all = await openAll(count)
        for (const organisation of all.slice(0, most)) await credentials.suspend(organisation)
        for (const organisation of all.slice(most))
          await refuse(credentials.suspend(organisation), 'SuspensionsExhausted', most)
      })
    }

    it('another one once one is excluded or reinstated', async () => {
      const { credentials } = chain.contracts
      const [first, second, third, ...others] = (await openAll(7)) as [string, string, string, ...string[]]
      await credentials.suspend(first)
      await credentials.suspend(second)
      await refuse(credentials.suspend(third), 'SuspensionsExhausted', 2)
      await credentials.reinstate(first)
      await credentials.suspend(third)
      await refuse(credentials.suspend(first), 'SuspensionsExhausted', 2)
      // Six are left, two of them suspended.
      await credentials.exclude(others[0]!)
      await refuse(credentials.suspend(first), 'SuspensionsExhausted', 2)
      // Five are left, one of them suspended.
      await credentials.exclude(third)
      await refuse(credentials.suspend(first), 'SuspensionsExhausted', 1)
      // Six again.
      await credentials.reinstate(third)
      await credentials.suspend(first)
      await refuse(credentials.suspend(third), 'SuspensionsExhausted', 2)
    })
  })
})
