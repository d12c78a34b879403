import { expect } from 'chai'
import { ZeroAddress, ZeroHash, id } from 'ethers'
import { inOrder, signBatch, type BatchItem } from '#test/contracts/batch-requests.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import {
  NEVER,
  claim,
  grantIdOf,
  idOf,
  pack,
  register,
  revoke,
  rotateSigner,
  signGrant,
  termsFor,
  type Terms
} from '#test/contracts/requests.ts'

describe('grants in batches', () => {
  const key = accountKey('patient')
  const doctor = accountKey('doctor')
  const patient = idOf(key.signer, id('salt'))
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  beforeEach(() => register(chain, key))
  afterEach(() => chain.reset())
  after(() => chain.close())

  /** A batch of so many one-time grants. */
  function itemsFor(count: number, special: Partial<Terms> = {}): BatchItem[] {
    const one = (i: number): BatchItem => ({ ...termsFor(doctor, { uses: 1, ...special }), scope: id(`scope ${i}`) })
    return inOrder(Array.from({ length: count }, (_, i) => one(i)))
  }

  for (const count of [1, 2, 3, 5, 8, 13]) {
    it(`open ${String(count)} at once, each provable under one root and none with a slot of its own`, async () => {
      const { grants } = chain.contracts
      const items = itemsFor(count)
      const batch = await signBatch(chain, key, patient, items)
      const receipt = await (await batch.submit()).wait()
      const told = receipt?.logs.map(log => grants.interface.parseLog(log)) ?? []
      expect(told[0]?.args.toArray()).to.deep.equal([patient, batch.root, BigInt(count)])
      expect(told.slice(1).map(event => event?.args.toArray())).to.deep.equal(
        items.map((item, i) => [patient, batch.grantIds[i], pack(item)])
      )
      const now = await chain.now()
      for (const [i, item] of items.entries()) {
        expect(await grants.termsOf(batch.grantIds[i]!)).to.equal(0n)
        expect(await grants.isLive(batch.grantIds[i]!, now)).to.equal(false)
        expect(await grants.isLiveInBatch(...batch.partOf(item), now)).to.equal(true)
        expect(await grants.isLiveInBatch(...batch.partOf(item), NEVER)).to.equal(false)
      }
    })
  }

  it('are claimed once out of their batch, whoever opens them again', async () => {
    const { grants } = chain.contracts
    const items = itemsFor(3)
    const batch = await signBatch(chain, key, patient, items)
    await batch.submit()
    const [item, grantId] = [items[1]!, batch.grantIds[1]!]
    await expect(claim(chain, doctor, grantId, 0)).to.be.revertedWithCustomError(grants, 'GrantNotLive')
    await expect(batch.open(item)).to.emit(grants, 'Granted').withArgs(patient, grantId, pack(item))
    expect(await grants.isLive(grantId, await chain.now())).to.equal(true)
    await claim(chain, doctor, grantId, 0)
    expect(await grants.isLiveInBatch(...batch.partOf(item), await chain.now())).to.equal(false)
    await expect(batch.open(item)).to.be.revertedWithCustomError(grants, 'GrantAlreadyOpened').withArgs(grantId)
    await expect(claim(chain, doctor, grantId, 0)).to.be.revertedWithCustomError(grants, 'GrantNotLive')
  })

  it('stay revoked, before their batch, in it and after it', async () => {
    const { grants } = chain.contracts
    const items = itemsFor(3)
    const batch = await signBatch(chain, key, patient, items)
    await batch.submit()
    await revoke(chain, key, patient, items[0]!.scope)
    await batch.open(items[1]!)
    await revoke(chain, key, patient, items[1]!.scope)
    for (const i of [0, 1]) {
      expect(await grants.isLiveInBatch(...batch.partOf(items[i]!), await chain.now())).to.equal(false)
      await expect(batch.open(items[i]!)).to.be.revertedWithCustomError(grants, 'GrantIsRevoked')
    }
    await expect(batch.submit()).to.be.revertedWithCustomError(grants, 'GrantBatchAlreadyOpened')
    const single = await signGrant(chain, key, patient, items[0]!, items[0]!.scope)
    await expect(single.submit()).to.be.revertedWithCustomError(grants, 'GrantIsRevoked')
    expect(await grants.isLiveInBatch(...batch.partOf(items[2]!), await chain.now())).to.equal(true)
    await expect((await signBatch(chain, key, patient, [items[0]!])).submit()).to.be.revertedWithCustomError(
      grants,
      'GrantIsRevoked'
    )
  })

  it('are opened once as a batch, and not at all if one of them has a slot', async () => {
    const { grants } = chain.contracts
    const items = itemsFor(2)
    const batch = await signBatch(chain, key, patient, items)
    await batch.submit()
    await expect(batch.submit()).to.be.revertedWithCustomError(grants, 'GrantBatchAlreadyOpened').withArgs(batch.root)
    await (await signGrant(chain, key, patient, termsFor(doctor), id('scope 9'))).submit()
    const taken = inOrder([...itemsFor(1), { ...termsFor(doctor), scope: id('scope 9') }])
    await expect((await signBatch(chain, key, patient, taken)).submit())
      .to.be.revertedWithCustomError(grants, 'GrantAlreadyOpened')
      .withArgs(grantIdOf(patient, id('scope 9')))
  })

  it('give way to a single grant under the same scope', async () => {
    const { grants } = chain.contracts
    const [item] = itemsFor(1, { uses: 5 })
    const batch = await signBatch(chain, key, patient, [item!])
    await batch.submit()
    await (await signGrant(chain, key, patient, termsFor(doctor, { uses: 1 }), item!.scope)).submit()
    await expect(batch.open(item!)).to.be.revertedWithCustomError(grants, 'GrantAlreadyOpened')
    await claim(chain, doctor, batch.grantIds[0]!, 0)
    expect(await grants.isLiveInBatch(...batch.partOf(item!), await chain.now())).to.equal(false)
  })

  it('of two batches under one scope are live both, until the first with a slot of its own decides for good', async () => {
    const { grants } = chain.contracts
    const [item] = itemsFor(1, { uses: 2 })
    const nurse = { ...item!, grantee: accountKey('nurse').id, rights: 7 }
    const [ours, theirs] = [
      await signBatch(chain, key, patient, [item!]),
      await signBatch(chain, key, patient, [nurse])
    ]
    const isLive = async (): Promise<boolean[]> => {
      const now = await chain.now()
      return Promise.all([
        grants.isLiveInBatch(...ours.partOf(item!), now),
        grants.isLiveInBatch(...theirs.partOf(nurse), now)
      ])
    }
    await ours.submit()
    await theirs.submit()
    expect(await isLive()).to.deep.equal([true, true])
    await ours.open(item!)
    expect(await isLive()).to.deep.equal([true, false])
    await expect(theirs.open(nurse)).to.be.revertedWithCustomError(grants, 'GrantAlreadyOpened')
    await claim(chain, doctor, ours.grantIds[0]!, 1)
    expect(await isLive()).to.deep.equal([true, false])
    await claim(chain, doctor, ours.grantIds[0]!, 0)
    expect(await isLive()).to.deep.equal([false, false])
    await revoke(chain, key, patient, item!.scope)
    expect(await isLive()).to.deep.equal([false, false])
  })

  it('of two batches under one scope are both ended by one revocation', async () => {
    const { grants } = chain.contracts
    const [item] = itemsFor(1)
    const other = { ...item!, rights: 7 }
    const batches = [await signBatch(chain, key, patient, [item!]), await signBatch(chain, key, patient, [other])]
    for (const batch of batches) await batch.submit()
    await revoke(chain, key, patient, item!.scope)
    for (const [i, each] of [item!, other].entries()) {
      expect(await grants.isLiveInBatch(...batches[i]!.partOf(each), await chain.now())).to.equal(false)
      await expect(batches[i]!.open(each)).to.be.revertedWithCustomError(grants, 'GrantIsRevoked')
    }
  })

  it('are in no other batch, of no other patient, with no other terms and under no other proof', async () => {
    const { grants } = chain.contracts
    const other = accountKey('other')
    await register(chain, other)
    const items = itemsFor(4)
    const batch = await signBatch(chain, key, patient, items)
    const [, root, part, proof] = batch.partOf(items[0]!)
    const now = await chain.now()
    expect(await grants.isLiveInBatch(patient, root, part, proof, now)).to.equal(false)
    await expect(batch.open(items[0]!)).to.be.revertedWithCustomError(grants, 'GrantNotInBatch').withArgs(root)
    await batch.submit()
    const forged: Parameters<typeof grants.openFromBatch>[] = [
      [idOf(other.signer, id('salt')), root, part, proof],
      [patient, id('root'), part, proof],
      [patient, root, { ...part, terms: part.terms ^ (1n << 240n) }, proof],
      [patient, root, { ...part, scope: id('another') }, proof],
      [patient, root, part, proof.slice(1)],
      [patient, root, part, [...proof].reverse()],
      [patient, root, part, []]
    ] as Parameters<typeof grants.openFromBatch>[]
    for (const args of forged) {
      await expect(grants.openFromBatch(...args)).to.be.revertedWithCustomError(grants, 'GrantNotInBatch')
    }
  })

  it('must be in order, each once, between 1 and 256, usable, in time and of a known patient', async () => {
    const { grants } = chain.contracts
    const items = itemsFor(3)
    const refused = async (given: BatchItem[], error: string): Promise<void> => {
      await expect((await signBatch(chain, key, patient, given)).submit()).to.be.revertedWithCustomError(grants, error)
    }
    await refused([], 'GrantBatchSizeInvalid')
    await refused(itemsFor(257), 'GrantBatchSizeInvalid')
    await refused([...items].reverse(), 'GrantBatchOutOfOrder')
    await refused([items[0]!, items[0]!], 'GrantBatchOutOfOrder')
    await refused([{ ...items[0]!, scope: ZeroHash }], 'GrantBatchOutOfOrder')
    await refused([items[0]!, { ...items[1]!, grantee: ZeroAddress }], 'GrantGranteeMissing')
    await refused([items[0]!, { ...items[1]!, rights: 9 }], 'GrantRightsInvalid')
    await refused([{ ...items[0]!, uses: 0 }], 'GrantUsesMissing')
    await refused([{ ...items[0]!, expiresAt: 1 }], 'GrantWindowEmpty')
    const parts = items.map(item => ({ terms: pack(item), scope: item.scope }))
    await expect(grants.grantBatch(patient, parts, 1, key.signer, '0x')).to.be.revertedWithCustomError(
      grants,
      'RequestExpired'
    )
    await expect(
      grants.grantBatch(id('nobody'), parts, await chain.deadline(), key.signer, '0x')
    ).to.be.revertedWithCustomError(grants, 'PatientUnknown')
  })

  it('are the patient’s alone, and void after a change of signer', async () => {
    const { grants } = chain.contracts
    const next = accountKey('next')
    const items = itemsFor(2)
    await expect((await signBatch(chain, doctor, patient, items)).submit()).to.be.revertedWithCustomError(
      grants,
      'SignerNotTheOne'
    )
    const impostor = { ...doctor, signer: key.signer }
    await expect((await signBatch(chain, impostor, patient, items)).submit()).to.be.revertedWithCustomError(
      grants,
      'RequestSignatureInvalid'
    )
    const batch = await signBatch(chain, key, patient, items)
    await rotateSigner(chain, key, next, patient)
    await expect(batch.submit()).to.be.revertedWithCustomError(grants, 'SignerNotTheOne')
    await rotateSigner(chain, next, key, patient)
    await expect(batch.submit()).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
  })
})
