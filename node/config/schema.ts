/** What an operator may tell a node: every value with its meaning, unit, default and range (docs/reference/node-config.md). */
import { z } from 'zod'
import { SCOPES } from '#node/auth/scopes.ts'

/** What is said of a value beside its type. */
interface About {
  readonly description: string
  /** Unit of a number. */
  readonly unit?: string
  /** A file or folder: a relative one lies beside the file that names it. */
  readonly isPath?: true
  /** Holds a secret: only its owner may read it. */
  readonly isSecret?: true
}

const about = <T extends z.ZodType>(schema: T, said: About): T => schema.meta({ ...said })

const whole = (min: number, max: number, standard: number, description: string, unit: string) =>
  about(z.int().min(min).max(max).default(standard), { description, unit })
const bound = (max: number, description: string, unit: string) =>
  about(z.int().min(1).max(max).nullable().default(null), { description, unit })
const yesNo = (standard: boolean, description: string) => about(z.boolean().default(standard), { description })
const file = (description: string, isSecret = false) =>
  about(z.string().min(1).max(4096).nullable().default(null), {
    description,
    isPath: true,
    ...(isSecret ? { isSecret } : {})
  })
const texts = (standard: string[], max: number, description: string) =>
  about(z.array(z.string().min(1).max(1024)).max(max).default(standard), { description })

const chain = z.strictObject({
  rpc: about(
    z
      .array(z.url({ protocol: /^https?$/ }))
      .min(1)
      .max(8)
      .default(['http://127.0.0.1:8545']),
    { description: 'JSON-RPC endpoints of the chain, the preferred one first.' }
  ),
  quorum: about(z.int().min(1).max(8).nullable().default(null), {
    description: 'Endpoints that must agree on a block; null means 2 where there are three or more, else 1.',
    unit: 'endpoints'
  }),
  rpcFile: file('File with further endpoints, one a line: for addresses that hold a key.', true),
  trustHeaders: yesNo(false, 'Believes blocks without proof: for chains whose block hashes are not Ethereum’s.'),
  proveAll: yesNo(false, 'Proves the logs of old blocks too, each; near the head they always are.'),
  confirmations: whole(0, 1_000, 0, 'Blocks on top of one before it counts.', 'blocks'),
  finality: about(
    z
      .string()
      .regex(/^(latest|safe|finalized|\d{1,6})$/)
      .nullable()
      .default(null),
    {
      description:
        'From when on a block counts: latest, safe, finalized or a number of blocks; instead of confirmations.'
    }
  ),
  pollMs: whole(50, 60_000, 500, 'Time between two looks at the chain.', 'ms'),
  timeoutMs: whole(1_000, 120_000, 15_000, 'Most time one question to an endpoint may take.', 'ms')
})

const network = z.strictObject({
  listen: texts(['/ip4/127.0.0.1/tcp/4001'], 16, 'Multiaddresses to listen on for peers; none means only to dial.'),
  peers: texts([], 256, 'Multiaddresses of peers to stay connected with.'),
  mdns: yesNo(false, 'Looks for peers on the local network by multicast.'),
  admission: about(z.enum(['open', 'private', 'consortium']).default('open'), {
    description: 'Who may connect: everyone, who has the network’s key, or the nodes of the chain’s registry.'
  }),
  keyFile: file('Key of a private network: 64 hexadecimal digits.', true),
  relay: about(z.enum(['off', 'client', 'server']).default('off'), {
    description: 'Whether it is reached through relays, or is one.'
  }),
  maxConnections: whole(1, 10_000, 300, 'Most connections with peers.', 'connections'),
  connectionsPerSecond: whole(1, 10_000, 50, 'New connections from one address.', '1/s'),
  syncIntervalMs: whole(100, 3_600_000, 30_000, 'Time between two rounds of catching up with peers.', 'ms')
})

const http = z.strictObject({
  host: about(z.string().min(1).max(255).default('127.0.0.1'), { description: 'Address the API listens on.' }),
  port: whole(0, 65_535, 8787, 'Port of the API; 0 lets the system choose.', 'port'),
  publicUrl: about(
    z
      .url({ protocol: /^https?$/ })
      .nullable()
      .default(null),
    { description: 'Address under which others reach the API; operators sign in for it.' }
  ),
  corsOrigins: about(
    z
      .array(z.string().regex(/^https?:\/\/[^/\s*]+$/))
      .max(64)
      .default([]),
    { description: 'Origins of web pages that may use the whole API; others may read what is public.' }
  ),
  trustedProxies: texts([], 16, 'Addresses of reverse proxies whose X-Forwarded-For is believed.'),
  requestsPerSecond: whole(1, 100_000, 200, 'Requests of one address, or of one token.', '1/s'),
  requestsAtOnce: whole(1, 1_000_000, 1_000, 'Requests of one address, or of one token, in a burst.', 'requests'),
  relaysPerSecond: whole(1, 10_000, 20, 'Relayed requests of one address.', '1/s'),
  relaysAtOnce: whole(1, 100_000, 200, 'Relayed requests of one address in a burst.', 'requests'),
  maxConnections: whole(1, 65_536, 1_024, 'Most connections at once.', 'connections')
})

const operator = z.strictObject({
  address: z.string().regex(/^0x[0-9a-fA-F]{40}$/, 'expected an address of 0x and 40 hexadecimal digits'),
  scopes: z.array(z.enum(SCOPES)).min(1),
  isContract: z.boolean().default(false)
})

const auth = z.strictObject({
  operators: about(z.array(operator).max(64).default([]), {
    description:
      'Accounts that may sign in, and what for: {"address", "scopes"}; "isContract": true for a contract account, for which the endpoint of the chain is believed.'
  }),
  tokenLifetimeS: whole(60, 604_800, 43_200, 'Longest life of a token that may change something.', 's'),
  readTokenLifetimeS: whole(60, 31_622_400, 7_776_000, 'Longest life of a token that may only read.', 's')
})

const events = z.strictObject({
  replayEvents: whole(0, 100_000, 1_000, 'Events kept for readers that come back.', 'events'),
  maxReaders: whole(0, 10_000, 256, 'Most readers at once.', 'readers')
})

const metrics = z.strictObject({
  isPublic: yesNo(false, 'Answers /metrics to everyone instead of to tokens with the scope metrics.')
})

const relayer = z.strictObject({
  keyFile: file('Private key of the account that pays for relayed requests; without one the node relays none.', true),
  maxPending: whole(1, 10_000, 64, 'Most relayed requests under way at once.', 'requests'),
  maxGas: whole(21_000, 16_777_216, 1_500_000, 'Most gas of one relayed request.', 'gas'),
  gasPerSecond: whole(1, 1_000_000_000, 200_000, 'Gas of one address.', 'gas/s'),
  gasAtOnce: whole(21_000, 1_000_000_000, 30_000_000, 'Gas of one address in a burst.', 'gas'),
  maxFeeGwei: whole(1, 1_000_000, 500, 'Most it pays for a unit of gas.', 'gwei'),
  stuckMs: whole(1_000, 3_600_000, 30_000, 'Time after which a transaction in no block is sent again for more.', 'ms'),
  dayBudgetGwei: bound(1e15, 'Most it spends a day; null for no bound.', 'gwei'),
  addressDayBudgetGwei: bound(1e15, 'Most it spends a day for one address; null for no bound.', 'gwei'),
  contractDayBudgetGwei: bound(1e15, 'Most it spends a day on one contract; null for no bound.', 'gwei'),
  lowBalanceGwei: whole(0, 1e15, 50_000_000, 'Balance below which it says that it is low.', 'gwei'),
  reserveGwei: whole(0, 1e15, 0, 'Balance that is left for the node’s own requests.', 'gwei')
})

const store = z.strictObject({
  reserveMib: whole(1, 1_000_000, 64, 'Room on the disk that records leave to everything else.', 'MiB'),
  backupDir: file('Folder of backups that are asked for over the API.'),
  backupWarnHours: whole(
    1,
    8_760,
    48,
    'Age of the newest backup from which the node warns, where backupDir is set.',
    'h'
  ),
  scrubMibPerSecond: whole(1, 10_000, 32, 'Most that a scrub reads.', 'MiB/s')
})

const placement = z.strictObject({
  pledgedMib: bound(1e9, 'Room for blobs of others; null keeps every blob.', 'MiB'),
  patientMib: bound(1e9, 'Room for one patient’s blobs; null means a tenth of the pledge.', 'MiB'),
  replicas: whole(1, 16, 3, 'Replicas of each blob; the same at every node of a network.', 'replicas'),
  operator: about(z.string().max(64).default(''), {
    description: 'Who runs the node: replicas go to several operators.'
  }),
  region: about(z.string().max(64).default(''), { description: 'Where the node stands.' })
})

const custody = z.strictObject({
  enabled: yesNo(false, 'Keeps key shares for patients, releases them after their rules, and writes receipts.'),
  finalityS: whole(0, 604_800, 900, 'Age from which a claim’s block counts as final.', 's'),
  auditorFile: file('Key bundle of the auditor who can read every receipt.')
})

const log = z.strictObject({
  level: about(z.enum(['debug', 'info', 'warn', 'error']).default('info'), { description: 'What is worth a line.' })
})

const section = <T extends z.ZodObject>(schema: T, description: string) =>
  about(schema.prefault({} as never), { description })

/** The whole configuration. */
export const nodeConfig = z.strictObject({
  dataDir: about(z.string().min(1).max(4096).default('data'), {
    description: 'Folder of everything the node keeps; one process may use it.',
    isPath: true
  }),
  deployment: about(z.string().min(1).max(4096).default('deployment.json'), {
    description: 'File with the addresses of the contracts, as the deploy script writes it.',
    isPath: true
  }),
  chain: section(chain, 'Following the chain.'),
  network: section(network, 'Peers.'),
  http: section(http, 'The HTTP API.'),
  auth: section(auth, 'Who operates the node from elsewhere.'),
  events: section(events, 'Server-sent events.'),
  metrics: section(metrics, 'Metrics for Prometheus.'),
  relayer: section(relayer, 'Paying for signed requests.'),
  store: section(store, 'What is kept on the disk.'),
  placement: section(placement, 'Keeping a part of the blobs, in a network of many nodes.'),
  custody: section(custody, 'Keeping key shares.'),
  log: section(log, 'The log on standard error.')
})

/** See {@link nodeConfig}. */
export type NodeConfig = z.infer<typeof nodeConfig>
