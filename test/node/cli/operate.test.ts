import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { readLocalAccess } from '#node/auth/local-token.ts'
import { compare } from '#node/doctor/chain.ts'
import { checkPorts, placeOf } from '#node/doctor/network.ts'
import { runCommand, startService, type CommandOutcome, type Service } from '#scripts/process/service.ts'
import { startTestChain, type TestChain } from '#test/node/chain/test-chain.ts'

describe('the commands for those who operate a node', function () {
  this.timeout(180_000)
  let chain: TestChain
  let dir: string
  let config: string
  let service: Service | undefined

  before(async () => {
    chain = await startTestChain()
    dir = await mkdtemp(join(tmpdir(), 'salus-operate-'))
    config = join(dir, 'node.json')
    await writeFile(join(dir, 'deployment.json'), JSON.stringify(chain.deployment))
  })

  after(async () => {
    await service?.stop()
    await chain.stop()
    await rm(dir, { recursive: true, force: true })
  })

  const node = async (...args: string[]): Promise<CommandOutcome> => runCommand(['node', ...args])
  const findings = ({ lines }: CommandOutcome): Record<string, unknown> =>
    Object.fromEntries(lines.filter(({ check }) => check != null).map(({ check, level }) => [String(check), level]))

  it('write a configuration and an identity, and overwrite neither', async () => {
    const args = [
      'init',
      '--config',
      config,
      '--rpc',
      chain.rpcUrl,
      '--set',
      'http.port=0',
      '--set',
      'network.listen=/ip4/127.0.0.1/tcp/0',
      '--json'
    ]
    const { code, lines } = await node(...args)
    expect([code, lines[0]?.['dataDir']]).to.deep.equal([0, join(dir, 'data')])
    expect(String(lines[0]?.['peerId'])).to.match(/^12D3Koo/)
    expect((await stat(join(dir, 'data'))).mode & 0o777).to.equal(0o700)
    const again = await node(...args)
    expect([again.code, again.errorText]).to.satisfy(
      ([code, text]: [number, string]) => code === 1 && text.startsWith('CONFIG_EXISTS')
    )
    expect(await readFile(config, 'utf8')).to.include('// Configuration of a Salus node')
    const wrong = await node('init', '--config', `${config}2`, '--set', 'http.prot=1')
    expect(wrong.code).to.equal(2)
  })

  it('find a node that can be run to be well, and say what is not', async () => {
    const well = await node('doctor', '--config', config, '--json')
    expect([well.code, Object.values(findings(well)).includes('fail')], JSON.stringify(well.lines)).to.deep.equal([
      0,
      false
    ])
    expect(findings(well)).to.include({
      configuration: 'ok',
      contracts: 'ok',
      clock: 'ok',
      identity: 'ok',
      store: 'ok'
    })
    const broken = await node(
      ...[
        'doctor',
        '--config',
        config,
        '--json',
        '--data',
        join(dir, 'nothing'),
        '--set',
        `relayer.keyFile=${config}x`
      ],
      ...['--set', 'chain.rpc=http://127.0.0.1:9/secret-key', '--set', 'network.peers=/ip4/127.0.0.1/tcp/9']
    )
    expect(broken.code).to.equal(1)
    expect(findings(broken)).to.include({
      'data folder': 'fail',
      secrets: 'fail',
      'endpoint 1 (127.0.0.1:9)': 'fail',
      'peer 1': 'warn'
    })
    expect(JSON.stringify(broken.lines)).to.not.include('secret-key')
    for (const { level, todo } of broken.lines) if (level === 'fail' || level === 'warn') expect(todo).to.match(/\.|:/)
  })

  it('say that no node runs, with a code', async () => {
    const { code, errorText } = await node('status', '--config', config)
    expect([code, errorText.split(':')[0]]).to.deep.equal([1, 'NODE_NOT_RUNNING'])
  })

  it('run it from the file, ask it, give out tokens and find it well', async () => {
    service = await startService({ name: 'node', args: ['node', 'run', '--config', config], logFile: join(dir, 'log') })
    const { url } = await readLocalAccess(join(dir, 'data'))
    expect(url).to.equal(service.ready['http'])
    const status = await node('status', '--config', config, '--json')
    expect([status.code, status.lines[0]?.['peerId']]).to.deep.equal([0, service.ready['peerId']])
    const peers = await node('peers', '--config', config, '--json')
    expect(peers.lines[0]).to.deep.equal({ peers: [] })
    const created = await node(
      'token',
      'create',
      '--config',
      config,
      '--scope',
      'metrics',
      '--label',
      'prometheus',
      '--json'
    )
    const token = String(created.lines[0]?.['token'])
    const asked = await fetch(new URL('/metrics', url), { headers: { authorization: `Bearer ${token}` } })
    expect(asked.status).to.equal(200)
    await writeFile(join(dir, 'token'), token, { mode: 0o600 })
    const elsewhere = await node('peers', '--url', url, '--token-file', join(dir, 'token'))
    expect([elsewhere.code, elsewhere.errorText.split(':')[0]]).to.deep.equal([1, 'AUTH_SCOPE'])
    const open = await node('peers', '--url', 'http://node.example.org', '--token-file', join(dir, 'token'))
    expect([open.code, open.errorText.split(':')[0]]).to.deep.equal([1, 'NODE_TOKEN_OPEN'])
    const doctor = await node('doctor', '--config', config, '--json')
    expect(findings(doctor)).to.include({ store: 'ok', 'running node': 'ok' })
    expect(doctor.code).to.equal(0)
  })

  it('back it up and scrub it while it runs', async () => {
    const made = await node('backup', '--config', config, '--to', join(dir, 'backups'), '--json')
    expect([made.code, made.lines.at(-1)?.['event']]).to.deep.equal([0, 'done'])
    const inside = await node('backup', '--config', config, '--to', join(dir, 'data', 'backups'))
    expect([inside.code, inside.errorText.split(':')[0]]).to.deep.equal([1, 'SNAPSHOT_FOLDER'])
    const scrubbed = await node('scrub', '--config', config, '--json')
    expect([scrubbed.code, scrubbed.lines.at(-1)?.['sums']]).to.deep.equal([0, 0])
  })

  it('know a killed node from one that runs', async () => {
    process.kill(service?.pid ?? 0, 'SIGKILL')
    await service?.ended
    const { code, errorText } = await node('status', '--config', config)
    expect([code, errorText.split(':')[0]]).to.deep.equal([1, 'NODE_UNREACHABLE'])
    const doctor = await node('doctor', '--config', config, '--json')
    expect(findings(doctor)).to.include({ store: 'ok', 'port for the API': 'ok' })
  })

  it('tell a wrong clock from a chain that stands', () => {
    const at = (headNumber: number, timeS: number) => ({ name: `e${headNumber}`, headNumber, timeS })
    const levels = (...found: ReturnType<typeof compare>): string[] =>
      found.map(({ check, level }) => `${check} ${level}`)
    expect(levels(...compare([at(9, 1_000)], 1_005_000))).to.deep.equal(['clock ok'])
    expect(levels(...compare([at(9, 1_000)], 900_000))).to.deep.equal(['clock fail'])
    expect(levels(...compare([at(9, 1_000)], 9_000_000))).to.deep.equal(['clock warn'])
    expect(levels(...compare([at(9, 990), at(90, 1_000)], 1_005_000))).to.deep.equal(['e9 warn', 'clock ok'])
    expect(compare([], 0)).to.deep.equal([])
  })

  it('tell why a port cannot be had', async () => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const [used, foreign] = await checkPorts([
      { what: 'a', host: '127.0.0.1', port },
      { what: 'b', host: '192.0.2.1', port: 0 + 40_000 }
    ])
    server.close()
    expect([used?.level, foreign?.level]).to.deep.equal(['fail', 'fail'])
    expect(
      placeOf('/dns4/peer.example.org/tcp/4001/p2p/12D3KooWQ58okXGtKmpdA8nKxrZi7pLR4fNC45JuMfwfu3WXKbjG')
    ).to.deep.equal({ host: 'peer.example.org', port: 4001 })
    expect(() => placeOf('/ip4/127.0.0.1/udp/1')).to.throw()
  })
})
