import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Deployment } from '#core/chain/deployment.ts'
import { createAgentClient, type AgentClient } from '#agent/cli/client.ts'
import { runCommand, startService, type CommandOutcome, type Service } from '#scripts/process/service.ts'
import { deployContracts, startChain, startNodes, type StoryChain, type StoryNode } from '#scripts/story/network.ts'

/** The passphrase of everybody's vault. */
export const PASSPHRASE = 'correct horse battery staple'

/** A person's agent, as a process. */
export interface AgentProcess {
  readonly service: Service
  readonly home: string
  readonly url: string
  /** What commands speak to it with. */
  readonly client: AgentClient
  /** Runs a command that has to succeed, and gives what it printed. */
  run(...args: string[]): Promise<Record<string, unknown>>
  /** Runs a command that may fail. */
  attempt(...args: string[]): Promise<CommandOutcome>
  stop(): Promise<void>
}

/** How an agent is to be started. */
export interface AgentOptions {
  readonly node?: number
  /** In place of that node’s. */
  readonly nodeUrl?: string
  /** In place of the chain’s. */
  readonly rpcUrl?: string
  readonly args?: readonly string[]
}

/** A chain, three nodes, and agents where asked for: processes all of them. */
export interface AgentWorld {
  readonly dir: string
  readonly passphraseFile: string
  readonly chain: StoryChain
  readonly nodes: readonly StoryNode[]
  readonly deployment: Deployment
  /** Starts an agent in a folder of that name, at one of the nodes. */
  agent(name: string, options?: AgentOptions): Promise<AgentProcess>
  /** A file in the world's folder. */
  file(name: string, content: string | Uint8Array): Promise<string>
  stop(): Promise<void>
}

/** Starts everything; takes some seconds. */
export async function createAgentWorld({ nodeArgs = [] }: { nodeArgs?: readonly string[] } = {}): Promise<AgentWorld> {
  const dir = await mkdtemp(join(tmpdir(), 'salus-agent-'))
  const chain = await startChain(dir)
  const { deployment, file: deploymentFile } = await deployContracts(chain.rpcUrl, dir)
  const nodes: StoryNode[] = []
  await startNodes(chain.rpcUrl, deploymentFile, dir, nodes, nodeArgs)
  process.env['SALUS_AGENTS'] = join(dir, 'agents')
  const passphraseFile = join(dir, 'passphrase')
  await writeFile(passphraseFile, `${PASSPHRASE}\n`)
  const services = new Set<Service>()
  return {
    dir,
    passphraseFile,
    chain,
    nodes,
    deployment,
    async agent(name, { node = 0, nodeUrl = nodes[node]?.httpUrl ?? '', rpcUrl = chain.rpcUrl, args = [] } = {}) {
      const home = join(dir, name)
      const service = await startService({
        name,
        args: [
          ...['agent', 'run', '--home', home, '--node', nodeUrl, '--rpc', rpcUrl],
          ...['--deployment', deploymentFile, ...args]
        ],
        logFile: join(dir, 'logs', `${name}.log`)
      })
      services.add(service)
      const url = String(service.ready['url'])
      const attempt = async (...command: string[]): Promise<CommandOutcome> =>
        runCommand([...command, '--agent', url, '--json'])
      return {
        service,
        home,
        url,
        client: createAgentClient({ url, token: await readFile(join(home, 'token'), 'utf8') }),
        attempt,
        async run(...command) {
          const { code, lines, errorText } = await attempt(...command)
          if (code !== 0) throw new Error(`${command.join(' ')}: ${errorText}`)
          return lines[0] ?? {}
        },
        async stop() {
          await service.stop()
          services.delete(service)
        }
      }
    },
    async file(name, content) {
      const path = join(dir, name)
      await writeFile(path, content)
      return path
    },
    async stop() {
      for (const each of services) await each.stop()
      await Promise.all(nodes.map(async each => each.service.stop()))
      await chain.service.stop()
      await rm(dir, { recursive: true, force: true })
    }
  }
}
