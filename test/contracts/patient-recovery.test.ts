import { expect } from 'chai'
import { ZeroAddress, ZeroHash, id } from 'ethers'
import { keyBundleUpdateTypes } from '#core/abi/typed-data/patients.ts'
import { recoveryTypes } from '#core/abi/typed-data/recovery.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey, walletOf, type Key } from '#test/contracts/keys.ts'
import { DELAY_S, circleOf, setGuardians, signRecovery, vetoRecovery } from '#test/contracts/recovery-requests.ts'
import {
  BUNDLE,
  idOf,
  register,
  rotateSigner,
  signGrant,
  termsFor,
  updateKeyBundle,
  type Sent
} from '#test/contracts/requests.ts'

const DAY_S = 86_400
const TIME_TO_COMPLETE_S = 30 * DAY_S

describe('recovery of a patient', () => {
  const key = accountKey('patient')
  const fresh = accountKey('fresh')
  const friends = ['ann', 'bob', 'cem', 'dora'].map(accountKey)
  const patient = idOf(key.signer, id('salt'))
  const circle = circleOf(patient, friends)
  const terms = { root: circle.tree.root, threshold: 2, delay: DELAY_S }
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  beforeEach(async () => {
    await register(chain, key)
    await setGuardians(chain, key, patient, terms)
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  /** Two of the four guardians, in order, open a recovery to a key. */
  async function open(to: Key = fresh, guardians: readonly Key[] = friends.slice(0, 2)): Sent {
    return (await signRecovery(chain, patient, to, { circle, guardians: circle.inOrder(guardians) }))()
  }

  async function complete(to: Key = fresh): Sent {
    return chain.contracts.grants.completeRecovery(patient, to.signer)
  }

  it('hands the patient to a new signer after the delay, and voids what the old one signed', async () => {
    const { grants } = chain.contracts
    const opened = await open()
    const readyAt = (await chain.now()) + DELAY_S
    const expiresAt = readyAt + TIME_TO_COMPLETE_S
    await expect(opened).to.emit(grants, 'RecoveryOpened').withArgs(patient, fresh.signer, readyAt, expiresAt)
    expect(await grants.recoveryOf(patient)).to.deep.equal([fresh.id, BigInt(readyAt), BigInt(expiresAt)])
    await expect(complete()).to.be.revertedWithCustomError(grants, 'RecoveryTooEarly').withArgs(readyAt)
    await chain.moveTo(readyAt - 2)
    await expect(complete()).to.be.revertedWithCustomError(grants, 'RecoveryTooEarly')
    await chain.moveTo(readyAt)
    const held = await signGrant(chain, key, patient, termsFor(friends[0]!))
    await expect(complete()).to.emit(grants, 'SignerRotated').withArgs(patient, fresh.signer, 1)
    expect(await grants.signerOf(patient)).to.equal(fresh.id)
    expect(await grants.epochOf(patient)).to.equal(1n)
    expect(await grants.recoveryOf(patient)).to.deep.equal([ZeroAddress, 0n, 0n])
    await expect(held.submitCompact()).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
    await updateKeyBundle(chain, fresh, patient, id('new keys'))
    await expect(complete()).to.be.revertedWithCustomError(grants, 'RecoveryNotOpen').withArgs(patient)
  })

  it('takes more guardians than it needs, and none that does not hold', async () => {
    const { grants } = chain.contracts
    const impostor = { ...friends[2]!, sign: fresh.sign.bind(fresh) }
    await expect(open(fresh, [friends[0]!, friends[1]!, impostor])).to.be.revertedWithCustomError(
      grants,
      'RequestSignatureInvalid'
    )
    await expect(open(fresh, friends)).to.emit(grants, 'RecoveryOpened')
  })

  it('gives one guardian nothing, however often it signs', async () => {
    const { grants } = chain.contracts
    const [ann] = friends
    await expect(open(fresh, [])).to.be.revertedWithCustomError(grants, 'GuardiansTooFew').withArgs(2, 0)
    await expect(open(fresh, [ann!]))
      .to.be.revertedWithCustomError(grants, 'GuardiansTooFew')
      .withArgs(2, 1)
    await expect(open(fresh, [ann!, ann!])).to.be.revertedWithCustomError(grants, 'GuardiansOutOfOrder')
    const backwards = circle.inOrder(friends.slice(0, 2)).reverse()
    const signed = await signRecovery(chain, patient, fresh, { circle, guardians: backwards })
    await expect(signed()).to.be.revertedWithCustomError(grants, 'GuardiansOutOfOrder')
  })

  it('counts a guardian once, though the tree has it under two salts', async () => {
    const { grants } = chain.contracts
    const [ann, bob] = friends
    const annAgain = { ...ann! }
    const saltOf = (guardian: Key): string => id(guardian === annAgain ? 'second salt' : 'first salt')
    const twice = circleOf(patient, [ann!, annAgain, bob!], saltOf)
    await setGuardians(chain, key, patient, { ...terms, root: twice.tree.root })
    for (const guardians of [
      [ann!, annAgain],
      [annAgain, ann!]
    ]) {
      const signed = await signRecovery(chain, patient, fresh, { circle: twice, guardians })
      await expect(signed()).to.be.revertedWithCustomError(grants, 'GuardiansOutOfOrder')
    }
    const signed = await signRecovery(chain, patient, fresh, {
      circle: twice,
      guardians: twice.inOrder([annAgain, bob!])
    })
    await expect(signed()).to.emit(grants, 'RecoveryOpened')
  })

  it('knows no guardian but those in the patient’s tree', async () => {
    const { grants } = chain.contracts
    const stranger = accountKey('stranger')
    const wider = circleOf(patient, [...friends, stranger])
    const guardians = wider.inOrder([friends[0]!, stranger])
    const signed = await signRecovery(chain, patient, fresh, { circle: wider, guardians })
    await expect(signed()).to.be.revertedWithCustomError(grants, 'GuardianUnknown')
    const other = accountKey('other')
    await register(chain, other)
    const elsewhere = idOf(other.signer, id('salt'))
    await setGuardians(chain, other, elsewhere, terms)
    const borrowed = await signRecovery(chain, elsewhere, fresh, {
      circle,
      guardians: circle.inOrder(friends.slice(0, 2))
    })
    await expect(borrowed()).to.be.revertedWithCustomError(grants, 'GuardianUnknown')
  })

  it('needs the new signer’s consent, and a signer that can be one', async () => {
    const { grants } = chain.contracts
    const mute = { ...fresh, sign: key.sign.bind(key) }
    await expect(open(mute)).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
    await expect(open({ ...fresh, signer: ZeroAddress })).to.be.revertedWithCustomError(grants, 'SignerMalformed')
  })

  it('is stopped by a veto, after which the same approvals are void', async () => {
    const { grants } = chain.contracts
    await expect(vetoRecovery(chain, key, patient)).to.be.revertedWithCustomError(grants, 'RecoveryNotOpen')
    const signed = await signRecovery(chain, patient, fresh, { circle, guardians: circle.inOrder(friends.slice(0, 2)) })
    await signed()
    await expect(vetoRecovery(chain, fresh, patient))
      .to.be.revertedWithCustomError(grants, 'SignerNotTheOne')
      .withArgs(key.id)
    await expect(vetoRecovery(chain, key, patient))
      .to.emit(grants, 'RecoveryVetoed')
      .withArgs(patient)
    await expect(signed()).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
    await chain.moveTo((await chain.now()) + 4 * DAY_S)
    await expect(complete()).to.be.revertedWithCustomError(grants, 'RecoveryNotOpen')
    expect(await grants.signerOf(patient)).to.equal(key.id)
  })

  const acts: Record<string, () => Sent> = {
    'new keys': () => updateKeyBundle(chain, key, patient, id('new keys')),
    'a change of signer': () => rotateSigner(chain, key, accountKey('next'), patient),
    'other guardians': () => setGuardians(chain, key, patient, { ...terms, threshold: 3 }),
    'no guardians': () => setGuardians(chain, key, patient, { root: ZeroHash, threshold: 0, delay: 0 })
  }
  for (const [what, act] of Object.entries(acts)) {
    it(`is void after ${what} by the present signer`, async () => {
      await open()
      await act()
      await chain.moveTo((await chain.now()) + 4 * DAY_S)
      await expect(complete()).to.be.revertedWithCustomError(chain.contracts.grants, 'RecoveryNotOpen')
    })
  }

  it('runs out 30 days after its delay, and the guardians start again', async () => {
    const { grants } = chain.contracts
    const held = await signRecovery(chain, patient, fresh, { circle, guardians: circle.inOrder(friends.slice(0, 2)) })
    await held()
    const [, , expiresAt] = await grants.recoveryOf(patient)
    await chain.moveTo(Number(expiresAt) - 2)
    await expect(open(fresh)).to.be.revertedWithCustomError(grants, 'RecoveryUnderWay')
    await chain.moveTo(Number(expiresAt))
    expect(await grants.recoveryOf(patient)).to.deep.equal([ZeroAddress, 0n, 0n])
    await expect(complete()).to.be.revertedWithCustomError(grants, 'RecoveryNotOpen').withArgs(patient)
    await expect(vetoRecovery(chain, key, patient)).to.be.revertedWithCustomError(grants, 'RecoveryNotOpen')
    await expect(held()).to.be.revertedWithCustomError(grants, 'RequestExpired')
    const readyAt = (await chain.now()) + DELAY_S
    await expect(open(fresh)).to.emit(grants, 'RecoveryOpened')
    await chain.moveTo(readyAt + TIME_TO_COMPLETE_S - 2)
    await expect(complete()).to.emit(grants, 'SignerRotated').withArgs(patient, fresh.signer, 1)
  })

  it('is not void by what the present signer signed before it was opened, and somebody held back', async () => {
    const { grants } = chain.contracts
    const deadline = (await chain.now()) + 20 * DAY_S
    const value = { patient, keyBundle: id('new keys'), nonce: await grants.nonceOf(patient), deadline }
    const held = await key.sign(chain.domainOf('AccessGrants'), keyBundleUpdateTypes, value)
    await open()
    await expect(
      grants.updateKeyBundle(patient, value.keyBundle, deadline, key.signer, held)
    ).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
    await chain.moveTo((await chain.now()) + DELAY_S)
    await complete()
    expect(await grants.signerOf(patient)).to.equal(fresh.id)
  })

  it('cannot be put off or replaced while it is open', async () => {
    const { grants } = chain.contracts
    const signed = await signRecovery(chain, patient, fresh, { circle, guardians: circle.inOrder(friends.slice(0, 2)) })
    await signed()
    const [, readyAt] = await grants.recoveryOf(patient)
    await expect(signed()).to.be.revertedWithCustomError(grants, 'RecoveryUnderWay').withArgs(patient)
    await expect(open(accountKey('another'), friends.slice(2))).to.be.revertedWithCustomError(
      grants,
      'RecoveryUnderWay'
    )
    await chain.moveTo(Number(readyAt))
    await expect(complete(accountKey('another')))
      .to.be.revertedWithCustomError(grants, 'SignerNotTheOne')
      .withArgs(fresh.id)
    await complete()
    await expect(signed()).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
  })

  it('is bound to chain, contract, patient, signer, nonce and deadline', async () => {
    const { grants } = chain.contracts
    const deadline = await chain.deadline()
    const good = { patient, newSigner: fresh.signer, nonce: 1, deadline }
    const domain = chain.domainOf('AccessGrants')
    const tampers: [object, object][] = [
      [{}, { chainId: 1 }],
      [{}, { verifyingContract: await chain.otherContracts.grants.getAddress() }],
      [{ patient: id('other') }, {}],
      [{ newSigner: key.signer }, {}],
      [{ nonce: 0 }, {}],
      [{ deadline: deadline + 1 }, {}]
    ]
    for (const [value, where] of tampers) {
      const approvals = await Promise.all(
        circle.inOrder(friends.slice(0, 2)).map(async guardian => ({
          signer: guardian.signer,
          salt: circle.saltOf(guardian),
          proof: circle.tree.proofOf(circle.leafOf(guardian)),
          signature: await guardian.sign({ ...domain, ...where }, recoveryTypes, { ...good, ...value })
        }))
      )
      const newSignature = await fresh.sign(domain, recoveryTypes, good)
      await expect(
        grants.openRecovery(patient, fresh.signer, deadline, newSignature, approvals)
      ).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
    }
  })

  describe('guardians', () => {
    it('are kept as a root, told and taken away', async () => {
      const { grants } = chain.contracts
      expect(await grants.guardiansOf(patient)).to.deep.equal([terms.root, 2n, BigInt(DELAY_S)])
      const none = { root: ZeroHash, threshold: 0, delay: 0 }
      await expect(setGuardians(chain, key, patient, none))
        .to.emit(grants, 'GuardiansSet')
        .withArgs(patient, ZeroHash, 0, 0)
      await expect(open()).to.be.revertedWithCustomError(grants, 'GuardiansMissing').withArgs(patient)
    })

    it('are two at least, with a delay from a day to 30', async () => {
      const { grants } = chain.contracts
      const refused: [object, string][] = [
        [{ threshold: 0 }, 'GuardianThresholdInvalid'],
        [{ threshold: 1 }, 'GuardianThresholdInvalid'],
        [{ delay: DAY_S - 1 }, 'RecoveryDelayInvalid'],
        [{ delay: 30 * DAY_S + 1 }, 'RecoveryDelayInvalid'],
        [{ root: ZeroHash }, 'GuardianThresholdInvalid'],
        [{ root: ZeroHash, threshold: 0 }, 'RecoveryDelayInvalid']
      ]
      for (const [special, error] of refused) {
        await expect(setGuardians(chain, key, patient, { ...terms, ...special })).to.be.revertedWithCustomError(
          grants,
          error
        )
      }
      for (const delay of [DAY_S, 30 * DAY_S]) await setGuardians(chain, key, patient, { ...terms, delay })
    })

    it('are the patient’s to choose, in time', async () => {
      const { grants } = chain.contracts
      await expect(setGuardians(chain, friends[0]!, patient, terms)).to.be.revertedWithCustomError(
        grants,
        'SignerNotTheOne'
      )
      const { root } = terms
      await expect(grants.setGuardians(patient, root, 2, DELAY_S, 1, key.signer, '0x')).to.be.revertedWithCustomError(
        grants,
        'RequestExpired'
      )
      await expect(grants.openRecovery(patient, fresh.signer, 1, '0x', [])).to.be.revertedWithCustomError(
        grants,
        'RequestExpired'
      )
      await expect(grants.vetoRecovery(patient, 1, key.signer, '0x')).to.be.revertedWithCustomError(
        grants,
        'RequestExpired'
      )
    })

    it('of nobody are unknown', async () => {
      const { grants } = chain.contracts
      const [nobody, deadline] = [id('nobody'), await chain.deadline()]
      for (const call of [
        () => grants.guardiansOf(nobody),
        () => grants.recoveryOf(nobody),
        () => grants.completeRecovery(nobody, fresh.signer),
        () => grants.openRecovery(nobody, fresh.signer, deadline, '0x', []),
        () => grants.vetoRecovery(nobody, deadline, key.signer, '0x'),
        () => grants.setGuardians(nobody, BUNDLE, 2, DELAY_S, deadline, key.signer, '0x')
      ]) {
        await expect(call()).to.be.revertedWithCustomError(grants, 'PatientUnknown').withArgs(nobody)
      }
    })
  })

  it('is completed by anybody', async () => {
    await open()
    await chain.moveTo((await chain.now()) + DELAY_S)
    const stranger = await chain.sentBy(walletOf('stranger'))
    await stranger.grants.completeRecovery(patient, fresh.signer)
    expect(await chain.contracts.grants.signerOf(patient)).to.equal(fresh.id)
  })
})
