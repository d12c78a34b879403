import {
  JsonRpcProvider,
  Transaction,
  Wallet,
  ZeroAddress,
  ZeroHash,
  id,
  keccak256,
  parseEther,
  toQuantity,
  type JsonRpcApiProviderOptions
} from 'ethers'
import { network } from 'hardhat'
import type { ChainBackend } from '#test/contracts/backends/backend.ts'

/** The account that the chain's genesis makes rich. */
export const GETH_RELAYER: Wallet = new Wallet(id('relayer of the tests'))

const OPTIONS: JsonRpcApiProviderOptions = { cacheTimeout: -1, staticNetwork: true, batchMaxCount: 1, polling: true }

/**
 * A geth that listens on this machine, with the namespaces `debug` and `testing`. Its pool of transactions is not used: what
 * is sent is put into a block of its own, as Hardhat's chain does.
 */
class GethProvider extends JsonRpcProvider {
  constructor(endpoint: string) {
    super(endpoint, undefined, OPTIONS)
    this.pollingInterval = 20
  }

  override async send(method: string, params: unknown[]): Promise<unknown> {
    if (method === 'eth_sendRawTransaction') return this.sendInBlock((params as [string])[0])
    // Transactions of blocks that were taken back are pending for ever.
    const asked = params.map(param => (param === 'pending' ? 'latest' : param))
    if (method !== 'eth_estimateGas') return (await super.send(method, asked)) as unknown
    // What a call costs may depend on its block, which is the next one.
    return (await super.send(method, [asked[0], 'latest', {}, this.after(await this.latest())])) as unknown
  }

  /** Puts a transaction into a block of its own; throws, as Hardhat's chain does, if it is reverted there. */
  private async sendInBlock(raw: string): Promise<string> {
    const before = await this.latest()
    await this.makeBlock(before.time + 1, [raw])
    const hash = keccak256(raw)
    const receipt = (await super.send('eth_getTransactionReceipt', [hash])) as Record<string, unknown>
    if (receipt['status'] === '0x1') return hash
    const { from, to, data, gasLimit } = Transaction.from(raw)
    const call = { from, to, data, gas: toQuantity(gasLimit) }
    await super.send('eth_call', [call, toQuantity(before.number), {}, this.after(before)])
    throw new Error(`reverted in its block alone: ${hash}`)
  }

  /** What a call is told of its block if that is the next one. */
  private after({ number, time }: { number: number; time: number }): Record<string, string> {
    return { number: toQuantity(number + 1), time: toQuantity(time + 1) }
  }

  async latest(): Promise<{ readonly number: number; readonly time: number }> {
    const block = (await super.send('eth_getBlockByNumber', ['latest', false])) as Record<string, string>
    return { number: Number(block['number']), time: Number(block['timestamp']) }
  }

  async makeBlock(time: number, transactions: readonly string[]): Promise<void> {
    const attributes = {
      timestamp: toQuantity(time),
      prevRandao: ZeroHash,
      suggestedFeeRecipient: ZeroAddress,
      withdrawals: [],
      parentBeaconBlockRoot: ZeroHash
    }
    await super.send('testing_commitBlockV1', [attributes, transactions, null])
  }

  async goBackTo(block: number): Promise<void> {
    if (block < (await this.latest()).number) await super.send('debug_setHead', [toQuantity(block)])
  }
}

/** Takes over a geth, and takes its chain back to the first block. */
export async function openGeth(endpoint: string): Promise<ChainBackend> {
  // Hardhat teaches chai about contracts when it opens its first chain.
  await (await network.create()).close()
  const provider = new GethProvider(endpoint)
  await provider.goBackTo(0)
  const signer = GETH_RELAYER.connect(provider)
  return {
    provider,
    signer,
    now: async () => (await provider.latest()).time,
    moveTo: time => provider.makeBlock(time, []),
    delegate: async (account, to) => {
      const nonce = await provider.getTransactionCount(account.address)
      const { chainId } = await provider.getNetwork()
      const authorization = await account.authorize({ address: to, nonce, chainId })
      await signer.sendTransaction({ type: 4, to: ZeroAddress, authorizationList: [authorization] })
    },
    fund: async address => {
      await signer.sendTransaction({ to: address, value: parseEther('1') })
    },
    snapshot: async () => {
      const { number } = await provider.latest()
      return () => provider.goBackTo(number)
    },
    close: () => {
      provider.destroy()
      return Promise.resolve()
    }
  }
}
