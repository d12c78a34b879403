import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { JsonRpcProvider } from 'ethers'
import { receiptsRoot } from '#core/chain/receipts.ts'
import { anvilBinary } from '#node/chain/anvil-binary.ts'
import { createChainRpc } from '#node/chain/chain-rpc.ts'
import { account } from '#test/node/chain/test-chain.ts'

/** Code that logs 32 bytes under two topics, and leaves no contract. */
const LOGS = '0x6001600260206000a200'
const { address: FROM } = account(0)
const TYPES = [{ type: '0x0', gasPrice: '0x77359400' }, { type: '0x1', gasPrice: '0x77359400' }, { type: '0x2' }]
/** Enough that their places in the tree have one byte, and two. */
const TRANSACTIONS = 135

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  server.close()
  await once(server, 'close')
  return port
}

describe('blocks under the rules of other chains', function () {
  this.timeout(30_000)
  let process: ChildProcess | undefined
  let provider: JsonRpcProvider | undefined

  async function start(...rules: string[]): Promise<JsonRpcProvider> {
    const port = await freePort()
    process = spawn(anvilBinary(), ['--port', String(port), '--silent', '--no-mining', ...rules], { stdio: 'ignore' })
    const started = new JsonRpcProvider(`http://127.0.0.1:${String(port)}`, 31_337, { staticNetwork: true })
    provider = started
    while ((await started.send('eth_chainId', []).catch(() => undefined)) == null) await pause(20)
    return started
  }

  afterEach(async () => {
    provider?.destroy()
    const ended = process == null || process.exitCode != null ? undefined : once(process, 'exit')
    process?.kill('SIGKILL')
    await ended
  })

  const rules = ['london', 'prague'].map(name => ['--hardfork', name])
  for (const options of [...rules, ['--network', 'optimism']]) {
    it(`are proven: ${options.join(' ').slice(2)}`, async () => {
      const chain = await start(...options)
      const isDeposit = options.includes('optimism')
      if (isDeposit) {
        const deposit = { type: '0x7e', sourceHash: `0x${'01'.repeat(32)}`, mint: '0x0', isSystemTx: false }
        await chain.send('eth_sendTransaction', [{ from: account(1).address, to: FROM, gas: '0x186a0', ...deposit }])
      }
      for (let nonce = 0; nonce < TRANSACTIONS; nonce++) {
        const common = { from: FROM, gas: '0x186a0', nonce: `0x${nonce.toString(16)}` }
        await chain.send('eth_sendTransaction', [{ ...common, data: LOGS, ...TYPES[nonce % TYPES.length] }])
      }
      await chain.send('evm_mine', [])
      const rpc = createChainRpc(chain, { checkHeaders: true })
      const header = await rpc.header(1)
      if (header == null) throw new Error('no block')
      const receipts = await rpc.receipts(header)
      expect(receipts?.logs.length).to.equal(TRANSACTIONS)
      expect(receiptsRoot(receipts?.fields ?? [])).to.equal(header.receiptsRoot)
      const deposits = receipts?.fields.filter(({ type }) => type === '0x7e') ?? []
      expect(deposits.map(one => one.depositReceiptVersion)).to.deep.equal(isDeposit ? ['0x1'] : [])
    })
  }
})
