/** What commands speak to an agent with (docs/specs/agent-api.md). */
import { SalusError } from '#core/error.ts'
import type { LocatedAgent } from '#agent/cli/locate.ts'

/** Every call throws SalusError with the code of the agent's problem, or `AGENT_UNREACHABLE`, `AGENT_ANSWER`. */
export interface AgentClient {
  get<T>(path: string): Promise<T>
  post<T>(path: string, body?: unknown): Promise<T>
  /** Hands in a file; what is said about it goes into headers, for paths get written down. */
  send<T>(path: string, bytes: Uint8Array, type: string, headers?: Readonly<Record<string, string>>): Promise<T>
  bytes(path: string): Promise<Uint8Array>
  /** Hands in bytes of any size, as they come. */
  upload<T>(path: string, bytes: AsyncIterable<Uint8Array>): Promise<T>
  /** An answer of any size, as it comes. */
  download(path: string): AsyncGenerator<Uint8Array>
}

/** Commands wait for blocks, for wallets that ask people, and for large files. */
const TIMEOUT_MS = 600_000

/** Makes a client. */
export function createAgentClient({ url, token }: LocatedAgent): AgentClient {
  async function call(path: string, init: RequestInit): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string> | undefined), authorization: `Bearer ${token}` }
    let response: Response
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS)
      response = await fetch(new URL(path, url), { ...init, headers, signal, redirect: 'error' })
    } catch (cause) {
      throw new SalusError('AGENT_UNREACHABLE', `No agent answers at ${url}; check that it runs.`, { cause })
    }
    if (!response.ok) throw await problemOf(response)
    return response
  }
  const json = async <T>(response: Response): Promise<T> => (await response.json()) as T
  return {
    get: async path => json(await call(path, { method: 'GET' })),
    post: async (path, body = {}) =>
      json(
        await call(path, {
          method: 'POST',
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json' }
        })
      ),
    send: async (path, bytes, type, headers = {}) =>
      json(
        await call(path, {
          method: 'POST',
          body: new Uint8Array(bytes),
          headers: { ...headers, 'content-type': type }
        })
      ),
    bytes: async path => new Uint8Array(await (await call(path, { method: 'GET' })).arrayBuffer()),
    upload: async (path, bytes) => {
      const headers = { 'content-type': 'application/octet-stream' }
      return json(await call(path, { method: 'POST', body: bytes, headers, duplex: 'half' }))
    },
    async *download(path) {
      const { body } = await call(path, { method: 'GET' })
      try {
        if (body != null) yield* body as AsyncIterable<Uint8Array>
      } catch (cause) {
        throw new SalusError('AGENT_ANSWER', 'The agent broke off; what was received is not whole.', { cause })
      }
    }
  }
}

async function problemOf(response: Response): Promise<SalusError> {
  const body = (await response.json().catch(() => undefined)) as { code?: unknown; detail?: unknown } | undefined
  return typeof body?.code === 'string' && typeof body.detail === 'string'
    ? new SalusError(body.code, body.detail)
    : new SalusError('AGENT_ANSWER', `The agent answered ${String(response.status)} without saying why.`)
}
