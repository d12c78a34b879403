/** `salus agent`: the process that keeps a person's keys, and the commands that open and shut it. */
import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import { createChainFacts } from '#agent/chain/chain-facts.ts'
import { connect, print, withAgent } from '#agent/cli/command.ts'
import { defaultHome, register, unregister, type AgentOptions } from '#agent/cli/locate.ts'
import { readNewPassphrase, readPassphrase, type PassphraseOptions } from '#agent/cli/passphrase.ts'
import { createDaemon } from '#agent/daemon.ts'
import { SalusError } from '#core/error.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { loadDeployment } from '#node/chain/deployment-file.ts'
import { readCount } from '#node/cli/options.ts'
import { runUntilSignal } from '#node/cli/signals.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { nativeStretch } from '#node/crypto/native-scrypt.ts'
import { createNodeClient } from '#node/http/client.ts'
import { createLog } from '#node/log.ts'
import { VERSION } from '#node/version.ts'

interface RunOptions {
  readonly home?: string
  readonly node: string
  readonly rpc: string
  readonly deployment: string
  readonly listen: string
  readonly autoLock: number
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}

interface DeviceView {
  readonly id: string
  readonly name: string
  readonly revokedAtMs: number | null
  readonly isThis: boolean
}

/** Adds the commands. */
export function registerAgent(program: Command): void {
  const agent = program.command('agent').description('the process that keeps a person’s keys')
  agent
    .command('run')
    .description('run it until SIGTERM or SIGINT; prints one line of JSON when it is ready')
    .option('--home <dir>', 'folder of vault and token')
    .requiredOption('--node <url>', 'HTTP API of a node')
    .requiredOption('--rpc <url>', 'JSON-RPC endpoint of the chain')
    .requiredOption('--deployment <file>', 'addresses of the contracts, as the deploy script writes them')
    .option('--listen <address>', 'where to listen, on this computer', '127.0.0.1:0')
    .option('--auto-lock <seconds>', 'lock after so long without a command; 0 for never', readCount, 900)
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .action(run)
  withAgent(agent.command('status').description('what the agent is and where it stands')).action(status)
  withAgent(agent.command('unlock').description('open the vault'))
    .option('--passphrase-file <file>', 'file that holds the passphrase')
    .action(unlock)
  withAgent(agent.command('lock').description('shut the vault and forget its keys')).action(lock)
  withAgent(agent.command('passwd').description('change the passphrase'))
    .option('--passphrase-file <file>', 'file that holds the present passphrase')
    .option('--new-passphrase-file <file>', 'file that holds the new one')
    .action(passwd)
  withAgent(agent.command('devices').description('the devices that hold the keys')).action(devices)
  withAgent(agent.command('revoke-device <id>').description('trust a device no longer, and replace all keys')).action(
    revokeDevice
  )
}

async function run(options: RunOptions): Promise<void> {
  const { home = defaultHome(), node: nodeUrl, autoLock: autoLockS } = options
  const log = createLog({ name: 'agent', level: options.logLevel })
  const { host, port } = readListen(options.listen)
  const deployment = await loadDeployment(options.deployment)
  const provider = createProvider(options.rpc, deployment.chainId)
  try {
    const daemon = createDaemon(
      {
        p: nativePrimitives,
        random: length => new Uint8Array(randomBytes(length)),
        clock: () => Date.now(),
        stretch: nativeStretch,
        log,
        deployment,
        node: createNodeClient({ url: nodeUrl }),
        chain: createChainFacts(provider, deployment)
      },
      { home, host, port, autoLockS, nodeUrl, version: VERSION }
    )
    let noted: string | undefined
    await runUntilSignal(() => ({
      start: async () => {
        const ready = await daemon.start()
        noted = ready.url
        await register(ready.url, home)
        return { ...ready }
      },
      stop: async () => {
        if (noted != null) await unregister(noted)
        await daemon.stop()
      }
    }))
  } finally {
    provider.destroy()
  }
}

/** The keys of a person answer to that person's own computer, whatever its owner would like. */
function readListen(text: string): { host: string; port: number } {
  const [, host, port] = /^(127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})$/.exec(text) ?? []
  if (host == null || Number(port) > 65_535) {
    throw new SalusError('AGENT_LISTEN', '--listen takes 127.0.0.1:PORT: an agent answers on its own computer only.')
  }
  return { host: host.replaceAll(/[[\]]/g, ''), port: Number(port) }
}

async function status(options: AgentOptions): Promise<void> {
  const answer = await (await connect(options)).get<Record<string, unknown>>('/v1/status')
  print(
    options,
    answer,
    Object.entries(answer).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
  )
}

async function unlock(options: AgentOptions & PassphraseOptions): Promise<void> {
  const client = await connect(options)
  const answer = await client.post('/v1/unlock', { passphrase: await readPassphrase(options) })
  print(options, answer, 'The vault is open.')
}

async function lock(options: AgentOptions): Promise<void> {
  print(options, await (await connect(options)).post('/v1/lock'), 'The vault is shut.')
}

async function passwd(options: AgentOptions & PassphraseOptions & { newPassphraseFile?: string }): Promise<void> {
  const client = await connect(options)
  const before = await readPassphrase(options)
  const { newPassphraseFile: file } = options
  const after = await readNewPassphrase(file == null ? {} : { passphraseFile: file }, 'SALUS_NEW_PASSPHRASE')
  print(options, await client.post('/v1/passphrase', { before, after }), 'The passphrase is changed.')
}

async function devices(options: AgentOptions): Promise<void> {
  const answer = await (await connect(options)).get<{ devices: readonly DeviceView[] }>('/v1/devices')
  print(
    options,
    answer,
    answer.devices.map(
      each => `${each.id} ${each.name}${each.isThis ? ' (this one)' : ''}${each.revokedAtMs == null ? '' : ' revoked'}`
    )
  )
}

async function revokeDevice(id: string, options: AgentOptions): Promise<void> {
  const answer = await (await connect(options)).post(`/v1/devices/${encodeURIComponent(id)}/revoke`)
  print(options, answer, 'The device is revoked, and all keys are replaced.')
}
