/** What sharing is measured on: a chain and three nodes, each a process of its own, and people whose agents run in this process. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { JsonRpcProvider } from 'ethers'
import { createChainFacts, type ChainFacts } from '#agent/chain/chain-facts.ts'
import { relay } from '#agent/network/record.ts'
import { registrationCall } from '#core/agent/patient-registration.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { deployContracts, startChain, startNodes, type StoryChain, type StoryNode } from '#scripts/story/network.ts'
import { createDemoPatient, deadlineS, type DemoPatient } from '#scripts/story/people.ts'

/** How often whatever is waited for is looked at: what a figure of waiting may be too long by. */
const LOOK_MS = 20
const GIVE_UP_MS = 60_000

/** A running network. */
export interface BenchWorld {
  readonly deployment: Deployment
  readonly facts: ChainFacts
  readonly provider: JsonRpcProvider
  /** The patient's node first, the clinician's last. */
  readonly nodes: readonly StoryNode[]
  stop(): Promise<void>
}

/** Starts everything; takes some seconds. */
export async function startBenchWorld(): Promise<BenchWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'salus-bench-grants-'))
  const nodes: StoryNode[] = []
  let chain: StoryChain | undefined
  let provider: JsonRpcProvider | undefined
  const stop = async (): Promise<void> => {
    provider?.destroy()
    await Promise.all(nodes.map(async ({ service }) => service.stop()))
    await chain?.service.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    chain = await startChain(folder)
    const { deployment, file } = await deployContracts(chain.rpcUrl, folder)
    await startNodes(chain.rpcUrl, file, folder, nodes)
    provider = createProvider(chain.rpcUrl, deployment.chainId)
    return { deployment, facts: createChainFacts(provider, deployment), provider, nodes, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The patient's node and the clinician's. */
export function endsOf({ nodes }: BenchWorld): { readonly near: StoryNode; readonly far: StoryNode } {
  const [near, far] = [nodes[0], nodes.at(-1)]
  if (near == null || far == null) throw new Error('the network has nodes')
  return { near, far }
}

/** A patient whose registration every node has seen. */
export async function registeredPatient(world: BenchWorld): Promise<DemoPatient> {
  const patient = await createDemoPatient(world.deployment)
  const { state, keys, signTypedData } = patient
  const call = await registrationCall(state, keys, {
    target: world.deployment,
    deadlineS: deadlineS(),
    signTypedData
  })
  await followed(world.nodes, await relay(endsOf(world).near.client, call))
  return patient
}

/** Waits until nodes have followed the chain to a block. */
export async function followed(nodes: readonly StoryNode[], blockNumber: number): Promise<void> {
  await Promise.all(
    nodes.map(({ client }) => lookUntil(async () => (await client.status()).chain.blockNumber >= blockNumber))
  )
}

/** Milliseconds from a transaction that does nothing, sent to the chain itself, until nodes have followed its block. */
export async function bareTransaction({ provider, nodes }: BenchWorld): Promise<number> {
  const [from] = (await provider.send('eth_accounts', [])) as string[]
  const begun = performance.now()
  const hash = (await provider.send('eth_sendTransaction', [{ from, to: from }])) as string
  let blockNumber = Number.NaN
  await lookUntil(async () => {
    const receipt = (await provider.send('eth_getTransactionReceipt', [hash])) as { blockNumber: string } | null
    blockNumber = Number(receipt?.blockNumber)
    return receipt != null
  })
  await followed(nodes, blockNumber)
  return performance.now() - begun
}

/**
 * Looks again and again until something holds.
 *
 * @throws Error after a minute
 */
export async function lookUntil(holds: () => Promise<boolean>): Promise<void> {
  const begun = performance.now()
  while (!(await holds())) {
    if (performance.now() - begun > GIVE_UP_MS) throw new Error('what is measured did not happen within a minute')
    await pause(LOOK_MS)
  }
}
