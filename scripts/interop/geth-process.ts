import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { openSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A geth that makes a block whenever it is told to. */
export interface RunningGeth {
  readonly rpcUrl: string
  readonly stop: () => Promise<void>
}

interface Genesis {
  readonly alloc: Record<string, unknown>
}

const START_TIMEOUT_MS = 60_000
const CHAIN_ID = 31337
const BLOBS = { target: 6, max: 9, baseFeeUpdateFraction: 5007716 }
/** Everything up to Osaka from the first block on, and nothing after it. */
const RULES = {
  chainId: CHAIN_ID,
  ...Object.fromEntries(
    'homestead eip150 eip155 eip158 byzantium constantinople petersburg istanbul berlin london'
      .split(' ')
      .map(fork => [`${fork}Block`, 0])
  ),
  ...Object.fromEntries(['shanghai', 'cancun', 'prague', 'osaka'].map(fork => [`${fork}Time`, 0])),
  terminalTotalDifficulty: 0,
  depositContractAddress: `0x${'00'.repeat(20)}`,
  blobSchedule: { cancun: BLOBS, prague: BLOBS, osaka: BLOBS }
}

/** Starts geth on an empty chain of its own, on this machine alone; `rich` can pay for every test. */
export async function startGeth(path: string, rich: string): Promise<RunningGeth> {
  const folder = await mkdtemp(join(tmpdir(), 'salus-geth-'))
  const run = promisify(execFile)
  // The system contracts of the newest rules, as geth's own development chain has them.
  const { alloc } = JSON.parse((await run(path, ['--dev', 'dumpgenesis'])).stdout) as Genesis
  const genesis = {
    config: RULES,
    // Now, as Hardhat's chain begins.
    timestamp: `0x${Math.floor(Date.now() / 1000).toString(16)}`,
    gasLimit: '0x3938700',
    difficulty: '0x0',
    baseFeePerGas: '0x3b9aca00',
    alloc: { ...alloc, [rich]: { balance: `0x${(10n ** 24n).toString(16)}` } }
  }
  const genesisPath = join(folder, 'genesis.json')
  await writeFile(genesisPath, JSON.stringify(genesis))
  const storage = ['--datadir', folder, '--state.scheme', 'hash']
  await run(path, ['init', ...storage, genesisPath])
  const [port, engine] = [await freePort(), await freePort()]
  const log = openSync(join(folder, 'geth.log'), 'a')
  const offline = ['--nodiscover', '--maxpeers', '0', '--nat', 'none', '--port', '0', '--ipcdisable']
  const http = [
    '--http',
    '--http.addr',
    '127.0.0.1',
    '--http.port',
    String(port),
    '--http.api',
    'eth,net,debug,testing'
  ]
  const child = spawn(
    path,
    [
      ...storage,
      '--gcmode',
      'archive',
      '--networkid',
      String(CHAIN_ID),
      ...offline,
      ...http,
      '--authrpc.port',
      String(engine)
    ],
    { stdio: ['ignore', log, log] }
  )
  const stop = async (): Promise<void> => {
    await end(child)
    await rm(folder, { recursive: true, force: true })
  }
  const rpcUrl = `http://127.0.0.1:${String(port)}`
  try {
    await answering(rpcUrl, child)
  } catch (error) {
    await stop()
    throw error
  }
  return { rpcUrl, stop }
}

async function answering(rpcUrl: string, child: ChildProcess): Promise<void> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] })
  for (const end = performance.now() + START_TIMEOUT_MS; performance.now() < end;) {
    if (child.exitCode != null) throw new Error(`geth ended with ${String(child.exitCode)}`)
    const response = await fetch(rpcUrl, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' }
    }).catch(() => undefined)
    if (response?.ok === true) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error('geth does not answer')
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode != null) return
  const ended = new Promise(resolve => child.once('exit', resolve))
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  child.kill('SIGTERM')
  await ended
  clearTimeout(timer)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}
