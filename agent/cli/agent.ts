/** `salus agent`: the process that keeps a person's keys, and the commands that open and shut it. */
import type { Command } from 'commander'
import { connect, print, withAgent } from '#agent/cli/command.ts'
import { addNotifications } from '#agent/cli/glass.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import type { RunOptions } from '#agent/cli/run.ts'
import { readNewPassphrase, readPassphrase, type PassphraseOptions } from '#agent/cli/passphrase.ts'
import { readCount } from '#node/cli/options.ts'

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
    .option('--replica <urls...>', 'other nodes, which are watched until they refuse what was revoked')
    .requiredOption('--rpc <url>', 'JSON-RPC endpoint of the chain')
    .requiredOption('--deployment <file>', 'addresses of the contracts, as the deploy script writes them')
    .option('--listen <address>', 'where to listen, on this computer', '127.0.0.1:0')
    .option('--share-listen <address>', 'where to serve links to everybody; put HTTPS before it')
    .option('--share-url <url>', 'the address by which others reach it')
    .option('--auto-lock <seconds>', 'lock after so long without a command; 0 for never', readCount, 900)
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    // Loaded only here: the other commands are quick without servers and chains.
    .action(async (options: RunOptions) => (await import('#agent/cli/run.ts')).runAgent(options))
  addNotifications(agent)
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
