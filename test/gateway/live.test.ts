import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { networkIdOfDeployment } from '#core/chain/deployment.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { encodeMessage } from '#core/network/envelope.ts'
import { createNodeClient } from '#node/http/client.ts'
import { devWallet, startWard, type Ward } from '#test/gateway/ward.ts'

const MAIN = fileURLToPath(new URL('../../node/cli/main.ts', import.meta.url))
const RECORDING = fileURLToPath(new URL('../../gateway/recordings/synthetic.csv', import.meta.url))

type Line = Record<string, unknown>

describe('gateway process with a node process', function () {
  this.timeout(180_000)
  let ward: Ward
  let directory: string
  let node: ChildProcess | undefined

  before(async () => {
    ward = await startWard()
    directory = await mkdtemp(join(tmpdir(), 'salus-live-'))
  })
  after(async () => {
    if (node != null) {
      const closed = new Promise(resolve => node?.once('close', resolve))
      node.kill('SIGTERM')
      await closed
    }
    await ward.stop()
    await rm(directory, { recursive: true, force: true })
  })

  async function salus(...args: string[]): Promise<{ code: number | null; lines: Line[] }> {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
    const closed = new Promise<number | null>(resolve => child.once('close', resolve))
    const lines: Line[] = []
    for await (const line of createInterface({ input: child.stdout })) lines.push(JSON.parse(line) as Line)
    return { code: await closed, lines }
  }

  async function startNode(): Promise<{ http: string; multiaddrs: string[] }> {
    const key = join(directory, 'relayer')
    await writeFile(key, devWallet(3).privateKey, { mode: 0o600 })
    const data = join(directory, 'node')
    const chain = ['--rpc', ward.rpcUrl, '--deployment', join(directory, 'deployment.json')]
    const args = ['node', 'run', '--data', data, ...chain, '--relayer-key-file', key]
    node = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
    for await (const line of createInterface({ input: node.stdout! })) {
      return JSON.parse(line) as { http: string; multiaddrs: string[] }
    }
    throw new Error('the node ended before it was ready')
  }

  it('publishes, anchors and proves a recording from the command line', async () => {
    await writeFile(join(directory, 'deployment.json'), JSON.stringify(ward.deployment))
    const { http: url, multiaddrs } = await startNode()
    const client = createNodeClient({ url })
    const network = networkIdOfDeployment(ward.deployment)
    const capsule = ward.node.capsules[0]!
    await client.publish(encodeMessage({ kind: 'capsule', network, capsule }))

    const data = join(directory, 'gateway')
    await mkdir(data)
    await writeFile(join(data, 'seed'), ward.seed, { mode: 0o600 })
    const init = await salus('gateway', 'init', '--data', data, '--deployment', join(directory, 'deployment.json'))
    expect(init.lines[0]?.['gateway']).to.equal(toHex(ward.identity.id))

    const patientKeys = toHex(keyBundleDigest(ward.patient.keys.bundleBytes))
    const grant = ['--grant', toHex(ward.grant), '--patient-keys', patientKeys, '--replay', RECORDING, '--speed', 'max']
    // Entries go to the peer address, everything else over HTTP.
    const to = ['--node', url, '--peer', multiaddrs[0] ?? '']
    const ran = await salus('gateway', 'run', '--data', data, ...to, ...grant, '--exit-at-end', '--json')
    expect(ran.code).to.equal(0)
    const events = ran.lines.map(line => line['event'])
    expect(events.filter(event => event === 'acknowledged')).to.have.length(8)
    expect(events.filter(event => event === 'anchored').length).to.be.greaterThan(0)
    expect(events.at(-1)).to.equal('end')

    const { messages } = await client.status()
    expect(messages).to.equal(9)

    const out = join(directory, 'reading.salus-proof')
    const from = ['--rpc', ward.rpcUrl, '--out', out]
    expect((await salus('gateway', 'prove', '--data', data, '--index', '700', ...from)).code).to.equal(0)
    const verified = await salus(
      'verify',
      out,
      '--json',
      '--network',
      toHex(network),
      '--gateway',
      toHex(ward.identity.id)
    )
    expect([verified.code, verified.lines[0]?.['index']]).to.deep.equal([0, 700])
  })
})
