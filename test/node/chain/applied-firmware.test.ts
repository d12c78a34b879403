import { expect } from 'chai'
import type { TransactionResponse } from 'ethers'
import { isAlreadyApplied } from '#node/chain/already-applied.ts'
import { CONTRACT_INTERFACES } from '#node/chain/contract-errors.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { firmwareFixture } from '#test/contracts/firmware-fixture.ts'
import { LOW, MEDIUM, type FirmwareDesk } from '#test/contracts/firmware-requests.ts'

describe('a request about firmware that is submitted again', () => {
  let chain: TestChain
  let desk: FirmwareDesk
  firmwareFixture((opened, its) => {
    ;[chain, desk] = [opened, its]
  })

  /** Whether a request, refused with this error, is told from one that was never applied. */
  async function isApplied(method: string, args: readonly unknown[], errorName: string): Promise<boolean> {
    const abi = CONTRACT_INTERFACES.FirmwareRegistry
    const data = abi.encodeFunctionData(method, args)
    const { address: to } = chain.deployment.contracts.FirmwareRegistry
    const error: unknown = await chain.provider.call({ to, data }).catch((cause: unknown) => cause)
    const refused = abi.parseError((error as { data?: string }).data ?? '0x')
    expect(refused?.name).to.equal(errorName)
    const request = { method, args: abi.decodeFunctionData(method, data).toArray(), errorName }
    return isAlreadyApplied(chain, {
      contract: 'FirmwareRegistry',
      ...request,
      errorArgs: refused?.args.toArray() ?? []
    })
  }

  /** The arguments of what was sent, some of them exchanged. */
  function argsOf({ data }: TransactionResponse, changes: Readonly<Record<number, unknown>> = {}): unknown[] {
    const call = CONTRACT_INTERFACES.FirmwareRegistry.parseTransaction({ data })
    return (call?.args.toArray() ?? []).map((arg: unknown, index) => changes[index] ?? arg)
  }

  it('is taken for applied if a maker has these keys', async () => {
    const sent = await chain.provider.getTransaction(await newestOf('ManufacturerRegistered'))
    if (sent == null) throw new Error('no maker was registered')
    expect(await isApplied('registerManufacturer', argsOf(sent), 'ManufacturerAlreadyRegistered')).to.equal(true)
  })

  it('is taken for applied if the model has the same class and room', async () => {
    const sent = await desk.registerModel(MEDIUM, 16)
    const isKnown = async (changes = {}): Promise<boolean> =>
      isApplied('registerModel', argsOf(sent, changes), 'ModelAlreadyRegistered')
    expect([await isKnown(), await isKnown({ 2: LOW }), await isKnown({ 3: 17 })]).to.deep.equal([true, false, false])
  })

  it('is taken for applied if the release has the same terms', async () => {
    await desk.registerModel()
    const deadline = await chain.deadline()
    const terms = await desk.terms(1, { deadline })
    const sent = await desk.publish(terms)
    const isKnown = async (changes = {}): Promise<boolean> =>
      isApplied('publish', argsOf(sent, { 0: { ...terms, ...changes } }), 'ReleaseOutOfSequence')
    expect([await isKnown(), await isKnown({ deadline: deadline - 1 })]).to.deep.equal([true, true])
    const notBefore = (await chain.now()) + 86_400
    const others = [{ securityCounter: 2 }, { kind: 1 }, { sizeBytes: 1 }, { imageSha256: desk.model }, { notBefore }]
    for (const other of others) expect(await isKnown(other), JSON.stringify(other)).to.equal(false)
  })

  async function newestOf(event: string): Promise<string> {
    const topics = CONTRACT_INTERFACES.FirmwareRegistry.encodeFilterTopics(event, [])
    const [log] = await chain.provider.getLogs({ topics, fromBlock: 0 })
    return log?.transactionHash ?? ''
  }
})
