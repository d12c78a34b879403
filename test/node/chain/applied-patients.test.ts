import { expect } from 'chai'
import { id } from 'ethers'
import { isAlreadyApplied } from '#node/chain/already-applied.ts'
import { CONTRACT_INTERFACES } from '#node/chain/contract-errors.ts'
import { inOrder, signBatch } from '#test/contracts/batch-requests.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { claim, idOf, register, requestAccess, termsFor } from '#test/contracts/requests.ts'

describe('requests of patients that were applied before', () => {
  const [key, doctor] = [accountKey('patient'), accountKey('doctor')]
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

  it('are a request for access that was made', async () => {
    const { grants } = chain.contracts
    const sent = await requestAccess(chain, doctor, id('salted request document'))
    const args = grants.interface.decodeFunctionData('requestAccess', sent.data).toArray()
    expect(await isApplied('requestAccess', args, 'AccessRequestMadeBefore')).to.equal(true)
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
