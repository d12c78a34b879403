import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A Kubo daemon that speaks with this machine alone. */
export interface Kubo {
  /** Address of its swarm. */
  readonly address: string
  /** Runs a command of it; the output as bytes. */
  run(args: readonly string[], input?: Uint8Array): Promise<Buffer>
  stop(): Promise<void>
}

const START_TIMEOUT_MS = 60_000
const RUN_TIMEOUT_MS = 60_000
const LOCAL = '/ip4/127.0.0.1/tcp/0'
/** Nothing is found, announced, mapped, relayed, looked up or reported. */
const OFFLINE = {
  Bootstrap: [],
  AutoConf: { Enabled: false },
  AutoTLS: { Enabled: false },
  AutoNAT: { ServiceMode: 'disabled' },
  DNS: { Resolvers: {} },
  Discovery: { MDNS: { Enabled: false } },
  HTTPRetrieval: { Enabled: false },
  Ipns: { DelegatedPublishers: [] },
  Plugins: { Plugins: { telemetry: { Disabled: true } } },
  Provide: { Enabled: false },
  Routing: { Type: 'none', DelegatedRouters: [] },
  Version: { SwarmCheckEnabled: false },
  Addresses: { API: LOCAL, Gateway: LOCAL, Swarm: [LOCAL], Announce: [], AppendAnnounce: [], NoAnnounce: [] },
  Swarm: {
    AddrFilters: null,
    DisableNatPortMap: true,
    EnableHolePunching: false,
    RelayClient: { Enabled: false },
    RelayService: { Enabled: false },
    Transports: { Network: { QUIC: false, Relay: false, WebTransport: false, WebRTCDirect: false, Websocket: false } }
  }
}

/** Starts Kubo on an empty store. */
export async function startKubo(path: string): Promise<Kubo> {
  const folder = await mkdtemp(join(tmpdir(), 'salus-kubo-'))
  const env = { ...process.env, IPFS_PATH: folder, IPFS_TELEMETRY: 'off' }
  const run: Kubo['run'] = async (args, input) => {
    const options = { env, encoding: 'buffer', maxBuffer: 1 << 28, timeout: RUN_TIMEOUT_MS } as const
    const running = promisify(execFile)(path, [...args], options)
    running.child.stdin?.end(input)
    return (await running).stdout
  }
  await run(['init', '--empty-repo', '--profile=autoconf-off'])
  const config = join(folder, 'config')
  const made = JSON.parse(await readFile(config, 'utf8')) as Record<string, unknown>
  await writeFile(config, JSON.stringify({ ...made, ...OFFLINE }))
  const daemon = spawn(path, ['daemon'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    await ready(daemon)
    const { Addresses } = JSON.parse((await run(['id'])).toString()) as { Addresses: string[] }
    return {
      address: Addresses.find(address => address.includes('/127.0.0.1/')) ?? '',
      run,
      async stop() {
        daemon.kill()
        if (daemon.exitCode == null) await once(daemon, 'exit')
        await rm(folder, { recursive: true })
      }
    }
  } catch (error) {
    daemon.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** Waits until the daemon says that it is ready. */
async function ready(daemon: ChildProcess): Promise<void> {
  let said = ''
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Kubo did not start: ${said.slice(-500)}`)), START_TIMEOUT_MS)
    daemon.once('exit', () => reject(new Error(`Kubo ended: ${said.slice(-500)}`)))
    for (const stream of [daemon.stdout, daemon.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        if (!said.includes('Daemon is ready')) return
        clearTimeout(timer)
        resolve()
      })
    }
  })
}
