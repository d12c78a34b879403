/** `salus node`: a full node as a process. */
import type { Command } from 'commander'
import type { Hex } from '#core/chain/events.ts'
import { readFinalityLevel } from '#core/chain/finality.ts'
import { SalusError } from '#core/error.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'
import { readCount } from '#node/cli/options.ts'
import { addRelayerOptions, relayerInit, type RelayerOptions } from '#node/cli/relayer-options.ts'
import { runUntilSignal } from '#node/cli/signals.ts'
import { listReleases } from '#node/chain/chain-index.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { loadDeployment } from '#node/chain/deployment-file.ts'
import { createEndpoints } from '#node/chain/endpoints.ts'
import type { FollowerInit } from '#node/chain/follower.ts'
import { createHttpTransport } from '#node/chain/http-rpc.ts'
import { readKeyFile } from '#node/firmware/keys.ts'
import { createReplicator } from '#node/firmware/replicate.ts'
import type { CustodyInit } from '#node/custody/custody.ts'
import { createLog } from '#node/log.ts'
import { readIfThere } from '#node/store/durable-file.ts'
import { createNode, type LiveService, type NodeContext } from '#node/node.ts'
import { VERSION } from '#node/version.ts'

interface RunOptions extends RelayerOptions {
  readonly data: string
  readonly rpc: readonly string[]
  readonly rpcQuorum?: number
  readonly trustHeaders: boolean
  readonly finality?: string
  readonly prove: boolean
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
  const command = program
    .command('node')
    .description('a full node: stores, replicates, serves, relays; sees only ciphertext')
    .command('run')
    .description('run it until SIGTERM or SIGINT; prints one line of JSON when it is ready')
    .requiredOption('--data <dir>', 'folder of its data')
    .requiredOption('--rpc <urls...>', 'JSON-RPC endpoints of the chain, in order of preference')
    .requiredOption('--deployment <file>', 'addresses of the contracts, as the deploy script writes them')
    .option('--listen <multiaddrs...>', 'where to listen for peers', ['/ip4/127.0.0.1/tcp/0'])
    .option('--peer <multiaddrs...>', 'peers to stay connected with', [])
    .option('--http <port>', 'port of the HTTP API, 0 for any', readCount, 0)
    .option('--http-host <address>', 'address of the HTTP API', '127.0.0.1')
    .option('--relayer-key-file <file>', 'private key of the account that pays for relayed requests')
    .option('--rpc-quorum <n>', 'endpoints that must agree on a block; 2 of three or more, else 1', readCount)
    .option('--trust-headers', 'believe blocks without proof: for chains whose hashes are not Ethereum’s', false)
    .option('--prove', 'prove the logs of old blocks too, each', false)
    .option('--confirmations <n>', 'blocks on top of one before it counts', readCount, 0)
    .option('--finality <level>', 'latest, safe, finalized or a number of blocks, instead of --confirmations')
    .option('--custodian', 'keep key shares for patients, release them after their rules, and write receipts', false)
    .option('--custody-finality <seconds>', 'age from which a claim’s block counts as final', readCount, 900)
    .option('--auditor <file>', 'key bundle of the auditor who can read every receipt')
    .option('--mdns', 'look for peers on the local network', false)
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
  addRelayerOptions(command).action(run)
}

async function run(options: RunOptions): Promise<void> {
  const log = createLog({ name: 'node', level: options.logLevel })
  const deployment = await loadDeployment(options.deployment)
  const transports = options.rpc.map(url => createHttpTransport(url))
  const endpoints = createEndpoints({ transports, clock: Date.now, log })
  const provider = createProvider(endpoints, deployment.chainId)
  try {
    const { relayerKeyFile } = options
    const wallet = relayerKeyFile == null ? {} : { wallet: (await readKeyFile(relayerKeyFile)).connect(provider) }
    const node = createNode(
      { provider, endpoints, deployment, log, ...wallet },
      {
        dataDir: options.data,
        host: { listen: options.listen, peers: options.peer, mdns: options.mdns },
        http: { host: options.httpHost, port: options.http },
        follower: followerInit(options),
        relayer: relayerInit(options),
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

function followerInit(options: RunOptions): FollowerInit {
  const { confirmations, finality, rpcQuorum, trustHeaders, prove, rpc } = options
  if (rpcQuorum != null && (rpcQuorum < 1 || rpcQuorum > rpc.length)) {
    throw new SalusError('CHAIN_QUORUM_SIZE', 'As many endpoints cannot agree: name more with --rpc, or ask for fewer.')
  }
  return {
    ...{ confirmations, trustHeaders, proveAll: prove },
    ...(finality == null ? {} : { finality: readFinalityLevel(finality) }),
    ...(rpcQuorum == null ? {} : { quorum: rpcQuorum })
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
function firmwareReplication({ db, host, blockstore, follower, deployment, log }: NodeContext): LiveService {
  const { chainId, contracts } = deployment
  const registry = { chainId, registry: contracts.FirmwareRegistry.address.toLowerCase() as Hex }
  const replicator = createReplicator({ db, host, blockstore, log, registry, releases: () => listReleases(db) })
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
