/** Nodes as processes of their own on one chain, which can be killed and come back, and a patient whose entries are written at them. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { registrationCall } from '#core/agent/patient-registration.ts'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { encodeMessage } from '#core/network/envelope.ts'
import { dayOf } from '#core/record/day.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import type { NodeClient } from '#node/http/client.ts'
import type { Service } from '#scripts/process/service.ts'
import { deployContracts, startChain, startNode, startNodes, type StoryNode } from '#scripts/story/network.ts'
import { createDemoPatient, deadlineS, osRandom, type DemoPatient } from '#scripts/story/people.ts'
import { until } from '#scripts/story/until.ts'

/** How it shows that a node is dead, dying or not yet up. */
const AWAY = ['NODE_UNREACHABLE', 'NODE_TIMEOUT', 'NODE_ANSWER', 'CHAIN_NOT_STARTED', 'STORE_CLOSED']

/** A node that may be down at the moment. */
export interface SwarmNode {
  readonly index: number
  readonly client: NodeClient
  /** Peer id. */
  readonly peerId: string
  /** Where it listens, the same after every start. */
  readonly multiaddr: string
  readonly dataDir: string
  /** Peak of its memory so far, bytes, over all its lives. */
  peakBytes(): number
  /** Kills it without a word, or asks it to stop. */
  end(how: 'kill' | 'stop'): Promise<void>
  /** Starts it again in its folder; resolves when it is ready. */
  start(): Promise<void>
}

/** A chain, nodes and a patient. */
export interface Swarm {
  readonly nodes: readonly SwarmNode[]
  readonly network: Uint8Array
  readonly patient: DemoPatient
  readonly dataDir: string
  /** A new entry of the patient, as the message that a gateway or agent hands in. */
  entry(sizeBytes?: number): Uint8Array
  stop(): Promise<void>
}

/** How a swarm is set up. */
export interface SwarmInit {
  readonly nodes: number
  /** The address by which one node reaches another; the other's own unless told. */
  readonly addressOf?: (from: number, to: SwarmNode) => Promise<string>
  /** Further environment of a node. */
  readonly envOf?: (index: number) => Readonly<Record<string, string>>
  /** Further arguments of every node. */
  readonly args?: readonly string[]
}

/** Starts a swarm in a folder of its own. */
export async function startSwarm(init: SwarmInit): Promise<Swarm> {
  const dataDir = await mkdtemp(join(tmpdir(), 'salus-swarm-'))
  const stops: (() => Promise<unknown>)[] = [async () => rm(dataDir, { recursive: true, force: true })]
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each()
  }
  try {
    const chain = await startChain(dataDir)
    stops.push(async () => chain.service.stop())
    const { deployment, file } = await deployContracts(chain.rpcUrl, dataDir)
    const network = fromHex(deployment.networkId, 32)
    // One more node pays for the patient's registration and is gone when the others come.
    const first: StoryNode[] = []
    await startNodes(chain.rpcUrl, file, dataDir, first, [], ['registrar'])
    const patient = await createDemoPatient(deployment)
    const { signTypedData, keys, state } = patient
    const call = await registrationCall(state, keys, { target: deployment, deadlineS: deadlineS(), signTypedData })
    const { blockNumber } = (await first[0]?.client.relay(call)) ?? { blockNumber: 0 }
    await first[0]?.service.stop()

    const nodes: SwarmNode[] = []
    for (let index = 0; index < init.nodes; index++) {
      const peers = await Promise.all(nodes.map(async node => (await init.addressOf?.(index, node)) ?? node.multiaddr))
      const args = [
        ...['--rpc', chain.rpcUrl, '--deployment', file],
        ...peers.flatMap(peer => ['--peer', peer]),
        ...(init.args ?? [])
      ]
      const node = await createSwarmNode({ index, dataDir, args, env: init.envOf?.(index) ?? {} })
      nodes.push(node)
      stops.push(async () => node.end('stop'))
    }
    await until('all nodes know the patient', 60_000, async () => {
      const states = await Promise.all(nodes.map(async ({ client }) => client.status()))
      return states.every(({ chain: { blockNumber: at } }) => at >= blockNumber)
    })
    return {
      nodes,
      network,
      patient,
      dataDir,
      stop,
      entry(sizeBytes = 100) {
        const content = { type: 'text/plain', recordedAtMs: Date.now(), body: osRandom(sizeBytes) }
        const sealed = sealAsPatient(p, osRandom, patient, {
          compartment: 'vitals',
          day: dayOf(Date.now()),
          content
        })
        const { headerBytes: header, slotBytes: slot, blob } = sealed
        return encodeMessage({ kind: 'entry', network, header, slot, evidence: patient.evidence, blob })
      }
    }
  } catch (error) {
    await stop()
    throw error
  }
}

interface NodeSetUp {
  readonly index: number
  readonly dataDir: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

async function createSwarmNode({ index, dataDir, args, env }: NodeSetUp): Promise<SwarmNode> {
  const name = `node-${String(index)}`
  const folder = join(dataDir, name)
  const logFile = join(dataDir, 'logs', `${name}.log`)
  let ports = ['--listen', '/ip4/127.0.0.1/tcp/0', '--http', '0']
  let peakBytes = 0
  const start = async (): Promise<StoryNode> =>
    startNode(name, { dataDir: folder, args: [...args, ...ports], env }, logFile)
  const { multiaddr, httpUrl, client, service: born } = await start()
  const [address = '', peerId = ''] = multiaddr.split('/p2p/')
  // The same ports in every life, or nobody finds it again.
  ports = ['--listen', address, '--http', new URL(httpUrl).port]
  let service: Service | undefined = born

  function notePeak(): void {
    if (service != null) peakBytes = Math.max(peakBytes, peakOf(service.pid))
  }

  return {
    index,
    client,
    peerId,
    multiaddr,
    dataDir: folder,
    peakBytes() {
      notePeak()
      return peakBytes
    },
    async end(how) {
      notePeak()
      const ending = service
      service = undefined
      if (ending == null) return
      if (how === 'stop') await ending.stop()
      else process.kill(ending.pid, 'SIGKILL')
      await ending.ended
    },
    async start() {
      service = (await start()).service
    }
  }
}

/** Peak of the resident memory of a process, bytes; 0 where the system does not tell, or it is gone. */
function peakOf(pid: number): number {
  try {
    const [, kib = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8')) ?? []
    return Number(kib) * 1024
  } catch {
    return 0
  }
}

/**
 * Hands in a message until the node answers about it; undefined where it did not live to answer.
 *
 * @throws SalusError where the node refuses the message
 */
export async function handIn(client: NodeClient, message: Uint8Array): Promise<'stored' | 'known' | undefined> {
  for (;;) {
    try {
      return (await client.publish(message)).status
    } catch (error) {
      if (!(error instanceof SalusError)) throw error
      if (AWAY.includes(error.code)) return undefined
      if (error.code !== 'HTTP_RATE') throw error
      await pause(50)
    }
  }
}

/** Waits until all nodes have the same number of messages, and returns it. */
export async function settled(nodes: readonly SwarmNode[], atLeast: number, timeoutMs: number): Promise<number> {
  let counts: number[] = []
  await until(`all nodes have the same ${String(atLeast)} messages or more`, timeoutMs, async () => {
    counts = await Promise.all(nodes.map(async ({ client }) => (await client.status()).messages))
    return counts.every(count => count === counts[0] && count >= atLeast)
  })
  return counts[0] ?? 0
}
