import { expect } from 'chai'
import { Signature, ZeroAddress, ZeroHash, concat, id, toBeHex } from 'ethers'
import { credentialRevocationTypes } from '#core/abi/typed-data/credentials.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { ada, credentialFixture, hospitalKey } from '#test/contracts/credential-fixture.ts'
import {
  MAX_AHEAD_S,
  NURSE,
  PHYSICIAN,
  PROFILE,
  credentialIdOf,
  openOffice,
  packCredential,
  type Office,
  type Wanted
} from '#test/contracts/credential-requests.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { forged } from '#test/contracts/stranger.ts'

/** Order of secp256k1: https://www.secg.org/sec2-v2.pdf, 2.4.1 */
const SECP256K1_N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const [UNKNOWN, ACCREDITED] = [0n, 1n]
const DAY_S = 86_400

describe('CredentialRegistry', () => {
  const [next, ben] = [accountKey('next'), accountKey('ben')]
  let chain: TestChain
  let office: Office
  const { refuse, credentialOfAda, isAdasValid } = credentialFixture((opened, its) => {
    ;[chain, office] = [opened, its]
  })

  describe('accredit', () => {
    it('keeps who signs for the organisation, and tells everybody', async () => {
      const { credentials } = chain.contracts
      await chain.reset()
      expect(await credentials.isAccredited(office.organisation)).to.equal(false)
      await expect(office.accredit())
        .to.emit(credentials, 'OrganisationAccredited')
        .withArgs(office.organisation, hospitalKey.signer, PROFILE)
      expect(await credentials.isAccredited(office.organisation)).to.equal(true)
      expect(await credentials.standingOf(office.organisation)).to.equal(ACCREDITED)
      expect(await credentials.signerOf(office.organisation)).to.equal(hospitalKey.id)
      expect(await credentials.nonceOf(office.organisation)).to.equal(0n)
    })

    it('refuses the same twice, no profile, and what cannot sign', async () => {
      const { credentials } = chain.contracts
      await refuse(office.accredit(), 'OrganisationAlreadyAccredited', office.organisation)
      await credentials.suspend(office.organisation)
      await refuse(office.accredit(), 'OrganisationAlreadyAccredited', office.organisation)
      await refuse(credentials.accredit(next.signer, ZeroHash, id('salt')), 'OrganisationProfileMissing')
      await refuse(credentials.accredit(ZeroAddress, PROFILE, id('salt')), 'SignerMalformed', ZeroAddress)
      await refuse(credentials.accredit('0x1234', PROFILE, id('salt')), 'SignerMalformed', '0x1234')
    })

    it('takes one signer for several organisations, by salt', async () => {
      await chain.contracts.credentials.accredit(hospitalKey.signer, PROFILE, id('another salt'))
    })
  })

  describe('rotateSigner', () => {
    it('hands the organisation on, also while it is suspended', async () => {
      const { credentials } = chain.contracts
      await credentials.suspend(office.organisation)
      await expect(office.rotate(hospitalKey, next))
        .to.emit(credentials, 'OrganisationSignerRotated')
        .withArgs(office.organisation, next.signer)
      expect(await credentials.signerOf(office.organisation)).to.equal(next.id)
      expect(await credentials.nonceOf(office.organisation)).to.equal(1n)
      await refuse(office.rotate(hospitalKey, ada), 'SignerNotTheOne', next.id)
      await office.rotate(next, ada)
      expect(await credentials.nonceOf(office.organisation)).to.equal(2n)
    })

    it('hands nothing back: what an earlier signer signed would count again', async () => {
      const { organisation } = office
      const prepared = await office.prepare([{ holder: ada }])
      await refuse(office.rotate(hospitalKey, hospitalKey), 'OrganisationSignerReplaced', organisation, hospitalKey.id)
      await office.rotate(hospitalKey, next)
      await refuse(office.rotate(next, hospitalKey), 'OrganisationSignerReplaced', organisation, hospitalKey.id)
      await office.rotate(next, ben)
      for (const earlier of [hospitalKey, next])
        await refuse(office.rotate(ben, earlier), 'OrganisationSignerReplaced', organisation, earlier.id)
      await refuse(chain.contracts.credentials.issue(...prepared), 'SignerNotTheOne', ben.id)
      const other = openOffice(chain, next)
      await other.accredit()
      await other.rotate(next, hospitalKey)
    })

    it('needs both signatures, in time, for a signer that can sign', async () => {
      const { credentials } = chain.contracts
      const { organisation } = office
      const lying = forged(next, ada)
      await refuse(office.rotate(hospitalKey, lying), 'RequestSignatureInvalid')
      await refuse(office.rotate(forged(hospitalKey, ada), next), 'RequestSignatureInvalid')
      await refuse(credentials.rotateSigner(organisation, next.signer, 1, '0x', '0x', '0x'), 'RequestExpired', 1)
      const deadline = await chain.deadline()
      const { signer } = hospitalKey
      await refuse(credentials.rotateSigner(organisation, '0x', deadline, signer, '0x', '0x'), 'SignerMalformed', '0x')
      const byNobody = credentials.rotateSigner(organisation, next.signer, deadline, '0x1234', '0x', '0x')
      await refuse(byNobody, 'SignerMalformed', '0x1234')
      const none = credentials.rotateSigner(id('none'), next.signer, deadline, '0x', '0x', '0x')
      await refuse(none, 'OrganisationUnknown', id('none'))
      await refuse(credentials.signerOf(id('none')), 'OrganisationUnknown', id('none'))
      await refuse(credentials.nonceOf(id('none')), 'OrganisationUnknown', id('none'))
      expect(await credentials.standingOf(id('none'))).to.equal(UNKNOWN)
    })

    it('voids what the old signer signed and nobody submitted', async () => {
      const prepared = await office.prepare([{ holder: ada }])
      await office.rotate(hospitalKey, next)
      await refuse(chain.contracts.credentials.issue(...prepared), 'SignerNotTheOne', next.id)
    })
  })

  describe('issue', () => {
    it('keeps the credential in one word beside its organisation', async () => {
      const { credentials } = chain.contracts
      const expiresAt = (await chain.now()) + DAY_S
      const terms = { holder: ada.id, role: NURSE, specialty: 65_535, notBefore: 7, expiresAt }
      await expect(office.issue({ holder: ada, terms }))
        .to.emit(credentials, 'CredentialIssued')
        .withArgs(office.organisation, credentialOfAda(), packCredential(terms), ada.signer)
      const kept = [office.organisation, packCredential(terms)]
      expect([...(await credentials.credentialOf(credentialOfAda()))]).to.deep.equal(kept)
      expect([...(await credentials.requireValid(credentialOfAda()))]).to.deep.equal(kept)
    })

    it('issues many under one signature of the organisation, all or none', async () => {
      const { credentials } = chain.contracts
      const staff = Array.from({ length: 10 }, (_, index) => accountKey(`staff ${String(index)}`))
      const half = office.issue(...staff.map(holder => ({ holder })), { holder: ben, terms: { role: 0 } })
      await refuse(half, 'CredentialRoleMissing')
      await office.issue(...staff.map(holder => ({ holder })))
      for (const holder of staff) {
        const credential = credentialIdOf(office.organisation, holder, id('credential'))
        expect(await credentials.isValid(credential, holder.id, await chain.now())).to.equal(true)
      }
    })

    it('is valid in its time, for its holder, and for nobody else', async () => {
      const { credentials } = chain.contracts
      const now = await chain.now()
      await office.issue({ holder: ada, terms: { notBefore: now + 100, expiresAt: now + 200 } })
      expect([await isAdasValid(now + 99), await isAdasValid(now + 100)]).to.deep.equal([false, true])
      expect([await isAdasValid(now + 199), await isAdasValid(now + 200)]).to.deep.equal([true, false])
      await refuse(credentials.requireValid(credentialOfAda()), 'CredentialNotValid', credentialOfAda())
      await chain.moveTo(now + 150)
      await credentials.requireValid(credentialOfAda())
      expect(await credentials.isValid(credentialOfAda(), ben.id, now + 150)).to.equal(false)
      expect(await credentials.isValid(id('none'), ZeroAddress, now)).to.equal(false)
      await refuse(credentials.requireValid(id('none')), 'CredentialNotValid', id('none'))
      await refuse(credentials.credentialOf(id('none')), 'CredentialUnknown', id('none'))
    })

    it('refuses the same id twice, also within one batch and with other terms', async () => {
      const twice = [{ holder: ada }, { holder: ada, terms: { role: NURSE } }]
      await refuse(office.issue(...twice), 'CredentialAlreadyIssued', credentialOfAda())
      const prepared = await office.prepare([{ holder: ada }])
      await chain.contracts.credentials.issue(...prepared)
      await refuse(chain.contracts.credentials.issue(...prepared), 'CredentialAlreadyIssued', credentialOfAda())
    })

    it('refuses no role, an empty time, a past one and an end more than five years ahead', async () => {
      const now = await chain.now()
      const window = async (notBefore: number, expiresAt: number): Promise<void> =>
        refuse(
          office.issue({ holder: ada, terms: { notBefore, expiresAt } }),
          'CredentialWindowInvalid',
          notBefore,
          expiresAt
        )
      await refuse(office.issue({ holder: ada, terms: { role: 0 } }), 'CredentialRoleMissing')
      await window(now + 200, now + 200)
      await window(now + 201, now + 200)
      await window(1, now)
      await window(now, now + MAX_AHEAD_S + 100)
      await window(0, 0)
      await office.issue({ holder: ada, terms: { notBefore: now, expiresAt: now + MAX_AHEAD_S } })
    })

    it('ends a second after it is issued at the earliest, and five years after it at the latest', async () => {
      const issueUntil = async (after: number, salt: string): Promise<void> => {
        const expiresAt = (await chain.now()) + 1 + after
        await office.issue({ holder: ada, terms: { notBefore: 0, expiresAt }, salt: id(salt) })
      }
      for (const after of [0, MAX_AHEAD_S + 1]) await refuse(issueUntil(after, 'none'), 'CredentialWindowInvalid')
      for (const after of [1, MAX_AHEAD_S]) await issueUntil(after, String(after))
    })

    it('refuses an empty batch, an unknown organisation and late requests', async () => {
      const { credentials } = chain.contracts
      const [organisation, acceptances, deadline, signer, signature] = await office.prepare([{ holder: ada }])
      await refuse(credentials.issue(organisation, [], deadline, signer, signature), 'CredentialsMissing')
      const elsewhere = credentials.issue(id('none'), acceptances, deadline, signer, signature)
      await refuse(elsewhere, 'OrganisationNotAccredited', id('none'))
      await refuse(credentials.issue(organisation, acceptances, 1, signer, signature), 'RequestExpired', 1)
      await refuse(office.issue({ holder: ada, deadline: 1 }), 'RequestExpired', 1)
      const far = (await chain.now()) + 31 * DAY_S
      await refuse(office.issue({ holder: ada, deadline: far }), 'RequestDeadlineTooFar', far)
      await refuse(credentials.issue(organisation, acceptances, far, signer, signature), 'RequestDeadlineTooFar', far)
    })

    it('ties nobody to an organisation unasked', async () => {
      const lies: readonly Partial<Wanted>[] = [
        { holder: forged(ada, hospitalKey) },
        { alter: () => '0x' },
        { alter: highS },
        { signed: { organisation: id('x') } },
        { signed: { holder: ben.id } },
        { signed: { role: NURSE } },
        { signed: { specialty: 3 } },
        { signed: { notBefore: 1 } },
        { signed: { expiresAt: 2 ** 32 - 1 } },
        { signed: { salt: id('x') } },
        { signed: { deadline: 1 } },
        { domain: { ...chain.domainOf('CredentialRegistry'), chainId: 1 } },
        { domain: { ...chain.domainOf('CredentialRegistry'), version: '2' } },
        { domain: { ...chain.domainOf('CredentialRegistry'), verifyingContract: ada.id } },
        { domain: chain.domainOf('EmergencyAccess') }
      ]
      for (const each of lies) await refuse(office.issue({ holder: ada, ...each }), 'RequestSignatureInvalid')
      const stolen = office.issue({ holder: { ...ada, signer: ben.signer } })
      await refuse(stolen, 'SignerNotTheOne', ada.id)
      await refuse(office.issue({ holder: ada, terms: { holder: ZeroAddress } }), 'SignerNotTheOne', ZeroAddress)
    })

    it('takes nothing that the organisation did not sign', async () => {
      const { credentials } = chain.contracts
      const [organisation, acceptances, deadline, signer, signature] = await office.prepare([{ holder: ada }])
      const [, others] = await office.prepare([{ holder: ben }])
      const more = acceptances.concat(others)
      for (const [list, time, proof] of [
        [others, deadline, signature],
        [more, deadline, signature],
        [acceptances, deadline + 1, signature],
        [acceptances, deadline, highS(signature)],
        [acceptances, deadline, '0x']
      ] as const) {
        await refuse(credentials.issue(organisation, [...list], time, signer, proof), 'RequestSignatureInvalid')
      }
      const bySomebody = credentials.issue(organisation, acceptances, deadline, ben.signer, signature)
      await refuse(bySomebody, 'SignerNotTheOne', hospitalKey.id)
      const copy = chain.otherContracts.credentials
      await copy.accredit(hospitalKey.signer, PROFILE, id('salt'))
      const replayed = copy.issue(organisation, acceptances, deadline, signer, signature)
      await expect(replayed).to.be.revertedWithCustomError(copy, 'RequestSignatureInvalid')
    })
  })

  describe('revoke', () => {
    it('by the organisation or the holder, for ever', async () => {
      const { credentials } = chain.contracts
      for (const [by, holder] of [
        [hospitalKey, ada],
        [ben, ben]
      ] as const) {
        const credential = credentialIdOf(office.organisation, holder, id('credential'))
        const prepared = await office.prepare([{ holder }])
        await credentials.issue(...prepared)
        await expect(office.revoke(holder, by))
          .to.emit(credentials, 'CredentialRevoked')
          .withArgs(office.organisation, credential, by.id)
        expect(await credentials.isValid(credential, holder.id, await chain.now())).to.equal(false)
        expect(await credentials.isValid(credential, holder.id, 0)).to.equal(false)
        await refuse(office.revoke(holder, by), 'CredentialIsRevoked', credential)
        await refuse(credentials.issue(...prepared), 'CredentialIsRevoked', credential)
        const kept = [office.organisation, BigInt(holder.id)]
        expect([...(await credentials.credentialOf(credential))]).to.deep.equal(kept)
      }
    })

    it('beats a credential that was signed and not yet issued', async () => {
      await office.revoke(ada, ada)
      await refuse(office.issue({ holder: ada }), 'CredentialIsRevoked', credentialOfAda())
      const kept = await chain.contracts.credentials.credentialOf(credentialOfAda())
      expect([...kept]).to.deep.equal([ZeroHash, BigInt(ada.id)])
    })

    it('works for a suspended organisation', async () => {
      await office.issue({ holder: ada })
      await chain.contracts.credentials.suspend(office.organisation)
      await office.revoke(ada)
    })

    it('is for nobody else, in time, of what can be', async () => {
      const { credentials } = chain.contracts
      const { organisation } = office
      await office.issue({ holder: ada })
      await refuse(office.revoke(ada, ben), 'SignerNotTheOne', hospitalKey.id)
      await refuse(office.revoke(ada, forged(ada, ben)), 'RequestSignatureInvalid')
      await refuse(office.revoke(ada, forged(hospitalKey, ada)), 'RequestSignatureInvalid')
      await refuse(credentials.revoke(organisation, ada.id, ZeroHash, 1, '0x', '0x'), 'RequestExpired', 1)
      const deadline = await chain.deadline()
      const none = credentials.revoke(id('none'), ada.id, ZeroHash, deadline, '0x', '0x')
      await refuse(none, 'OrganisationUnknown', id('none'))
      const nobody = credentials.revoke(organisation, ZeroAddress, ZeroHash, deadline, hospitalKey.signer, '0x')
      await refuse(nobody, 'CredentialUnknown')
      expect(await isAdasValid()).to.equal(true)
    })

    it('takes a signature for this credential, chain and contract alone', async () => {
      const { credentials } = chain.contracts
      const { organisation } = office
      await office.issue({ holder: ada })
      const deadline = await chain.deadline()
      const domain = chain.domainOf('CredentialRegistry')
      const value = { credential: credentialOfAda(), deadline }
      for (const [where, what] of [
        [{ ...domain, chainId: 1 }, value],
        [chain.domainOf('EmergencyAccess'), value],
        [domain, { ...value, credential: id('x') }],
        [domain, { ...value, deadline: deadline + 1 }]
      ] as const) {
        const signature = await ada.sign(where, credentialRevocationTypes, what)
        const call = credentials.revoke(organisation, ada.id, id('credential'), deadline, ada.signer, signature)
        await refuse(call, 'RequestSignatureInvalid')
      }
      const signature = highS(await ada.sign(domain, credentialRevocationTypes, value))
      const call = credentials.revoke(organisation, ada.id, id('credential'), deadline, ada.signer, signature)
      await refuse(call, 'RequestSignatureInvalid')
    })
  })

  it('leaves an organisation no power over another one', async () => {
    const other = openOffice(chain, next)
    await other.accredit()
    await office.issue({ holder: ada, terms: { role: PHYSICIAN } })
    await refuse(office.revoke(ada, next), 'SignerNotTheOne', hospitalKey.id)
    const [, acceptances, deadline, signer, signature] = await other.prepare([{ holder: ben }])
    const call = chain.contracts.credentials.issue(office.organisation, acceptances, deadline, signer, signature)
    await refuse(call, 'SignerNotTheOne', hospitalKey.id)
  })
})

/** The other signature that plain ECDSA would take for the same message. */
function highS(signature: string): string {
  const { r, s, v } = Signature.from(signature)
  return concat([r, toBeHex(SECP256K1_N - BigInt(s), 32), v === 27 ? '0x1c' : '0x1b'])
}
