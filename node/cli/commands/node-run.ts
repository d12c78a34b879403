/** `salus node run`: a full node as a process. */
import type { Command } from 'commander'
import { readConfig, withConfigOptions, type ConfigOptions } from '#node/cli/node-options.ts'
import { readCount } from '#node/cli/options.ts'

interface RunOptions extends ConfigOptions {
  readonly rpc?: readonly string[]
  readonly rpcQuorum?: number
  readonly trustHeaders?: boolean
  readonly prove?: boolean
  readonly finality?: string
  readonly deployment?: string
  readonly listen?: readonly string[]
  readonly peer?: readonly string[]
  readonly http?: number
  readonly httpHost?: string
  readonly relayerKeyFile?: string
  readonly confirmations?: number
  readonly custodian?: boolean
  readonly custodyFinality?: number
  readonly auditor?: string
  readonly mdns?: boolean
  readonly admission?: string
  readonly networkKeyFile?: string
  readonly relay?: string
  readonly logLevel?: string
}

/** Without a file nothing is promised to be found at a fixed place. */
const WITHOUT_FILE = { network: { listen: ['/ip4/127.0.0.1/tcp/0'] }, http: { port: 0 } }

/** Adds the command. */
export function addNodeRun(node: Command): void {
  withConfigOptions(
    node
      .command('run')
      .description('run it until SIGTERM or SIGINT; prints one line of JSON when it is ready')
      .addHelpText('after', '\nEvery option stands for a value of the configuration: docs/reference/node-config.md.')
  )
    .option('--rpc <urls...>', 'JSON-RPC endpoints of the chain, in order of preference')
    .option('--rpc-quorum <n>', 'endpoints that must agree on a block; 2 of three or more, else 1', readCount)
    .option('--trust-headers', 'believe blocks without proof: for chains whose hashes are not Ethereum’s')
    .option('--prove', 'prove the logs of old blocks too, each')
    .option('--deployment <file>', 'addresses of the contracts, as the deploy script writes them')
    .option('--listen <multiaddrs...>', 'where to listen for peers')
    .option('--peer <multiaddrs...>', 'peers to stay connected with')
    .option('--http <port>', 'port of the HTTP API, 0 for any', readCount)
    .option('--http-host <address>', 'address of the HTTP API')
    .option('--relayer-key-file <file>', 'private key of the account that pays for relayed requests')
    .option('--confirmations <n>', 'blocks on top of one before it counts', readCount)
    .option('--finality <level>', 'latest, safe, finalized or a number of blocks, instead of --confirmations')
    .option('--custodian', 'keep key shares for patients, release them after their rules, and write receipts')
    .option('--custody-finality <seconds>', 'age from which a claim’s block counts as final', readCount)
    .option('--auditor <file>', 'key bundle of the auditor who can read every receipt')
    .option('--mdns', 'look for peers on the local network')
    .option('--admission <mode>', 'who may connect: open, private or consortium')
    .option('--network-key-file <file>', 'key of the private network, 64 hexadecimal digits, mode 0600')
    .option('--relay <mode>', 'reached through relays, or one: off, client or server')
    .option('--log-level <level>', 'debug, info, warn or error')
    .action(run)
}

async function run(options: RunOptions): Promise<void> {
  const config = await readConfig(options, flagsOf(options), WITHOUT_FILE)
  // Only this command needs the network's libraries, which take a second to load.
  const { runNode } = await import('#node/cli/run-node.ts')
  await runNode(config)
}

function flagsOf(options: RunOptions): Record<string, unknown> {
  return {
    deployment: options.deployment,
    'chain.rpc': options.rpc,
    'chain.quorum': options.rpcQuorum,
    'chain.trustHeaders': options.trustHeaders,
    'chain.proveAll': options.prove,
    'chain.finality': options.finality,
    'chain.confirmations': options.confirmations,
    'network.listen': options.listen,
    'network.peers': options.peer,
    'network.mdns': options.mdns,
    'network.admission': options.admission,
    'network.keyFile': options.networkKeyFile,
    'network.relay': options.relay,
    'http.port': options.http,
    'http.host': options.httpHost,
    'relayer.keyFile': options.relayerKeyFile,
    'custody.enabled': options.custodian,
    'custody.finalityS': options.custodyFinality,
    'custody.auditorFile': options.auditor,
    'log.level': options.logLevel
  }
}
