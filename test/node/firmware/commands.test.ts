import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { account, startTestChain, type TestChain } from '#test/node/chain/test-chain.ts'
import { generatedImage } from '#test/node/firmware/world.ts'

const SALUS = fileURLToPath(new URL('../../../node/cli/main.ts', import.meta.url))
const run = promisify(execFile)

type Line = Record<string, unknown>

/** Runs `salus` and returns what it printed, one object a line. */
async function salus(...args: string[]): Promise<Line[]> {
  const { stdout } = await run(process.execPath, [SALUS, ...args, '--json'], { timeout: 60_000 })
  return stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Line)
}

/** Runs `salus` and returns its exit code and what it complained of. */
async function refused(...args: string[]): Promise<[number, string]> {
  try {
    await salus(...args)
    return [0, '']
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string }
    return [code, /[A-Z]+(?:_[A-Z]+)+/.exec(stderr)?.[0] ?? stderr]
  }
}

describe('the commands of makers and devices', function () {
  this.timeout(120_000)
  const processes: ChildProcess[] = []
  let chain: TestChain
  let dir: string

  before(async () => {
    chain = await startTestChain()
    // A block for each transaction, so that no command waits for the next second.
    await chain.provider.send('evm_setAutomine', [true])
    dir = await mkdtemp(join(tmpdir(), 'salus-commands-'))
    await writeFile(join(dir, 'deployment.json'), JSON.stringify(chain.deployment))
    await writeFile(join(dir, 'relayer'), account(1).privateKey)
  })
  after(async () => {
    for (const child of processes.filter(({ exitCode, signalCode }) => exitCode == null && signalCode == null)) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await rm(dir, { recursive: true, force: true })
    await chain.stop()
  })

  const at = (name: string): string => join(dir, name)
  const onChain = (): string[] => ['--rpc', chain.rpcUrl, '--deployment', at('deployment.json')]

  /** Starts a node and waits until it is ready. */
  async function startNode(name: string, peers: readonly string[]): Promise<{ child: ChildProcess; ready: Line }> {
    const peer = peers.flatMap(address => ['--peer', address])
    const args = ['node', 'run', '--data', at(name), ...onChain(), ...peer, '--relayer-key-file', at('relayer')]
    const child = spawn(process.execPath, [SALUS, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
    processes.push(child)
    for await (const line of createInterface({ input: child.stdout })) return { child, ready: JSON.parse(line) as Line }
    throw new Error('the node ended before it was ready')
  }

  it('bring a file to a device through nodes, after its maker and the first node are gone', async () => {
    const first = await startNode('first', [])
    const [firstAddress = ''] = first.ready['multiaddrs'] as string[]
    const second = await startNode('second', [firstAddress])
    const [secondAddress = ''] = second.ready['multiaddrs'] as string[]
    const relay = ['--relay', second.ready['http'] as string]

    const keys = ['one', 'two', 'three'].map(at)
    await salus('firmware', 'keygen', ...keys, at('guard'))
    const maker = [
      '--class',
      'infusion pump',
      '--keys',
      ...keys,
      '--guard-keys',
      at('guard'),
      '--threshold',
      '2',
      '--risk',
      'test'
    ]
    const [registered] = await salus('firmware', 'register', ...maker, ...onChain(), ...relay)
    const model = registered?.['model'] as string

    const image = generatedImage('commands', 2_200_000)
    await writeFile(at('image.bin'), image)
    const signed = ['--model', model, '--version', '1.0.0', '--keys', ...keys.slice(1)]
    const giving = ['--data', at('maker'), '--peer', firstAddress, secondAddress, '--replicas', '2']
    const published = await salus('firmware', 'publish', at('image.bin'), ...signed, ...giving, ...onChain(), ...relay)
    expect(published.map(({ event }) => event)).to.include.members(['imported', 'published', 'replicated'])

    first.child.kill('SIGKILL')
    await once(first.child, 'exit')
    const registry = chain.deployment.contracts.FirmwareRegistry.address
    const factory = ['--model', model, '--rpc', chain.rpcUrl, '--registry', registry]
    await salus('device', 'init', '--data', at('device'), ...factory)
    const update = ['device', 'update', '--data', at('device'), '--peer', secondAddress]
    const done = (await salus(...update)).at(-1)
    expect([done?.['outcome'], done?.['version']]).to.deep.equal(['installed', '1.0.0'])
    expect((await readFile(done?.['path'] as string)).equals(image)).to.equal(true)

    const release = ['--model', model, '--sequence', '1', '--guard-key', at('guard')]
    await salus('firmware', 'yank', ...release, ...onChain(), ...relay)
    expect(await refused(...update)).to.deep.equal([1, 'FIRMWARE_YANKED'])
    const [status] = await salus('firmware', 'status', '--model', model, ...onChain())
    expect([status?.['latest'], status?.['active']]).to.deep.equal([1, 0])
    expect(await refused('device', 'init', '--data', at('device'), ...factory)).to.deep.equal([1, 'DEVICE_EXISTS'])
  })

  it('say what is wrong with a stable code', async () => {
    expect(await refused('firmware', 'keygen', at('relayer'))).to.deep.equal([1, 'KEY_FILE_EXISTS'])
    const nowhere = ['--data', at('nowhere'), '--peer', '/ip4/127.0.0.1/tcp/1']
    expect(await refused('device', 'update', ...nowhere)).to.deep.equal([1, 'DEVICE_NOT_SET_UP'])
    const unknown = ['--model', `0x${'00'.repeat(32)}`]
    expect(await refused('firmware', 'status', ...unknown, ...onChain())).to.deep.equal([1, 'FIRMWARE_MODEL_UNKNOWN'])
  })
})
