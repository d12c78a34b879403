import { expect } from 'chai'
import { Signature, ZeroAddress, ZeroHash, concat, id, toBeHex, type TypedDataDomain } from 'ethers'
import { keyBundleUpdateTypes, registrationTypes } from '#core/abi/typed-data/patients.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { BUNDLE, idOf, register, rotateSigner, signGrant, termsFor, updateKeyBundle } from '#test/contracts/requests.ts'

/** Order of secp256k1: https://www.secg.org/sec2-v2.pdf, 2.4.1 */
const SECP256K1_N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const DAY_S = 86_400

describe('PatientRegistry', () => {
  const key = accountKey('patient')
  const patient = idOf(key.signer, id('salt'))
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  /** Registers with a signature made for whatever the test says, and arguments that it may change. */
  async function registerWith(special: {
    domain?: TypedDataDomain
    value?: Record<string, unknown>
    deadline?: number
    signer?: string
    keyBundle?: string
    alter?: (signature: string) => string
  }) {
    const deadline = special.deadline ?? (await chain.deadline())
    const signer = special.signer ?? key.signer
    const value = { patient: idOf(signer, id('salt')), signer, keyBundle: BUNDLE, deadline, ...special.value }
    const signature = await key.sign(special.domain ?? chain.domainOf('AccessGrants'), registrationTypes, value)
    const altered = special.alter?.(signature) ?? signature
    return chain.contracts.grants.register(signer, special.keyBundle ?? BUNDLE, id('salt'), deadline, altered)
  }

  describe('register', () => {
    it('keeps signer and key bundle under an id that the signature fixes', async () => {
      const { grants } = chain.contracts
      await register(chain, key)
      expect(await grants.signerOf(patient)).to.equal(key.id)
      expect(await grants.keyBundleOf(patient)).to.equal(BUNDLE)
      expect(await grants.epochOf(patient)).to.equal(0n)
      expect(await grants.nonceOf(patient)).to.equal(0n)
    })

    it('refuses the same id a second time, also to whoever replays the request', async () => {
      const { grants } = chain.contracts
      await register(chain, key)
      await expect(register(chain, key))
        .to.be.revertedWithCustomError(grants, 'PatientAlreadyRegistered')
        .withArgs(patient)
    })

    for (const [what, other] of Object.entries({
      'another chain': { chainId: 1 },
      'another contract': { verifyingContract: '0x00000000000000000000000000000000000000a1' },
      'another version': { version: '2' },
      'another contract by name': { name: 'Salus BatchAnchors' }
    })) {
      it(`refuses a signature made for ${what}`, async () => {
        const domain = { ...chain.domainOf('AccessGrants'), ...other }
        await expect(registerWith({ domain })).to.be.revertedWithCustomError(
          chain.contracts.grants,
          'RequestSignatureInvalid'
        )
      })
    }

    it('refuses a signature that was submitted to another copy of the contract', async () => {
      const deadline = await chain.deadline()
      const value = { patient, signer: key.signer, keyBundle: BUNDLE, deadline }
      const signature = await key.sign(chain.domainOf('AccessGrants'), registrationTypes, value)
      const copy = chain.otherContracts.grants
      await expect(copy.register(key.signer, BUNDLE, id('salt'), deadline, signature)).to.be.revertedWithCustomError(
        copy,
        'RequestSignatureInvalid'
      )
    })

    for (const value of [{ patient: id('x') }, { signer: '0x1234' }, { keyBundle: id('x') }, { deadline: 1 }]) {
      it(`refuses a signature over another ${Object.keys(value).join()}`, async () => {
        await expect(registerWith({ value })).to.be.revertedWithCustomError(
          chain.contracts.grants,
          'RequestSignatureInvalid'
        )
      })
    }

    it('refuses the high-s twin of a good signature', async () => {
      const twin = (signature: string): string => {
        const { r, s, v } = Signature.from(signature)
        return concat([r, toBeHex(SECP256K1_N - BigInt(s), 32), v === 27 ? '0x1c' : '0x1b'])
      }
      await expect(registerWith({ alter: twin })).to.be.revertedWithCustomError(
        chain.contracts.grants,
        'RequestSignatureInvalid'
      )
    })

    for (const signature of ['0x', '0x00', `0x${'00'.repeat(65)}`, `0x${'ff'.repeat(64)}`]) {
      it(`refuses ${String(signature.length / 2 - 1)} bytes that are no signature`, async () => {
        await expect(registerWith({ alter: () => signature })).to.be.revertedWithCustomError(
          chain.contracts.grants,
          'RequestSignatureInvalid'
        )
      })
    }

    it('refuses a request after its deadline', async () => {
      const deadline = (await chain.now()) - 1
      await expect(registerWith({ deadline }))
        .to.be.revertedWithCustomError(chain.contracts.grants, 'RequestExpired')
        .withArgs(deadline)
    })

    it('refuses a deadline more than 30 days ahead', async () => {
      const deadline = (await chain.now()) + 31 * DAY_S
      await expect(registerWith({ deadline }))
        .to.be.revertedWithCustomError(chain.contracts.grants, 'RequestDeadlineTooFar')
        .withArgs(deadline)
    })

    for (const [what, signer] of Object.entries({
      'the zero address': ZeroAddress,
      'a verifier at the zero address': concat([ZeroAddress, '0x01']),
      '19 bytes': `0x${'11'.repeat(19)}`,
      '1025 bytes': `0x${'11'.repeat(1025)}`
    })) {
      it(`refuses ${what} as a signer`, async () => {
        await expect(registerWith({ signer }))
          .to.be.revertedWithCustomError(chain.contracts.grants, 'SignerMalformed')
          .withArgs(signer)
      })
    }

    it('takes 1024 bytes for a signer, and asks whether it signed', async () => {
      await expect(registerWith({ signer: `0x${'11'.repeat(1024)}` })).to.be.revertedWithCustomError(
        chain.contracts.grants,
        'RequestSignatureInvalid'
      )
    })

    it('refuses an empty key bundle', async () => {
      await expect(registerWith({ keyBundle: ZeroHash })).to.be.revertedWithCustomError(
        chain.contracts.grants,
        'PatientKeyBundleMissing'
      )
    })
  })

  describe('updateKeyBundle', () => {
    it('takes each signature once', async () => {
      const { grants } = chain.contracts
      await register(chain, key)
      const deadline = await chain.deadline()
      const value = { patient, keyBundle: id('second'), nonce: 0, deadline }
      const signature = await key.sign(chain.domainOf('AccessGrants'), keyBundleUpdateTypes, value)
      const submit = () => grants.updateKeyBundle(patient, id('second'), deadline, key.signer, signature)
      await submit()
      await updateKeyBundle(chain, key, patient, id('third'))
      await expect(submit()).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
      expect(await grants.keyBundleOf(patient)).to.equal(id('third'))
      expect(await grants.nonceOf(patient)).to.equal(2n)
    })

    it('refuses an empty key bundle, a late request and an unknown patient', async () => {
      const { grants } = chain.contracts
      await register(chain, key)
      const deadline = await chain.deadline()
      await expect(updateKeyBundle(chain, key, patient, ZeroHash)).to.be.revertedWithCustomError(
        grants,
        'PatientKeyBundleMissing'
      )
      await expect(grants.updateKeyBundle(patient, BUNDLE, 1, key.signer, '0x')).to.be.revertedWithCustomError(
        grants,
        'RequestExpired'
      )
      await expect(grants.updateKeyBundle(id('nobody'), BUNDLE, deadline, key.signer, '0x'))
        .to.be.revertedWithCustomError(grants, 'PatientUnknown')
        .withArgs(id('nobody'))
    })
  })

  describe('rotateSigner', () => {
    const next = accountKey('next')

    it('needs the present and the new signer', async () => {
      const { grants } = chain.contracts
      await register(chain, key)
      const mute = { ...key, signer: next.signer }
      await expect(rotateSigner(chain, key, mute, patient)).to.be.revertedWithCustomError(
        grants,
        'RequestSignatureInvalid'
      )
      await expect(rotateSigner(chain, next, next, patient))
        .to.be.revertedWithCustomError(grants, 'SignerNotTheOne')
        .withArgs(key.id)
    })

    it('refuses a signer that cannot be one', async () => {
      await register(chain, key)
      const nobody = { ...next, signer: ZeroAddress }
      await expect(rotateSigner(chain, key, nobody, patient)).to.be.revertedWithCustomError(
        chain.contracts.grants,
        'SignerMalformed'
      )
    })

    it('voids grants that were signed before and not submitted, also when the old signer comes back', async () => {
      const { grants } = chain.contracts
      await register(chain, key)
      const grant = await signGrant(chain, key, patient, termsFor(next))
      await rotateSigner(chain, key, next, patient)
      await rotateSigner(chain, next, key, patient)
      expect(await grants.epochOf(patient)).to.equal(2n)
      await expect(grant.submit()).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
    })
  })

  describe('views', () => {
    it('know no patient that is not registered', async () => {
      const { grants } = chain.contracts
      for (const view of [
        () => grants.signerOf(patient),
        () => grants.keyBundleOf(patient),
        () => grants.epochOf(patient),
        () => grants.nonceOf(patient),
        () => grants.isSignedBy(patient, key.signer, id('digest'), '0x')
      ]) {
        await expect(view()).to.be.revertedWithCustomError(grants, 'PatientUnknown').withArgs(patient)
      }
    })

    it('tell a domain that is the one signers use', async () => {
      const { name, version, chainId, verifyingContract } = await chain.contracts.grants.eip712Domain()
      expect({ name, version, chainId: Number(chainId), verifyingContract }).to.deep.equal(
        chain.domainOf('AccessGrants')
      )
    })
  })
})
