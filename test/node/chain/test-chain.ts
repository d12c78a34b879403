import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HDNodeWallet, Mnemonic, Wallet, type JsonRpcProvider } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { createDevChain, DEV_CHAIN_ID, type DevChain } from '#node/chain/dev-chain.ts'
import { createLog, type Log } from '#node/log.ts'
import { deployAll } from '#scripts/deploy/deploy.ts'

/** Anvil's public test accounts. */
const MNEMONIC = Mnemonic.fromPhrase('test test test test test test test test test test test junk')

/** A log that says nothing. */
export const silentLog: Log = createLog({ name: 'test', level: 'silent' })

/** A real chain in a temporary folder, with the contracts on it. */
export interface TestChain {
  readonly dir: string
  readonly chain: DevChain
  readonly provider: JsonRpcProvider
  readonly deployment: Deployment
  readonly rpcUrl: string
  /** Of anvil's process. */
  pid: number
  stop(): Promise<void>
}

/** One of the funded accounts. */
export function account(index: number, provider?: JsonRpcProvider): Wallet {
  const { privateKey } = HDNodeWallet.fromMnemonic(MNEMONIC, `m/44'/60'/0'/0/${String(index)}`)
  return new Wallet(privateKey, provider)
}

/** Starts a chain and deploys. */
export async function startTestChain(): Promise<TestChain> {
  const dir = await mkdtemp(join(tmpdir(), 'salus-chain-'))
  const chain = createDevChain({ log: silentLog }, { dataDir: dir, port: 0 })
  const { rpcUrl, pid } = await chain.start()
  const provider = createProvider(rpcUrl, DEV_CHAIN_ID)
  const deployment = await deployAll({ provider, signer: account(0, provider), log: silentLog })
  return {
    dir,
    chain,
    provider,
    deployment,
    rpcUrl,
    pid,
    async stop() {
      provider.destroy()
      await chain.stop()
      await rm(dir, { recursive: true, force: true })
    }
  }
}

/** Mines blocks at once. */
export async function mine(provider: JsonRpcProvider, blocks: number): Promise<void> {
  await provider.send('anvil_mine', [`0x${blocks.toString(16)}`])
}
