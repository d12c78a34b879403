import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HDNodeWallet, JsonRpcProvider, Mnemonic, Wallet, concat, parseEther, toQuantity } from 'ethers'
import { DEV_CHAIN_ID, createDevChain } from '#node/chain/dev-chain.ts'
import { createLog } from '#node/log.ts'
import type { ChainBackend } from '#test/contracts/backends/backend.ts'

const MNEMONIC = Mnemonic.fromPhrase('test test test test test test test test test test test junk')

/** So many blocks without a transaction, and it is not to be mined. */
const MOST_BLOCKS = 50

/** An anvil that makes a block for each transaction as it is sent. */
class AnvilProvider extends JsonRpcProvider {
  override async send(method: string, params: unknown[]): Promise<unknown> {
    const result: unknown = await super.send(method, params as never[])
    if (method !== 'eth_sendRawTransaction') return result
    // Under load a block is made before the transaction is ready for it.
    for (let blocks = 0; blocks < MOST_BLOCKS; blocks++) {
      await super.send('evm_mine', [])
      if ((await super.send('eth_getTransactionReceipt', [result] as never[])) != null) break
    }
    return result
  }
}

/** The embedded chain, which has geth's tracers. */
export interface AnvilBackend extends ChainBackend {
  readonly provider: JsonRpcProvider
  readonly rpcUrl: string
}

/** Starts the embedded chain in a folder of its own. */
export async function openAnvil(): Promise<AnvilBackend> {
  const dataDir = await mkdtemp(join(tmpdir(), 'salus-observed-'))
  const chain = createDevChain({ log: createLog({ name: 'test', level: 'silent' }) }, { dataDir, port: 0 })
  const { rpcUrl } = await chain.start()
  const options = { staticNetwork: true, cacheTimeout: -1, batchMaxCount: 1, polling: true }
  const provider = new AnvilProvider(rpcUrl, DEV_CHAIN_ID, options)
  provider.pollingInterval = 20
  await provider.send('evm_setIntervalMining', [0])
  const { privateKey } = HDNodeWallet.fromMnemonic(MNEMONIC, "m/44'/60'/0'/0/0")
  return {
    provider,
    rpcUrl,
    signer: new Wallet(privateKey, provider),
    now: async () => (await provider.getBlock('latest'))?.timestamp ?? 0,
    moveTo: async time => {
      await provider.send('evm_setNextBlockTimestamp', [time])
      await provider.send('evm_mine', [])
    },
    delegate: async (account, to) => {
      await provider.send('anvil_setCode', [account.address, concat(['0xef0100', to])])
    },
    fund: async address => {
      await provider.send('anvil_setBalance', [address, toQuantity(parseEther('1'))])
    },
    snapshot: async () => {
      const snapshot: unknown = await provider.send('evm_snapshot', [])
      return async () => {
        await provider.send('evm_revert', [snapshot])
      }
    },
    close: async () => {
      provider.destroy()
      await chain.stop()
      await rm(dataDir, { recursive: true, force: true })
    }
  }
}
