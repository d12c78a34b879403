import { expect } from 'chai'
import { concat, id } from 'ethers'
import { grantTypes } from '#core/abi/typed-data/grants.ts'
import { keyBundleUpdateTypes } from '#core/abi/typed-data/patients.ts'
import { recoveryVetoTypes } from '#core/abi/typed-data/recovery.ts'
import { isAlreadyApplied } from '#node/chain/already-applied.ts'
import { signerIdOf } from '#node/chain/applied-signature.ts'
import { CONTRACT_INTERFACES } from '#node/chain/contract-errors.ts'
import { inOrder, signBatch } from '#test/contracts/batch-requests.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { WAYS, accountKey, type Key } from '#test/contracts/keys.ts'
import { DELAY_S, circleOf, setGuardians, signRecovery, vetoRecovery } from '#test/contracts/recovery-requests.ts'
import {
  BUNDLE,
  SCOPE,
  claim,
  idOf,
  pack,
  register,
  requestAccess,
  revoke,
  rotateSigner,
  signGrant,
  termsFor,
  updateKeyBundle,
  type Sent
} from '#test/contracts/requests.ts'

describe('requests of patients that were applied before', () => {
  const [key, doctor] = [accountKey('patient'), accountKey('doctor')]
  const friends = ['ann', 'bob'].map(accountKey)
  const patient = idOf(key.signer, id('salt'))
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  beforeEach(() => register(chain, key))
  afterEach(() => chain.reset())
  after(() => chain.close())

  /** Sends what was applied, and asks whether the refusal means that. */
  async function isApplied(method: string, args: readonly unknown[], errorName: string): Promise<boolean> {
    const abi = CONTRACT_INTERFACES.AccessGrants
    const data = abi.encodeFunctionData(method, args)
    const { address: to } = chain.deployment.contracts.AccessGrants
    const refused: unknown = await chain.provider.call({ to, data }).catch((e: unknown) => e)
    const error = abi.parseError((refused as { data?: string }).data ?? '0x')
    expect(error?.name).to.equal(errorName)
    const decoded = abi.decodeFunctionData(method, data).toArray()
    const request = { method, args: decoded, errorName, errorArgs: error?.args.toArray() ?? [] }
    return isAlreadyApplied(
      { provider: chain.provider, deployment: chain.deployment },
      { contract: 'AccessGrants', ...request }
    )
  }

  const items = inOrder(['one', 'two'].map(name => ({ ...termsFor(doctor, { uses: 2 }), scope: id(name) })))

  it('are a batch that was opened, and a grant of it with a slot of its own, spent or not', async () => {
    const { grants } = chain.contracts
    const batch = await signBatch(chain, key, patient, items)
    const sent = await batch.submit()
    const args = grants.interface.decodeFunctionData('grantBatch', sent.data).toArray()
    expect(await isApplied('grantBatch', args, 'GrantBatchAlreadyOpened')).to.equal(true)
    const [item] = items
    await batch.open(item!)
    const part = batch.partOf(item!)
    expect(await isApplied('openFromBatch', part, 'GrantAlreadyOpened')).to.equal(true)
    await claim(chain, doctor, batch.grantIds[0]!, 1)
    expect(await isApplied('openFromBatch', part, 'GrantAlreadyOpened')).to.equal(true)
  })

  it('are a batch of which a grant has been opened or revoked since', async () => {
    const { grants } = chain.contracts
    const batch = await signBatch(chain, key, patient, items)
    const sent = await batch.submit()
    const args = grants.interface.decodeFunctionData('grantBatch', sent.data).toArray()
    await batch.open(items[0]!)
    await revoke(chain, key, patient, items[1]!.scope)
    expect(await isApplied('grantBatch', args, 'GrantBatchAlreadyOpened')).to.equal(true)
  })

  /** What was sent, refused a second time. */
  async function isKnown(sent: Sent, errorName: string): Promise<boolean> {
    const { data } = await sent
    const call = CONTRACT_INTERFACES.AccessGrants.parseTransaction({ data })
    return isApplied(call?.name ?? '', call?.args.toArray(true) ?? [], errorName)
  }

  const SIGNED_FOR_ANOTHER_NONCE = 'RequestSignatureInvalid'

  for (const way of WAYS) {
    it(`are what ${way.name} changed under its last nonces`, async () => {
      const own = await way.create(chain, 'owner')
      const id_ = idOf(own.signer, id('salt'))
      await register(chain, own)
      const update = updateKeyBundle(chain, own, id_, id('new keys'))
      expect(await isKnown(update, SIGNED_FOR_ANOTHER_NONCE)).to.equal(true)
      const { tree } = circleOf(id_, friends)
      const named = setGuardians(chain, own, id_, { root: tree.root, threshold: 2, delay: DELAY_S })
      expect(await isKnown(named, SIGNED_FOR_ANOTHER_NONCE)).to.equal(true)
      expect(await isKnown(update, SIGNED_FOR_ANOTHER_NONCE)).to.equal(true)
      await updateKeyBundle(chain, own, id_, id('newer keys'))
      expect(await isKnown(update, SIGNED_FOR_ANOTHER_NONCE)).to.equal(false)
      await setGuardians(chain, own, id_, { root: tree.root, threshold: 2, delay: 2 * DELAY_S })
      expect(await isKnown(named, SIGNED_FOR_ANOTHER_NONCE)).to.equal(false)
    })

    it(`are the change of a signer, to ${way.name} and back to itself`, async () => {
      const next = await way.create(chain, 'next')
      const handed = rotateSigner(chain, key, next, patient)
      expect(await isKnown(handed, 'SignerNotTheOne')).to.equal(true)
      const renewed = rotateSigner(chain, next, next, patient)
      expect(await isKnown(renewed, SIGNED_FOR_ANOTHER_NONCE)).to.equal(true)
      await rotateSigner(chain, next, key, patient)
      expect(await isKnown(handed, SIGNED_FOR_ANOTHER_NONCE)).to.equal(false)
      expect(await isKnown(renewed, 'SignerNotTheOne')).to.equal(false)
    })

    it(`are the last claim of ${way.name}`, async () => {
      const grantee = await way.create(chain, 'grantee')
      const grant = await signGrant(chain, key, patient, termsFor(grantee, { uses: 3 }))
      await grant.submit()
      const claims = [claim(chain, grantee, grant.grantId, 2)]
      await claims[0]
      expect(await isKnown(claims[0]!, SIGNED_FOR_ANOTHER_NONCE)).to.equal(true)
      claims.push(claim(chain, grantee, grant.grantId, 1))
      await claims[1]
      expect(await isKnown(claims[0]!, SIGNED_FOR_ANOTHER_NONCE)).to.equal(false)
      expect(await isKnown(claims[1]!, SIGNED_FOR_ANOTHER_NONCE)).to.equal(true)
      const last = claim(chain, grantee, grant.grantId, 0)
      expect(await isKnown(last, 'GrantNotLive')).to.equal(true)
      expect(await isKnown(claims[1]!, 'GrantNotLive')).to.equal(false)
      await revoke(chain, key, patient)
      expect(await isKnown(last, 'GrantNotLive')).to.equal(false)
    })
  }

  it('are no request that asks for what is so already, but that nobody signed or sent', async () => {
    const { grants } = chain.contracts
    const deadline = await chain.deadline()
    const isRefused = async (signature: string): Promise<boolean> =>
      isApplied('updateKeyBundle', [patient, BUNDLE, deadline, key.signer, signature], SIGNED_FOR_ANOTHER_NONCE)
    const value = { patient, keyBundle: BUNDLE, deadline }
    const signUnder = (nonce: number, by = key): Promise<string> =>
      by.sign(chain.domainOf('AccessGrants'), keyBundleUpdateTypes, { ...value, nonce })
    expect(await isRefused(await signUnder(1))).to.equal(false)
    await updateKeyBundle(chain, key, patient, BUNDLE)
    expect(await isRefused(await signUnder(2))).to.equal(false)
    expect(await isRefused(await signUnder(0, doctor))).to.equal(false)
    expect(await isRefused(await signUnder(0))).to.equal(true)
    for (let i = 0; i < 8; i++) await updateKeyBundle(chain, key, patient, BUNDLE)
    expect(await isRefused(await signUnder(0))).to.equal(false)
    expect(await grants.nonceOf(patient)).to.equal(9n)
  })

  it('are steps of a recovery, until another one undoes them', async () => {
    const { grants } = chain.contracts
    const [fresh, other] = [accountKey('fresh'), accountKey('other')]
    const circle = circleOf(patient, friends)
    await setGuardians(chain, key, patient, { root: circle.tree.root, threshold: 2, delay: DELAY_S })
    const open = async (to: Key): Sent =>
      (await signRecovery(chain, patient, to, { circle, guardians: circle.inOrder(friends) }))()
    const complete = (to: Key): Promise<boolean> =>
      isApplied('completeRecovery', [patient, to.signer], 'RecoveryNotOpen')
    const signVeto = async (): Promise<unknown[]> => {
      const deadline = (await chain.now()) + DELAY_S + 86_400
      const value = { patient, nonce: await grants.nonceOf(patient), deadline }
      return [deadline, key.signer, await key.sign(chain.domainOf('AccessGrants'), recoveryVetoTypes, value)]
    }
    const opened = await open(fresh)
    expect(await isKnown(Promise.resolve(opened), 'RecoveryUnderWay')).to.equal(true)
    const vetoed = await vetoRecovery(chain, key, patient)
    expect(await isKnown(Promise.resolve(vetoed), 'RecoveryNotOpen')).to.equal(true)
    expect(await isKnown(Promise.resolve(opened), SIGNED_FOR_ANOTHER_NONCE)).to.equal(false)
    expect(await complete(fresh)).to.equal(false)
    await open(other)
    expect(await isKnown(Promise.resolve(opened), 'RecoveryUnderWay')).to.equal(false)
    const late = await signVeto()
    await chain.moveTo((await chain.now()) + DELAY_S)
    await grants.completeRecovery(patient, other.signer)
    expect(await isApplied('vetoRecovery', [patient, ...late], 'RecoveryNotOpen')).to.equal(false)
    expect(await complete(other)).to.equal(true)
    expect(await complete(fresh)).to.equal(false)
  })

  it('are a request for access that was made', async () => {
    const { grants } = chain.contracts
    const sent = await requestAccess(chain, doctor, id('salted request document'))
    const args = grants.interface.decodeFunctionData('requestAccess', sent.data).toArray()
    expect(await isApplied('requestAccess', args, 'AccessRequestMadeBefore')).to.equal(true)
  })

  it('are a grant of as many uses, of which some may be claimed', async () => {
    const isGranted = async (uses: number): Promise<boolean> => {
      const terms = termsFor(doctor, { uses })
      const deadline = await chain.deadline()
      const value = { patient, ...terms, scope: SCOPE, epoch: 0, deadline }
      const signature = await key.sign(chain.domainOf('AccessGrants'), grantTypes, value)
      return isApplied('grant', [patient, pack(terms), SCOPE, deadline, key.signer, signature], 'GrantAlreadyOpened')
    }
    const grant = await signGrant(chain, key, patient, termsFor(doctor, { uses: 3 }))
    await grant.submit()
    expect([await isGranted(3), await isGranted(2), await isGranted(255)]).to.deep.equal([true, false, false])
    await claim(chain, doctor, grant.grantId, 2)
    expect([await isGranted(3), await isGranted(1), await isGranted(255)]).to.deep.equal([true, false, false])
  })

  it('are no claim that no code vouches for', async () => {
    const signer = concat(['0x0000000000000000000000000000000000000004', '0x01'])
    const grantee = { ...doctor, signer, id: signerIdOf(signer) }
    const grant = await signGrant(chain, key, patient, termsFor(grantee, { uses: 3 }))
    await grant.submit()
    const args = [grant.grantId, signer, await chain.deadline(), '0x']
    expect(await isApplied('claim', args, SIGNED_FOR_ANOTHER_NONCE)).to.equal(false)
  })

  it('are no grant of a batch whose slot holds other terms', async () => {
    const [item] = items
    const other = { ...item!, rights: 3 }
    const batches = [await signBatch(chain, key, patient, [item!]), await signBatch(chain, key, patient, [other])]
    for (const batch of batches) await batch.submit()
    await batches[0]!.open(item!)
    expect(await isApplied('openFromBatch', batches[1]!.partOf(other), 'GrantAlreadyOpened')).to.equal(false)
  })
})
