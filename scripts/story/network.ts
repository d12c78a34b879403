import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { JsonRpcProvider, NonceManager, Wallet } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'
import { createNodeClient, type NodeClient } from '#node/http/client.ts'
import { createLog } from '#node/log.ts'
import { deployAll } from '#scripts/deploy/deploy.ts'
import { startService, type Service } from '#scripts/process/service.ts'
import { until } from '#scripts/story/until.ts'

/** Accounts 1 to 4 of the development chain's well-known mnemonic; worthless anywhere else. */
const DEV_KEYS = [
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
  '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a',
  '0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6',
  '0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a'
] as const

/** A running chain. */
export interface StoryChain {
  readonly rpcUrl: string
  readonly service: Service
}

/** A running node with its client. */
export interface StoryNode {
  readonly name: string
  readonly service: Service
  readonly client: NodeClient
  readonly httpUrl: string
  readonly multiaddr: string
  readonly dataDir: string
  /** The arguments it was started with, to start it again. */
  readonly args: readonly string[]
}

/** Reads a text field of a ready line. */
function textOf(service: Service, field: string): string {
  const value = service.ready[field]
  if (typeof value !== 'string') throw new Error(`${service.name} named no ${field} when it was ready`)
  return value
}

/** Starts the development chain as a process of its own. */
export async function startChain(dataDir: string): Promise<StoryChain> {
  const service = await startService({
    name: 'chain',
    args: ['chain', 'run', '--data', join(dataDir, 'chain'), '--port', '0'],
    logFile: join(dataDir, 'logs', 'chain.log')
  })
  return { rpcUrl: textOf(service, 'rpcUrl'), service }
}

/** Deploys the contracts and keeps their addresses in a file beside the data. */
export async function deployContracts(
  rpcUrl: string,
  dataDir: string
): Promise<{ deployment: Deployment; file: string }> {
  const provider = new JsonRpcProvider(rpcUrl, undefined, { pollingInterval: 250 })
  try {
    const signer = new NonceManager(new Wallet(DEV_KEYS[0], provider))
    const deployment = await deployAll({ provider, signer, log: createLog({ name: 'deploy', level: 'silent' }) })
    const file = join(dataDir, 'deployment.json')
    writeFileSync(file, JSON.stringify(deployment, null, 2))
    return { deployment, file }
  } finally {
    provider.destroy()
  }
}

/** Starts one node. */
export async function startNode(
  name: string,
  {
    dataDir,
    args,
    env = {}
  }: { readonly dataDir: string; readonly args: readonly string[]; readonly env?: Readonly<Record<string, string>> },
  logFile: string
): Promise<StoryNode> {
  const service = await startService({ name, args: ['node', 'run', '--data', dataDir, ...args], logFile, env })
  const multiaddrs = service.ready['multiaddrs']
  const [multiaddr] = Array.isArray(multiaddrs) ? (multiaddrs as string[]) : []
  if (multiaddr == null) throw new Error(`${name} listens nowhere`)
  const httpUrl = textOf(service, 'http')
  return { name, service, client: createNodeClient({ url: httpUrl }), httpUrl, multiaddr, dataDir, args }
}

/** The story's nodes. */
const NAMES: readonly string[] = ['hospital', 'laboratory', 'volunteer']

/** Starts some nodes, three unless told, each with a relayer of its own and told of the ones before it, and adds them to `nodes`. */
export async function startNodes(
  rpcUrl: string,
  deploymentFile: string,
  dataDir: string,
  nodes: StoryNode[],
  more: readonly string[] = [],
  names: readonly string[] = NAMES
): Promise<void> {
  for (const [index, name] of names.entries()) {
    const keyFile = join(dataDir, `relayer-${name}.key`)
    writeFileSync(keyFile, DEV_KEYS[index + 1] ?? '', { mode: 0o600 })
    const peers = nodes.flatMap(node => ['--peer', node.multiaddr])
    const args = [
      ...['--rpc', rpcUrl, '--deployment', deploymentFile, '--relayer-key-file', keyFile],
      ...['--listen', '/ip4/127.0.0.1/tcp/0', '--http', '0', ...peers, ...more]
    ]
    nodes.push(await startNode(name, { dataDir: join(dataDir, name), args }, join(dataDir, 'logs', `${name}.log`)))
  }
  await until('every node sees the two others', 30_000, async () => {
    const states = await Promise.all(nodes.map(node => node.client.status()))
    return states.every(state => state.peers >= nodes.length - 1)
  })
}

/** Waits until every node follows the chain to at least a block. */
export async function followedTo(nodes: readonly StoryNode[], blockNumber: number): Promise<void> {
  await until(`every node has followed the chain to block ${String(blockNumber)}`, 30_000, async () => {
    const states = await Promise.all(nodes.map(node => node.client.status()))
    return states.every(state => state.chain.blockNumber >= blockNumber)
  })
}
