/** `salus node`: a full node as a process. */
import type { Command } from 'commander'
import type { Hex } from '#core/chain/events.ts'
import { SalusError } from '#core/error.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'
import { readCount } from '#node/cli/options.ts'
import { runUntilSignal } from '#node/cli/signals.ts'
import { listReleases } from '#node/chain/chain-index.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { loadDeployment } from '#node/chain/deployment-file.ts'
import { readKeyFile } from '#node/firmware/keys.ts'
import { createReplicator } from '#node/firmware/replicate.ts'
import type { CustodyInit } from '#node/custody/custody.ts'
import { createLog } from '#node/log.ts'
import { readIfThere } from '#node/store/durable-file.ts'
import { createNode, type LiveService, type NodeContext } from '#node/node.ts'
import { VERSION } from '#node/version.ts'

interface RunOptions {
  readonly data: string
  readonly rpc: string
  readonly deployment: string
  readonly listen: readonly string[]
  readonly peer: readonly string[]
  readonly http: number
  readonly httpHost: string
  readonly relayerKeyFile?: string
  readonly confirmations: number
  readonly custodian: boolean
  readonly custodyFinality: number
  readonly auditor?: string
  readonly mdns: boolean
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}

/** Adds the commands. */
export function registerNode(program: Command): void {
  program
    .command('node')
    .description('a full node: stores, replicates, serves, relays; sees only ciphertext')
    .command('run')
    .description('run it until SIGTERM or SIGINT; prints one line of JSON when it is ready')
    .requiredOption('--data <dir>', 'folder of its data')
    .requiredOption('--rpc <url>', 'JSON-RPC endpoint of the chain')
    .requiredOption('--deployment <file>', 'addresses of the contracts, as the deploy script writes them')
    .option('--listen <multiaddrs...>', 'where to listen for peers', ['/ip4/127.0.0.1/tcp/0'])
    .option('--peer <multiaddrs...>', 'peers to stay connected with', [])
    .option('--http <port>', 'port of the HTTP API, 0 for any', readCount, 0)
    .option('--http-host <address>', 'address of the HTTP API', '127.0.0.1')
    .option('--relayer-key-file <file>', 'private key of the account that pays for relayed requests')
    .option('--confirmations <n>', 'blocks on top of one before it counts', readCount, 0)
    .option('--custodian', 'keep key shares for patients, release them after their rules, and write receipts', false)
    .option('--custody-finality <seconds>', 'age from which a claim’s block counts as final', readCount, 900)
    .option('--auditor <file>', 'key bundle of the auditor who can read every receipt')
    .option('--mdns', 'look for peers on the local network', false)
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .action(run)
}

async function run(options: RunOptions): Promise<void> {
  const log = createLog({ name: 'node', level: options.logLevel })
  const deployment = await loadDeployment(options.deployment)
  const provider = createProvider(options.rpc, deployment.chainId)
  try {
    const { relayerKeyFile } = options
    const wallet = relayerKeyFile == null ? {} : { wallet: (await readKeyFile(relayerKeyFile)).connect(provider) }
    const node = createNode(
      { provider, deployment, log, ...wallet },
      {
        dataDir: options.data,
        host: { listen: options.listen, peers: options.peer, mdns: options.mdns },
        http: { host: options.httpHost, port: options.http },
        follower: { confirmations: options.confirmations },
        ...(options.custodian ? { custody: await custodyInit(options) } : {}),
        services: context => [firmwareReplication(context)],
        version: VERSION
      }
    )
    await runUntilSignal(() => ({ start: async () => ({ ...(await node.start()) }), stop: async () => node.stop() }))
  } finally {
    provider.destroy()
  }
}

async function custodyInit({ custodyFinality: finalityS, auditor }: RunOptions): Promise<CustodyInit> {
  if (auditor == null) return { finalityS }
  const bundle = await readIfThere(auditor)
  if (bundle == null) throw new SalusError('AUDITOR_FILE', `There is no key bundle in ${auditor}.`)
  decodeKeyBundle(bundle)
  return { finalityS, auditor: bundle }
}

/** Keeps the images of live releases, and looks again when the chain says something about firmware. */
function firmwareReplication({ db, host, exchange, blockstore, follower, deployment, log }: NodeContext): LiveService {
  const { chainId, contracts } = deployment
  const registry = { chainId, registry: contracts.FirmwareRegistry.address.toLowerCase() as Hex }
  const releases = (): ReturnType<typeof listReleases> => listReleases(db)
  const replicator = createReplicator({ db, host, exchange, blockstore, log, registry, releases })
  let unhear: (() => void) | undefined
  return {
    start() {
      unhear = follower.onBlock(({ events }) => {
        if (events.length > 0) replicator.nudge()
      })
      replicator.start()
    },
    async stop() {
      unhear?.()
      await replicator.stop()
    }
  }
}
