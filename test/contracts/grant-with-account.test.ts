import { expect } from 'chai'
import { Signature, ZeroHash, concat, id, toBeHex } from 'ethers'
import { grantTypes } from '#core/abi/typed-data/grants.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey, walletOf } from '#test/contracts/keys.ts'
import {
  NEVER,
  SCOPE,
  grantIdOf,
  idOf,
  pack,
  register,
  revoke,
  rotateSigner,
  signGrant,
  termsFor,
  type Sent,
  type Terms
} from '#test/contracts/requests.ts'

describe('the short ways of AccessGrants', () => {
  const key = accountKey('patient')
  const doctor = accountKey('doctor')
  const patient = idOf(key.signer, id('salt'))
  const grantId = grantIdOf(patient, SCOPE)
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  beforeEach(() => register(chain, key))
  afterEach(() => chain.reset())
  after(() => chain.close())

  interface Special {
    readonly patient?: string
    readonly terms?: Terms
    readonly scope?: string
    readonly epoch?: number
    readonly deadline?: number
    readonly domain?: Record<string, unknown>
    readonly alter?: (words: { r: string; vs: string }) => { r: string; vs: string }
  }

  /** Submits what one grant's signature does not cover. */
  async function submitWith(special: Special): Sent {
    const deadline = await chain.deadline()
    const terms = termsFor(doctor)
    const signed = { patient, ...terms, scope: SCOPE, epoch: special.epoch ?? 0, deadline }
    const domain = { ...chain.domainOf('AccessGrants'), ...special.domain }
    const { r, yParityAndS: vs } = Signature.from(await key.sign(domain, grantTypes, signed))
    const altered = special.alter?.({ r, vs }) ?? { r, vs }
    return chain.contracts.grants.grantWithAccount(
      special.patient ?? patient,
      pack(special.terms ?? terms),
      special.scope ?? SCOPE,
      special.deadline ?? deadline,
      altered.r,
      altered.vs
    )
  }

  it('open the same grant as the long one, once between the two', async () => {
    const { grants } = chain.contracts
    const grant = await signGrant(chain, key, patient, termsFor(doctor))
    await expect(grant.submitCompact()).to.emit(grants, 'Granted').withArgs(patient, grantId, grant.packed)
    expect(await grants.termsOf(grantId)).to.equal(grant.packed)
    for (const again of [() => grant.submit(), () => grant.submitCompact()]) {
      await expect(again()).to.be.revertedWithCustomError(grants, 'GrantAlreadyOpened').withArgs(grantId)
    }
    await revoke(chain, key, patient)
    await expect(grant.submitCompact()).to.be.revertedWithCustomError(grants, 'GrantIsRevoked').withArgs(grantId)
  })

  const doctored = termsFor(doctor)
  for (const [what, special] of Object.entries<Special>({
    grantee: { terms: termsFor(accountKey('nurse')) },
    'start of the time': { terms: { ...doctored, notBefore: 1 } },
    'end of the time': { terms: { ...doctored, expiresAt: NEVER - 1 } },
    right: { terms: { ...doctored, rights: 3 } },
    'number of uses': { terms: { ...doctored, uses: 1 } },
    scope: { scope: id('another') },
    epoch: { epoch: 1 },
    chain: { domain: { chainId: 1 } },
    contract: { domain: { verifyingContract: '0x00000000000000000000000000000000000000a1' } },
    version: { domain: { version: '2' } },
    r: { alter: ({ vs }) => ({ r: id('r'), vs }) },
    parity: { alter: ({ r, vs }) => ({ r, vs: toBeHex(BigInt(vs) ^ (1n << 255n), 32) }) },
    'word for s': { alter: ({ r }) => ({ r, vs: ZeroHash }) },
    'signature of zeros': { alter: () => ({ r: ZeroHash, vs: ZeroHash }) }
  })) {
    it(`refuse a signature over another ${what}`, async () => {
      const { grants } = chain.contracts
      await expect(submitWith(special)).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
    })
  }

  it('refuse a nearer deadline than was signed, a late one, a far one and an unknown patient', async () => {
    const { grants } = chain.contracts
    const deadline = (await chain.deadline()) - 60
    await expect(submitWith({ deadline })).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
    await expect(submitWith({ deadline: 1 }))
      .to.be.revertedWithCustomError(grants, 'RequestExpired')
      .withArgs(1)
    await expect(submitWith({ deadline: NEVER })).to.be.revertedWithCustomError(grants, 'RequestDeadlineTooFar')
    const nobody = submitWith({ patient: id('nobody') })
    await expect(nobody).to.be.revertedWithCustomError(grants, 'PatientUnknown').withArgs(id('nobody'))
    const zeros = { patient: id('nobody'), alter: () => ({ r: ZeroHash, vs: ZeroHash }) }
    await expect(submitWith(zeros)).to.be.revertedWithCustomError(grants, 'PatientUnknown')
  })

  it('refuse what was signed before a change of signer', async () => {
    const { grants } = chain.contracts
    const next = accountKey('next')
    const grant = await signGrant(chain, key, patient, termsFor(doctor))
    await rotateSigner(chain, key, next, patient)
    await expect(grant.submitCompact()).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
    await (await signGrant(chain, next, patient, termsFor(doctor))).submitCompact()
  })

  it('open nothing for a contract wallet whose owner signed', async () => {
    const { grants } = chain.contracts
    const wallet = await chain.deployMock('OwnedWallet', walletOf('owner').address)
    const owned = { ...accountKey('owner'), signer: wallet.toLowerCase(), id: wallet }
    await register(chain, owned)
    const grant = await signGrant(chain, owned, idOf(owned.signer, id('salt')), termsFor(doctor))
    await expect(grant.submitCompact()).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
    await expect(grant.submit()).to.emit(grants, 'Granted')
  })

  it('refuse a longer form of a signature nobody can make shorter', async () => {
    const { grants } = chain.contracts
    const grant = await signGrant(chain, key, patient, termsFor(doctor))
    const { data } = await grant.submitCompact()
    await chain.reset()
    await register(chain, key)
    const relayer = await chain.sentBy(walletOf('relayer'))
    const to = await grants.getAddress()
    const runner = relayer.grants.runner as unknown as { sendTransaction(request: object): Promise<unknown> }
    const send = (bytes: string): Promise<unknown> => runner.sendTransaction({ to, data: bytes })
    let refused = false
    await send(data.slice(0, -2)).catch(() => (refused = true))
    expect(refused, 'cut short').to.equal(true)
    await send(concat([data, '0x00']))
    expect(await grants.termsOf(grantId)).to.equal(grant.packed)
  })

  describe('sent by whom they speak for', () => {
    it('revoke, for the patient’s account alone, once, opened or not', async () => {
      const { grants } = chain.contracts
      const [byPatient, byDoctor] = [await chain.sentBy(walletOf('patient')), await chain.sentBy(walletOf('doctor'))]
      await expect(byDoctor.grants.revokeByAccount(patient, SCOPE))
        .to.be.revertedWithCustomError(grants, 'SignerNotTheOne')
        .withArgs(key.id)
      await expect(byPatient.grants.revokeByAccount(id('nobody'), SCOPE)).to.be.revertedWithCustomError(
        grants,
        'PatientUnknown'
      )
      const grant = await signGrant(chain, key, patient, termsFor(doctor))
      await expect(byPatient.grants.revokeByAccount(patient, SCOPE))
        .to.emit(grants, 'Revoked')
        .withArgs(patient, grantId)
      await expect(grant.submitCompact()).to.be.revertedWithCustomError(grants, 'GrantIsRevoked')
      await expect(byPatient.grants.revokeByAccount(patient, SCOPE)).to.be.revertedWithCustomError(
        grants,
        'GrantIsRevoked'
      )
    })

    it('claim, for the grantee’s account alone, as often as the terms say', async () => {
      const { grants } = chain.contracts
      const [byPatient, byDoctor] = [await chain.sentBy(walletOf('patient')), await chain.sentBy(walletOf('doctor'))]
      const claim = () => byDoctor.grants.claimByAccount(grantId)
      await expect(claim()).to.be.revertedWithCustomError(grants, 'GrantNotLive')
      await (await signGrant(chain, key, patient, termsFor(doctor, { uses: 1 }))).submitCompact()
      await expect(byPatient.grants.claimByAccount(grantId))
        .to.be.revertedWithCustomError(grants, 'GrantNotYours')
        .withArgs(grantId, key.id)
      await expect(claim()).to.emit(grants, 'Claimed').withArgs(grantId, 0)
      await expect(claim()).to.be.revertedWithCustomError(grants, 'GrantNotLive')
      const unlimited = await signGrant(chain, key, patient, termsFor(doctor), id('unlimited'))
      await unlimited.submitCompact()
      await expect(byDoctor.grants.claimByAccount(unlimited.grantId)).to.be.revertedWithCustomError(
        grants,
        'GrantNotClaimable'
      )
    })
  })

  it('count where a chain that split from another now stands, and nowhere else', async () => {
    const { address } = chain.deployment.contracts.AccessGrants
    // The code as it is on a chain that split off: it was deployed when the chain had another id.
    const here = toBeHex(chain.deployment.chainId, 32).slice(2)
    const home = chain.deployment.chainId + 1
    const code = (await chain.provider.getCode(address)).replaceAll(here, toBeHex(home, 32).slice(2))
    const split = await chain.deployCode(code)
    const grants = chain.contracts.grants.attach(split) as typeof chain.contracts.grants
    const fork: TestChain = {
      ...chain,
      contracts: { ...chain.contracts, grants },
      domainOf: name => ({ ...chain.domainOf(name), verifyingContract: split })
    }
    const before: TestChain = { ...fork, domainOf: name => ({ ...fork.domainOf(name), chainId: home }) }
    await register(fork, key)
    const old = await signGrant(before, key, patient, termsFor(doctor))
    await expect(old.submitCompact()).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
    await expect(old.submit()).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
    const grant = await signGrant(fork, key, patient, termsFor(doctor))
    await expect(grant.submitCompact()).to.emit(grants, 'Granted').withArgs(patient, grantId, grant.packed)
  })
})
