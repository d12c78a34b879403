import { spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { gatewayLogOrigin } from '#core/batch/gateway-log.ts'
import { witnessNoteKey } from '#core/tlog/cosignature.ts'
import { encodeVerifierKey } from '#core/tlog/signed-note.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import type { PlainServer } from '#node/http/plain-server.ts'
import { createWitnessServer } from '#node/witness/server.ts'
import { openWitness, type Witness } from '#node/witness/witness.ts'
import { loadOrCreateGateway } from '#gateway/identity.ts'
import { witnessOf } from '#test/core/tlog/fixtures.ts'

const MAIN = fileURLToPath(new URL('../../node/cli/main.ts', import.meta.url))
const RECORDING = fileURLToPath(new URL('../../gateway/recordings/synthetic.csv', import.meta.url))
const me = witnessOf(0)

type Line = Record<string, unknown>

describe('gateway without a network, from the command line', function () {
  this.timeout(120_000)
  let directory: string
  let data: string
  let logKey: string
  let witness: Witness
  let server: PlainServer
  let url: string

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salus-offline-'))
    data = join(directory, 'gateway')
    const { id, keys } = await loadOrCreateGateway(p, data)
    const origin = gatewayLogOrigin(new Uint8Array(32), id)
    logKey = encodeVerifierKey(p, { name: origin, type: 1, publicKey: keys.bundle.sign })
    const logs = [{ origin, publicKey: keys.bundle.sign }]
    witness = await openWitness({ p, clock: Date.now }, { dataDir: join(directory, 'witness'), ...me, logs })
    server = createWitnessServer(witness, { host: '127.0.0.1', port: 0 })
    url = await server.start()
  })
  after(async () => {
    await server.stop()
    await witness.close()
    await rm(directory, { recursive: true, force: true })
  })

  const witnessKey = (): string => encodeVerifierKey(p, witnessNoteKey(me))

  async function salus(...args: string[]): Promise<{ code: number | null; lines: Line[] }> {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
    const closed = new Promise<number | null>(resolve => child.once('close', resolve))
    const lines: Line[] = []
    for await (const line of createInterface({ input: child.stdout })) lines.push(JSON.parse(line) as Line)
    return { code: await closed, lines }
  }

  it('takes several recordings in, has its log cosigned, and says what the run came to', async () => {
    const replay = ['--replay', RECORDING, RECORDING, '--speed', 'max', '--report', 'json']
    const { code, lines } = await salus(
      'gateway',
      'run',
      '--offline',
      '--data',
      data,
      ...replay,
      '--witness',
      `${url},${witnessKey()}`
    )
    expect([code, lines.length]).to.deep.equal([0, 1])
    const [report] = lines
    expect(report).to.include({ readings: 2 * 1920, batches: 8 })
    expect(report!['bytes']).to.be.a('number')
    expect(report!['alarms']).to.be.an('array')
    const scores = report!['scores'] as { name: string; series: number[][] }[]
    expect(scores.find(({ name }) => name === 'news2')?.series.length).to.be.greaterThan(1)
    const status = await salus('gateway', 'status', '--data', data)
    expect(status.lines[0]).to.include({ batches: 8, logKey, pendingReadings: 0 })
    // A replay ran ahead of the clock: alarms of the next run must not wait for its time.
    expect(await readdir(data))
      .to.include('batches')
      .and.to.not.include('monitor')
  })

  it('proves a reading to whoever trusts its key and the witness, and to nobody else', async () => {
    const file = join(directory, 'reading.tlog-proof')
    expect((await salus('gateway', 'prove', '--data', data, '--index', '300', '--out', file)).code).to.equal(0)
    const verify = async (...args: string[]): Promise<Line> =>
      (await salus('verify', file, '--json', ...args)).lines[0]!
    const proven = await verify('--log', logKey, '--witness', witnessKey())
    expect([proven['ok'], proven['index']]).to.deep.equal([true, 300])
    expect((proven['cosigned'] as { name: string }[]).map(({ name }) => name)).to.deep.equal([me.name])
    const stranger = encodeVerifierKey(p, witnessNoteKey(witnessOf(5)))
    expect((await verify('--log', logKey, '--witness', stranger))['code']).to.equal('COSIGNATURE_QUORUM')
    expect((await verify())['code']).to.equal('CLI_VERIFY')
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace('index 300', 'index 301'))
    expect((await verify('--log', logKey))['code']).to.equal('TLOG_PROOF_INCLUSION')
    await writeFile(file, text.replaceAll(/salus\/0+/g, 'salus/11111111'))
    expect((await verify('--log', logKey))['code']).to.equal('CHECKPOINT_ORIGIN')
  })

  it('names what is wrong with a folder of batches', async () => {
    const batches = join(data, 'batches')
    const verify = async (folder: string): Promise<Line> => {
      const evidence = ['--evidence', join(data, 'evidence')]
      return (await salus('verify', folder, '--json', ...evidence)).lines[0]!
    }
    expect(await verify(batches)).to.include({ ok: true, batches: 8, readings: 3840, first: 1, last: 8 })
    const damage: [string, (folder: string) => Promise<void>][] = [
      ['BATCH_MISSING', async folder => rm(join(folder, '4'))],
      ['BATCH_DUPLICATE', async folder => cp(join(folder, '3'), join(folder, '4'))],
      ['BATCH_ORDER', async folder => cp(join(folder, '2'), join(folder, '4'))],
      [
        'BATCH_',
        async folder => {
          const bytes = await readFile(join(folder, '5'))
          bytes[200]! ^= 1
          await writeFile(join(folder, '5'), bytes)
        }
      ]
    ]
    for (const [code, harm] of damage) {
      const folder = join(directory, 'harmed')
      await cp(batches, folder, { recursive: true })
      await harm(folder)
      expect((await verify(folder))['code']).to.match(new RegExp(`^${code}`))
      await rm(folder, { recursive: true })
    }
  })

  it('says how it stands while it runs, without a value', async () => {
    const live = ['--replay', RECORDING, '--speed', '60', '--health', '127.0.0.1:0', '--json']
    const child = spawn(process.execPath, [MAIN, 'gateway', 'run', '--offline', '--batch-seconds', '30', ...live], {
      stdio: ['ignore', 'pipe', 'ignore']
    })
    const closed = new Promise<number | null>(resolve => child.once('close', resolve))
    let health = ''
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as Line
      if (line['event'] === 'ready') health = String(line['health'])
      if (line['event'] !== 'batch') continue
      const stands = (await (await fetch(`${health}/health`)).json()) as Line
      expect(stands['batches']).to.be.at.least(1)
      const metrics = await (await fetch(`${health}/metrics`)).text()
      expect(metrics).to.match(/salus_gateway_readings_total \d+/)
      expect(metrics).to.not.match(/monitor|loinc|8867/)
      child.kill('SIGTERM')
      break
    }
    expect(await closed).to.equal(0)
  })
})
