import { expect } from 'chai'
import fc from 'fast-check'
import { ZeroAddress, concat, id, keccak256 } from 'ethers'
import { grantTypes } from '#core/abi/typed-data/grants.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import {
  NEVER,
  SCOPE,
  claim,
  grantIdOf,
  idOf,
  pack,
  register,
  revoke,
  signGrant,
  termsFor,
  type Terms
} from '#test/contracts/requests.ts'

describe('AccessGrants', () => {
  const key = accountKey('patient')
  const doctor = accountKey('doctor')
  const nurse = accountKey('nurse')
  const patient = idOf(key.signer, id('salt'))
  const grantId = grantIdOf(patient, SCOPE)
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  beforeEach(() => register(chain, key))
  afterEach(() => chain.reset())
  after(() => chain.close())

  async function open(special: Partial<Terms> = {}) {
    const grant = await signGrant(chain, key, patient, termsFor(doctor, special))
    await grant.submit()
    return grant
  }

  describe('grant', () => {
    it('keeps the terms in one word and tells who and what', async () => {
      const { grants } = chain.contracts
      const grant = await signGrant(chain, key, patient, termsFor(doctor))
      await expect(grant.submit()).to.emit(grants, 'Granted').withArgs(patient, grantId, grant.packed)
      expect(await grants.termsOf(grantId)).to.equal(grant.packed)
      expect(await grants.isLive(grantId, await chain.now())).to.equal(true)
    })

    it('opens a grant once', async () => {
      const grant = await open()
      await expect(grant.submit())
        .to.be.revertedWithCustomError(chain.contracts.grants, 'GrantAlreadyOpened')
        .withArgs(grantId)
    })

    it('refuses a signature made for another contract', async () => {
      const deadline = await chain.deadline()
      const terms = termsFor(doctor)
      const value = { patient, ...terms, scope: SCOPE, epoch: 0, deadline }
      const { address } = chain.deployment.contracts.BatchAnchors
      const domain = { ...chain.domainOf('AccessGrants'), verifyingContract: address }
      const signature = await key.sign(domain, grantTypes, value)
      await expect(
        chain.contracts.grants.grant(patient, pack(terms), SCOPE, deadline, key.signer, signature)
      ).to.be.revertedWithCustomError(chain.contracts.grants, 'RequestSignatureInvalid')
    })

    const refused: Record<string, [Partial<Terms>, string]> = {
      'no grantee': [{ grantee: ZeroAddress }, 'GrantGranteeMissing'],
      'no right': [{ rights: 0 }, 'GrantRightsInvalid'],
      'a right that does not exist': [{ rights: 8 }, 'GrantRightsInvalid'],
      'no use': [{ uses: 0 }, 'GrantUsesMissing'],
      'an end before its start': [{ notBefore: NEVER - 1, expiresAt: NEVER - 2 }, 'GrantWindowEmpty'],
      'an end at its start': [{ notBefore: NEVER, expiresAt: NEVER }, 'GrantWindowEmpty'],
      'an end that has passed': [{ expiresAt: 1_000_000 }, 'GrantWindowEmpty']
    }
    for (const [what, [special, error]] of Object.entries(refused)) {
      it(`refuses ${what}`, async () => {
        await expect(open(special)).to.be.revertedWithCustomError(chain.contracts.grants, error)
      })
    }

    it('refuses a late request, a far deadline and an unknown patient', async () => {
      const { grants } = chain.contracts
      const terms = pack(termsFor(doctor))
      const deadline = await chain.deadline()
      const cases: [() => Promise<unknown>, { interface: unknown }, string][] = [
        [() => grants.grant(patient, terms, SCOPE, 1, key.signer, '0x'), grants, 'RequestExpired'],
        [() => grants.grant(patient, terms, SCOPE, NEVER, key.signer, '0x'), grants, 'RequestDeadlineTooFar'],
        [() => grants.grant(id('nobody'), terms, SCOPE, deadline, key.signer, '0x'), grants, 'PatientUnknown']
      ]
      for (const [call, contract, error] of cases) {
        await expect(call()).to.be.revertedWithCustomError(contract, error)
      }
    })

    it('accepts exactly what ethers signs, for any terms, and nothing with one field changed', async () => {
      const { grants } = chain.contracts
      const now = await chain.now()
      const anyTerms = fc.record({
        grantee: fc
          .uint8Array({ minLength: 20, maxLength: 20 })
          .map(bytes => `0x${Buffer.from(bytes).toString('hex')}`),
        notBefore: fc.integer({ min: 0, max: 2 ** 40 - 1 }),
        expiresAt: fc.integer({ min: now + 100_000, max: 2 ** 40 - 1 }),
        rights: fc.integer({ min: 1, max: 7 }),
        uses: fc.integer({ min: 1, max: 255 })
      })
      const usable = anyTerms.filter(terms => BigInt(terms.grantee) !== 0n && terms.notBefore < terms.expiresAt)
      const tampers: ((terms: Terms) => Terms)[] = [
        terms => ({ ...terms, grantee: nurse.id }),
        terms => ({ ...terms, notBefore: terms.notBefore === 0 ? 1 : terms.notBefore - 1 }),
        terms => ({ ...terms, expiresAt: terms.expiresAt === NEVER ? NEVER - 1 : terms.expiresAt + 1 }),
        terms => ({ ...terms, rights: (terms.rights % 7) + 1 }),
        terms => ({ ...terms, uses: (terms.uses % 255) + 1 })
      ]
      await fc.assert(
        fc.asyncProperty(
          usable,
          fc.constantFrom(...tampers),
          fc.uint8Array({ minLength: 32, maxLength: 32 }),
          async (terms, tamper, seed) => {
            const scope = id(Buffer.from(seed).toString('hex'))
            const deadline = await chain.deadline()
            const value = { patient, ...terms, scope, epoch: 0, deadline }
            const signature = await key.sign(chain.domainOf('AccessGrants'), grantTypes, value)
            const changed = tamper(terms)
            if (changed.notBefore < changed.expiresAt) {
              await expect(
                grants.grant(patient, pack(changed), scope, deadline, key.signer, signature)
              ).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
            }
            await grants.grant(patient, pack(terms), scope, deadline, key.signer, signature)
            expect(await grants.termsOf(grantIdOf(patient, scope))).to.equal(pack(terms))
          }
        ),
        { numRuns: 40 }
      )
    })
  })

  describe('isLive', () => {
    it('holds from the start to just before the end', async () => {
      const start = (await chain.now()) + 1_000
      await open({ notBefore: start, expiresAt: start + 10 })
      const { grants } = chain.contracts
      const at = async (time: number) => grants.isLive(grantId, time)
      expect(await Promise.all([at(start - 1), at(start), at(start + 9), at(start + 10)])).to.deep.equal([
        false,
        true,
        true,
        false
      ])
    })

    it('holds for no grant that was never opened', async () => {
      expect(await chain.contracts.grants.isLive(grantId, await chain.now())).to.equal(false)
      expect(await chain.contracts.grants.termsOf(grantId)).to.equal(0n)
    })
  })

  describe('revoke', () => {
    it('ends a grant for ever, also for whoever replays its signature', async () => {
      const { grants } = chain.contracts
      const grant = await open()
      await expect(revoke(chain, key, patient))
        .to.emit(grants, 'Revoked')
        .withArgs(patient, grantId)
      expect(await grants.termsOf(grantId)).to.equal(1n)
      for (const time of [0, 1, await chain.now(), NEVER]) expect(await grants.isLive(grantId, time)).to.equal(false)
      await expect(grant.submit()).to.be.revertedWithCustomError(grants, 'GrantIsRevoked').withArgs(grantId)
      await expect(revoke(chain, key, patient)).to.be.revertedWithCustomError(grants, 'GrantIsRevoked')
    })

    it('reaches a grant that was signed and not yet opened', async () => {
      const { grants } = chain.contracts
      const grant = await signGrant(chain, key, patient, termsFor(doctor))
      await revoke(chain, key, patient)
      await expect(grant.submit()).to.be.revertedWithCustomError(grants, 'GrantIsRevoked')
    })

    it('is the patient’s alone', async () => {
      const { grants } = chain.contracts
      await open()
      await expect(revoke(chain, doctor, patient)).to.be.revertedWithCustomError(grants, 'SignerNotTheOne')
      await expect(grants.revoke(patient, SCOPE, 1, key.signer, '0x')).to.be.revertedWithCustomError(grants, 'RequestExpired')
      expect(await grants.isLive(grantId, await chain.now())).to.equal(true)
    })
  })

  describe('claim', () => {
    it('takes a one-time grant once, whoever replays it', async () => {
      const { grants } = chain.contracts
      const grant = await open({ uses: 1 })
      await expect(claim(chain, doctor, grantId, 0))
        .to.emit(grants, 'Claimed')
        .withArgs(grantId, 0)
      expect(await grants.isLive(grantId, await chain.now())).to.equal(false)
      await expect(claim(chain, doctor, grantId, 0)).to.be.revertedWithCustomError(grants, 'GrantNotLive')
      await expect(grant.submit()).to.be.revertedWithCustomError(grants, 'GrantAlreadyOpened')
    })

    it('counts down, one signature per use', async () => {
      const { grants } = chain.contracts
      await open({ uses: 3 })
      await claim(chain, doctor, grantId, 2)
      await expect(claim(chain, doctor, grantId, 2)).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
      await claim(chain, doctor, grantId, 1)
      await claim(chain, doctor, grantId, 0)
      await expect(claim(chain, doctor, grantId, 0)).to.be.revertedWithCustomError(grants, 'GrantNotLive')
    })

    it('is the grantee’s alone', async () => {
      const { grants } = chain.contracts
      await open({ uses: 1 })
      await expect(claim(chain, nurse, grantId, 0))
        .to.be.revertedWithCustomError(grants, 'GrantNotYours')
        .withArgs(grantId, nurse.id)
      const impostor = { ...nurse, signer: doctor.signer }
      await expect(claim(chain, impostor, grantId, 0)).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
      await expect(grants.claim(grantId, doctor.signer, 1, '0x')).to.be.revertedWithCustomError(
        grants,
        'RequestExpired'
      )
    })

    it('is refused to a grantee who is no signer at all', async () => {
      const signer = concat([ZeroAddress, '0x01'])
      const nobody = { ...doctor, signer, id: `0x${keccak256(signer).slice(-40)}` }
      await open({ uses: 1, grantee: nobody.id })
      await expect(claim(chain, nobody, grantId, 0)).to.be.revertedWithCustomError(
        chain.contracts.grants,
        'RequestSignatureInvalid'
      )
    })

    it('leaves unlimited grants alone', async () => {
      await open({ uses: 255 })
      await expect(claim(chain, doctor, grantId, 254))
        .to.be.revertedWithCustomError(chain.contracts.grants, 'GrantNotClaimable')
        .withArgs(grantId)
    })

    it('is refused before the start, after the end, after revocation and for what was never opened', async () => {
      const { grants } = chain.contracts
      const refused = async () =>
        expect(claim(chain, doctor, grantId, 0))
          .to.be.revertedWithCustomError(grants, 'GrantNotLive')
          .withArgs(grantId)
      await refused()
      const start = (await chain.now()) + 1_000
      await open({ uses: 1, notBefore: start, expiresAt: start + 1_000 })
      await refused()
      await chain.moveTo(start + 1_000)
      await refused()
      await revoke(chain, key, patient)
      await refused()
    })
  })

  it('is governed by the manager it was deployed for', async () => {
    expect(await chain.contracts.grants.authority()).to.equal(chain.deployment.contracts.AccessManager.address)
  })
})
