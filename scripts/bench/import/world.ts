/** A chain, a node, and agents, as processes of their own. */
import { createHash, randomBytes, type Hash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createAgentClient, type AgentClient } from '#agent/cli/client.ts'
import { startService, type Service } from '#scripts/process/service.ts'
import { deployContracts, startChain, startNodes, type StoryNode } from '#scripts/story/network.ts'

const LOOK_MS = 50

/** One person's agent. */
export interface BenchAgent {
  /** Imports a source to its end; gives how many entries it became, and how long that took. */
  take(source: AsyncIterable<Uint8Array>): Promise<{ readonly entries: number; readonly seconds: number }>
  /** Makes the one import again; gives its digest, and how long that took. */
  give(): Promise<{ readonly digest: string; readonly seconds: number }>
  /** Most memory that the process has had, in MiB; undefined where the system does not tell. */
  peakMib(): Promise<number | undefined>
  stop(): Promise<void>
}

/** Where agents live. */
export interface BenchWorld {
  agent(): Promise<BenchAgent>
  stop(): Promise<void>
}

/** Starts a chain and the story's three nodes. */
export async function startWorld(): Promise<BenchWorld> {
  const dir = await mkdtemp(join(tmpdir(), 'salus-bench-import-'))
  const chain = await startChain(dir)
  const { file } = await deployContracts(chain.rpcUrl, dir)
  const nodes: StoryNode[] = []
  await startNodes(chain.rpcUrl, file, dir, nodes)
  let count = 0
  return {
    async agent() {
      const home = join(dir, `agent-${String(++count)}`)
      const service = await startService({
        name: 'agent',
        args: [
          ...['agent', 'run', '--home', home, '--node', nodes[0]?.httpUrl ?? '', '--rpc', chain.rpcUrl],
          ...['--deployment', file, '--auto-lock', '0']
        ],
        logFile: join(dir, 'logs', `agent-${String(count)}.log`)
      })
      const url = String(service.ready['url'])
      const client = createAgentClient({ url, token: await readFile(join(home, 'token'), 'utf8') })
      await client.post('/v1/vault', { passphrase: randomBytes(16).toString('hex'), deviceName: 'bench' })
      await client.post('/v1/patient', {})
      return agentOf(service, client)
    },
    async stop() {
      await Promise.all(nodes.map(async each => each.service.stop()))
      await chain.service.stop()
      await rm(dir, { recursive: true, force: true })
    }
  }
}

/** Digests what passes. */
export async function* digested(source: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    hash.update(piece)
    yield piece
  }
}

function agentOf(service: Service, client: AgentClient): BenchAgent {
  return {
    async take(source) {
      const begun = performance.now()
      const { id } = await client.upload<{ id: string }>('/v1/patient/imports', source)
      for (;;) {
        const now = await client.get<{ state: string; code: string | null; done: number }>(`/v1/patient/imports/${id}`)
        if (now.state === 'done') return { entries: now.done, seconds: (performance.now() - begun) / 1000 }
        if (now.state === 'refused') throw new Error(`the import was refused: ${now.code ?? ''}`)
        await pause(LOOK_MS)
      }
    },
    async give() {
      const begun = performance.now()
      const { originals } = await client.get<{ originals: { entry: string }[] }>('/v1/patient/originals')
      const hash = createHash('sha256')
      for await (const piece of client.download(`/v1/patient/originals/${originals[0]?.entry ?? ''}/body`)) {
        hash.update(piece)
      }
      return { digest: hash.digest('hex'), seconds: (performance.now() - begun) / 1000 }
    },
    async peakMib() {
      const status = await readFile(`/proc/${String(service.pid)}/status`, 'utf8').catch(() => '')
      const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
      return kib == null ? undefined : Number(kib) / 1024
    },
    stop: async () => service.stop()
  }
}
