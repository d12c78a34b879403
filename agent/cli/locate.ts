/** Where the agent is that a command speaks to, and the token that it wants to hear. */
import { mkdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { TOKEN_FILE, URL_FILE } from '#agent/home-files.ts'
import { readIfThere, removeDurably, writeDurably } from '#node/store/durable-file.ts'

/** Options of every command that speaks to an agent. */
export interface AgentOptions {
  readonly agent?: string
  readonly home?: string
  readonly json: boolean
}

/** An agent and its token. */
export interface LocatedAgent {
  readonly url: string
  readonly token: string
}

/** Home folder of an agent, unless told. */
export function defaultHome(): string {
  return process.env['SALUS_HOME'] ?? join(homedir(), '.salus', 'agent')
}

/** Where running agents of this user leave which home folder is theirs, by port: then `--agent URL` alone says everything. */
function registryFolder(): string {
  return process.env['SALUS_AGENTS'] ?? join(homedir(), '.salus', 'agents')
}

function registryFile(url: string): string {
  return join(registryFolder(), new URL(url).port)
}

/** Notes that an agent runs; where there is no place for notes, commands have to name its home folder. */
export async function register(url: string, home: string): Promise<void> {
  try {
    await mkdir(registryFolder(), { recursive: true, mode: 0o700 })
    await writeDurably(registryFile(url), utf8(resolve(home)))
  } catch {
    // A convenience of this user's commands: the agent runs without.
  }
}

/** Notes that it runs no more. */
export async function unregister(url: string): Promise<void> {
  await removeDurably(registryFile(url)).catch(() => undefined)
}

/**
 * Finds the agent: `--agent` by what it noted of itself, or the home folder.
 *
 * @throws SalusError `AGENT_NOT_RUNNING`, `CLI_URL`
 */
export async function locateAgent({ agent, home }: AgentOptions): Promise<LocatedAgent> {
  if (agent != null && !isOwn(agent)) {
    throw new SalusError('CLI_URL', '--agent takes an address of this computer, as http://127.0.0.1:8791.')
  }
  const noted = agent == null || home != null ? undefined : await readIfThere(registryFile(agent))
  const folder = home ?? (noted == null ? defaultHome() : new TextDecoder().decode(noted))
  try {
    const token = (await readFile(join(folder, TOKEN_FILE), 'utf8')).trim()
    return { url: agent ?? (await readFile(join(folder, URL_FILE), 'utf8')).trim(), token }
  } catch (cause) {
    throw new SalusError('AGENT_NOT_RUNNING', `No agent runs in ${folder}; start one with "salus agent run".`, {
      cause
    })
  }
}

/** The token is told to this computer only, whatever address somebody had a person type. */
function isOwn(agent: string): boolean {
  if (!URL.canParse(agent)) return false
  const { protocol, hostname } = new URL(agent)
  return protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
}
