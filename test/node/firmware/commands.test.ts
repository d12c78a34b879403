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
  this.timeout(300_000)
  const processes: ChildProcess[] = []
  let chain: TestChain
  let dir: string

  before(async () => {
    chain = await startTestChain()
    // A block for each transaction, so that no command waits for the next second.
    await chain.provider.send('evm_setAutomine', [true])
    dir = await mkdtemp(join(tmpdir(), 'salus-commands-'))
    await writeFile(join(dir, 'deployment.json'), JSON.stringify(chain.deployment))
    await writeFile(join(dir, 'relayer'), account(1).privateKey, { mode: 0o600 })
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

  it('take a release through all it can go through, and its maker to new keys', async () => {
    const node = await startNode('steps', [])
    const [address = ''] = node.ready['multiaddrs'] as string[]
    const [keys, roots] = [['r1', 'r2', 'r3'].map(at), ['o1', 'o2'].map(at)]
    const [fresh, guard, freshGuard] = [['f1', 'f2'].map(at), at('g1'), at('g2')]
    await salus('firmware', 'keygen', ...keys, ...roots, ...fresh, guard, freshGuard)
    const pay = [...onChain(), '--relay', node.ready['http'] as string]
    const sets = ['--keys', ...keys, '--threshold', '2', '--root-keys', ...roots, '--guard-keys', guard]
    const [registered] = await salus('firmware', 'register', '--class', 'steps', ...sets, '--risk', 'low', ...pay)
    const ofModel = ['--model', registered?.['model'] as string]
    const wait = async (hours: number): Promise<void> => {
      await chain.provider.send('evm_increaseTime', [hours * 3600])
      await chain.provider.send('evm_mine', [])
    }
    const step = async (name: string, ...args: string[]): Promise<Line[]> =>
      salus('firmware', name, ...ofModel, '--sequence', '1', ...args, ...pay)
    const status = async (): Promise<unknown[]> => {
      const [line] = await salus('firmware', 'status', ...ofModel, ...onChain())
      return ['latest', 'active', 'staged', 'rolloutBps', 'minimum'].map(field => line?.[field])
    }
    const publish = async (name: string, by: readonly string[]): Promise<unknown[]> => {
      await writeFile(at(name), generatedImage(name, 10_000))
      const giving = ['--data', at(`maker of ${name}`), '--peer', address, '--version', name, '--keys', ...by]
      return (await salus('firmware', 'publish', at(name), ...ofModel, ...giving, ...pay)).map(({ event }) => event)
    }
    const registry = chain.deployment.contracts.FirmwareRegistry.address
    const update = ['device', 'update', '--data', at('steps device'), '--peer', address]

    expect(await publish('one', keys.slice(0, 2))).to.include('waiting')
    const activate = ['firmware', 'activate', ...ofModel, '--sequence', '1', ...pay]
    expect(await refused(...activate)).to.deep.equal([1, 'CHAIN_RELEASE_NOT_DUE'])
    await salus(
      'device',
      'init',
      '--data',
      at('steps device'),
      ...ofModel,
      '--rpc',
      chain.rpcUrl,
      '--registry',
      registry
    )
    expect(await refused(...update)).to.deep.equal([1, 'FIRMWARE_NOT_ACTIVE'])
    await wait(24)
    await salus(...activate)
    expect(await status()).to.deep.equal([1, 0, 1, 2500, 0])
    await step('rollout', '--bps', '100', '--guard-key', guard)
    await step('rollout', '--bps', '10000', '--keys', ...keys.slice(1))
    expect(await status()).to.deep.equal([1, 1, 0, 0, 0])

    await step('hold', '--guard-key', guard)
    expect(await refused(...update)).to.deep.equal([1, 'FIRMWARE_HELD'])
    await step('unhold', '--keys', ...keys.slice(1))
    await wait(23)
    await step('hold', '--guard-key', guard)
    await step('unhold', '--keys', ...keys.slice(1))
    await wait(24)
    expect(await status()).to.deep.equal([1, 0, 1, 2500, 0])
    await step('rollout', '--bps', '10000', '--keys', ...keys.slice(1))
    await step('minimum', '--keys', ...keys.slice(1))
    expect((await salus(...update)).at(-1)?.['outcome']).to.equal('installed')
    await step('advisory', '--vulnerability', 'CVE-2026-1', '--document', `0x${'11'.repeat(32)}`, '--guard-key', guard)

    const next = ['--root-keys', ...fresh, '--keys', ...fresh, '--guard-keys', freshGuard]
    const rotate = ['firmware', 'rotate', ...ofModel, ...next]
    await salus(...rotate, '--old-root-keys', ...roots, ...pay)
    expect(await refused(...rotate, '--complete', ...pay)).to.deep.equal([1, 'CHAIN_ROTATION_NOT_DUE'])
    await wait(48)
    await salus(...rotate, '--complete', ...pay)
    const stop = ['--sequence', '1', ...pay, '--guard-key']
    expect(await refused('firmware', 'yank', ...ofModel, ...stop, guard)).to.deep.equal([1, 'FIRMWARE_KEY_UNKNOWN'])
    expect(await publish('two', fresh)).to.include('waiting')
    await wait(24)
    await salus('firmware', 'activate', ...ofModel, '--sequence', '2', ...pay)
    await salus('firmware', 'rollout', ...ofModel, '--sequence', '2', '--bps', '10000', '--keys', ...fresh, ...pay)
    expect((await salus(...update)).at(-1)?.['version']).to.equal('two')
    await step('yank', '--guard-key', freshGuard)
    expect(await status()).to.deep.equal([2, 2, 0, 0, 1])
  })

  it('say what is wrong with a stable code', async () => {
    expect(await refused('firmware', 'keygen', at('relayer'))).to.deep.equal([1, 'KEY_FILE_EXISTS'])
    const nowhere = ['--data', at('nowhere'), '--peer', '/ip4/127.0.0.1/tcp/1']
    expect(await refused('device', 'update', ...nowhere)).to.deep.equal([1, 'DEVICE_NOT_SET_UP'])
    const unknown = ['--model', `0x${'00'.repeat(32)}`]
    expect(await refused('firmware', 'status', ...unknown, ...onChain())).to.deep.equal([1, 'FIRMWARE_MODEL_UNKNOWN'])
  })
})
