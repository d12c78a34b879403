import { spawn, type ChildProcess } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { registrationCall } from '#core/agent/patient-registration.ts'
import { readDeployment } from '#core/chain/deployment.ts'
import { readCustodianCard } from '#core/custody/custodian-card.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { DEV_CHAIN_ID } from '#node/chain/dev-chain.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { createCustodyClient } from '#node/http/client-custody.ts'
import { createNodeClient } from '#node/http/client.ts'
import { deployAll } from '#scripts/deploy/deploy.ts'
import { ROOT } from '#scripts/process/run.ts'
import { createDemoPatient, deadlineS } from '#scripts/story/people.ts'
import { account, silentLog } from '#test/node/chain/test-chain.ts'
import { messageOf, noteOf } from '#test/node/http/world.ts'

/** A `salus` process and how it ended. */
interface Running {
  readonly child: ChildProcess
  readonly ready: Promise<Record<string, unknown>>
  readonly ended: Promise<{ code: number | null; errorText: string }>
}

function salus(...args: string[]): Running {
  const child = spawn(process.execPath, [join(ROOT, 'node/cli/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let errorText = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errorText += chunk.toString()
  })
  const ended = new Promise<{ code: number | null; errorText: string }>(resolve => {
    child.once('close', code => resolve({ code, errorText }))
  })
  const ready = new Promise<Record<string, unknown>>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', line => resolve(JSON.parse(line) as Record<string, unknown>))
    void ended.then(() => reject(new Error(errorText)))
  })
  ready.catch(() => undefined)
  return { child, ready, ended }
}

describe('the chain and node commands', function () {
  this.timeout(120_000)
  let dir: string
  const running: ChildProcess[] = []

  function start(...args: string[]): Running {
    const process = salus(...args)
    running.push(process.child)
    return process
  }

  async function startChain(): Promise<{ rpcUrl: string; process: Running }> {
    const process = start('chain', 'run', '--data', join(dir, 'chain'), '--port', '0')
    const { rpcUrl } = await process.ready
    return { rpcUrl: String(rpcUrl), process }
  }

  async function deploy(rpcUrl: string): Promise<string> {
    const provider = createProvider(rpcUrl, DEV_CHAIN_ID)
    const deployment = await deployAll({ provider, signer: account(0, provider), log: silentLog })
    provider.destroy()
    const file = join(dir, 'deployment.json')
    await writeFile(file, JSON.stringify(deployment))
    return file
  }

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'salus-cli-'))
  })

  afterEach(async () => {
    for (const child of running.splice(0)) {
      if (child.exitCode != null || child.signalCode != null) continue
      const closed = new Promise(resolve => child.once('close', resolve))
      child.kill('SIGTERM')
      await closed
    }
    await rm(dir, { recursive: true, force: true })
  })

  it('run, serve, stop cleanly on SIGTERM and go on where they were', async () => {
    const { rpcUrl, process: chain } = await startChain()
    const deployment = await deploy(rpcUrl)
    const keyFile = join(dir, 'relayer.key')
    await writeFile(keyFile, account(1).privateKey, { mode: 0o600 })
    const args = ['node', 'run', '--data', join(dir, 'node'), '--deployment', deployment, '--relayer-key-file', keyFile]
    const node = start(...args, '--rpc', rpcUrl)
    const ready = await node.ready
    expect(ready).to.include.keys('event', 'http', 'peerId', 'multiaddrs')
    const status = await createNodeClient({ url: String(ready['http']) }).status()
    expect(status).to.include({ relays: true, peerId: ready['peerId'] })
    node.child.kill('SIGTERM')
    expect((await node.ended).code).to.equal(0)
    chain.child.kill('SIGINT')
    expect((await chain.ended).code).to.equal(0)

    const second = await startChain()
    const again = start(...args, '--rpc', second.rpcUrl)
    expect((await again.ready)['peerId']).to.equal(ready['peerId'])
  })

  it('take over the chain that a killed process left behind', async function () {
    if (process.platform !== 'linux') this.skip()
    const { process: killed, rpcUrl } = await startChain()
    await deploy(rpcUrl)
    const pid = Number(await readFile(join(dir, 'chain', 'anvil.pid'), 'utf8'))
    killed.child.kill('SIGKILL')
    await killed.ended
    const { rpcUrl: again } = await startChain()
    // A dead process that nobody has waited for still has an id, but no command.
    expect(await readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => '')).to.equal('')
    const deployment = JSON.parse(await readFile(join(dir, 'deployment.json'), 'utf8')) as {
      contracts: { AccessGrants: { address: string } }
    }
    const provider = createProvider(again, DEV_CHAIN_ID)
    expect(await provider.getCode(deployment.contracts.AccessGrants.address)).to.not.equal('0x')
    provider.destroy()
  })

  it('keep every acknowledged message when the node is killed', async () => {
    const { rpcUrl } = await startChain()
    const file = await deploy(rpcUrl)
    const deployment = readDeployment(JSON.parse(await readFile(file, 'utf8')))
    const keyFile = join(dir, 'relayer.key')
    await writeFile(keyFile, account(1).privateKey, { mode: 0o600 })
    const run = (): Running =>
      start(
        ...['node', 'run', '--data', join(dir, 'node'), '--rpc', rpcUrl],
        ...['--deployment', file, '--relayer-key-file', keyFile]
      )
    const first = run()
    const client = createNodeClient({ url: String((await first.ready)['http']) })
    const patient = await createDemoPatient(deployment)
    const { state, keys, signTypedData } = patient
    const signing = { target: deployment, deadlineS: deadlineS(), signTypedData }
    await client.relay(await registrationCall(state, keys, signing))
    const messages = Array.from({ length: 30 }, () => messageOf(state.network, patient, noteOf(patient)))
    const acknowledged: Uint8Array[] = []
    const sending = Promise.allSettled(
      messages.map(async message => {
        await client.publish(message)
        acknowledged.push(message)
        // In the middle of it all, at whatever line the node then is.
        if (acknowledged.length === 10) first.child.kill('SIGKILL')
      })
    )
    await first.ended
    await sending
    expect(acknowledged.length).to.be.at.least(10)
    const again = createNodeClient({ url: String((await run().ready)['http']) })
    for (const message of acknowledged) expect((await again.publish(message)).status).to.equal('known')
  })

  it('keep shares for patients where they are told to', async () => {
    const { rpcUrl } = await startChain()
    const file = await deploy(rpcUrl)
    const auditor = join(dir, 'auditor.bundle')
    const args = ['node', 'run', '--data', join(dir, 'node'), '--rpc', rpcUrl, '--deployment', file, '--custodian']
    expect((await start(...args, '--auditor', auditor).ended).errorText).to.contain('AUDITOR_FILE')
    await writeFile(auditor, (await deriveAgentKeys(nativePrimitives, new Uint8Array(32))).bundleBytes)
    const { http } = await start(...args, '--auditor', auditor, '--custody-finality', '0').ready
    const client = createCustodyClient({ url: String(http) })
    const network = fromHex(readDeployment(JSON.parse(await readFile(file, 'utf8'))).networkId, 32)
    expect(readCustodianCard(nativePrimitives, await client.card(), network).log).to.have.length(32)
    expect(await client.checkpoint()).to.match(/^salus\/[0-9a-f]{8}\/receipts\/[0-9a-f]{64}\n0\n/)
  })

  it('say plainly where something fails that no code explains', async () => {
    const file = join(dir, 'file')
    await writeFile(file, '')
    const { code, errorText } = await start('chain', 'run', '--data', join(file, 'chain')).ended
    expect(code).to.equal(70)
    expect(errorText).to.match(/^INTERNAL: /)
    expect(errorText).to.contain('    at ')
  })

  it('refuse to start with a code where the deployment or the key is not what it should be', async () => {
    const { rpcUrl } = await startChain()
    const file = await deploy(rpcUrl)
    const node = (...more: string[]): Running =>
      start('node', 'run', '--data', join(dir, 'node'), '--rpc', rpcUrl, ...more)
    const missing = await node('--deployment', join(dir, 'nothing.json')).ended
    expect(missing.code).to.equal(1)
    expect(missing.errorText).to.contain('DEPLOYMENT_FILE')
    await writeFile(join(dir, 'bad.key'), 'secret?', { mode: 0o644 })
    const open = await node('--deployment', file, '--relayer-key-file', join(dir, 'bad.key')).ended
    expect(open.errorText).to.contain('CONFIG_SECRET_MODE').and.not.contain('secret?')
    await chmod(join(dir, 'bad.key'), 0o600)
    const key = await node('--deployment', file, '--relayer-key-file', join(dir, 'bad.key')).ended
    expect(key.errorText).to.contain('KEY_FILE_UNREADABLE').and.not.contain('secret?')
    const deployment = JSON.parse(await readFile(file, 'utf8')) as { contracts: Record<string, { address: string }> }
    const { contracts } = deployment
    const moved = { ...contracts, BatchAnchors: { ...contracts['BatchAnchors'], address: `0x${'11'.repeat(20)}` } }
    await writeFile(join(dir, 'moved.json'), JSON.stringify({ ...deployment, contracts: moved }))
    expect((await node('--deployment', join(dir, 'moved.json')).ended).errorText).to.contain('CHAIN_NO_CONTRACT')
  })
})
