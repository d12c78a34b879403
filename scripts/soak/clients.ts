/** Many HTTP clients at once, each with a connection of its own that asks again and again. */
import { Agent, request } from 'node:http'

/** What the clients are told. */
export interface ClientsInit {
  readonly url: string
  readonly clients: number
  /** Requests of each client. */
  readonly requests: number
  /** What the n-th request of all asks for. */
  readonly ask: (n: number) => Ask
  readonly timeoutMs?: number
}

/** One request. */
export interface Ask {
  readonly method?: string
  readonly path: string
  readonly body?: Uint8Array
  readonly type?: string
}

/** What came of it. */
export interface ClientsReport {
  readonly seconds: number
  /** Time of each answer, ms. */
  readonly tookMs: readonly number[]
  /** Answers by status; `failed` for none. */
  readonly statuses: Readonly<Record<string, number>>
}

/** Lets the clients run to their end. */
export async function runClients({
  url,
  clients,
  requests,
  ask,
  timeoutMs = 60_000
}: ClientsInit): Promise<ClientsReport> {
  const { hostname, port } = new URL(url)
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const tookMs: number[] = []
  const statuses: Record<string, number> = {}
  let asked = 0

  async function once({ method = 'GET', path, body, type }: Ask): Promise<number> {
    return new Promise((resolve, reject) => {
      const headers = type == null ? {} : { 'content-type': type, 'content-length': String(body?.length ?? 0) }
      const sent = request({ agent, hostname, port, method, path, headers, timeout: timeoutMs }, answer => {
        answer.resume()
        answer.once('end', () => resolve(answer.statusCode ?? 0))
        answer.once('error', reject)
      })
      sent.once('timeout', () => sent.destroy(new Error('timeout')))
      sent.once('error', reject)
      sent.end(body)
    })
  }

  async function client(): Promise<void> {
    for (let i = 0; i < requests; i++) {
      const begunMs = performance.now()
      const status = await once(ask(asked++)).catch(() => 'failed' as const)
      tookMs.push(performance.now() - begunMs)
      statuses[status] = (statuses[status] ?? 0) + 1
    }
  }

  const begunMs = performance.now()
  await Promise.all(Array.from({ length: clients }, client))
  agent.destroy()
  return { seconds: (performance.now() - begunMs) / 1000, tookMs, statuses }
}
