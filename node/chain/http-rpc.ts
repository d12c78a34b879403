/** One JSON-RPC endpoint over HTTP: bounded in time and in bytes, whatever it answers. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { SalusError } from '#core/error.ts'

/** Where requests go. */
export interface RpcTransport {
  /** Host and port; an address may hold a key, which stays here. */
  readonly name: string
  /**
   * Sends one request, or a list of them, and gives what came back as JSON.
   *
   * @throws SalusError `CHAIN_UNREACHABLE`; `CHAIN_RPC_FAILED` if what came is no answer; `CHAIN_ANSWER_TOO_LARGE`
   */
  post(payload: unknown, signal?: AbortSignal): Promise<unknown>
  /** Closes idle connections. */
  close(): void
}

/** What an endpoint may be told. */
export interface HttpTransportInit {
  /** Most time for a whole answer, ms; 15,000 unless told. */
  readonly timeoutMs?: number
  /** Most bytes of an answer; 32 MiB unless told. */
  readonly maxBytes?: number
}

const MAX_SOCKETS = 32

/** Makes a transport; nothing is sent before the first request. */
export function createHttpTransport(url: string, init: HttpTransportInit = {}): RpcTransport {
  const { timeoutMs = 15_000, maxBytes = 32 << 20 } = init
  const target = new URL(url)
  const isTls = target.protocol === 'https:'
  const agent = new (isTls ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: MAX_SOCKETS })
  const ask = isTls ? httpsRequest : httpRequest

  async function exchange(body: string, signal: AbortSignal): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const asked = ask(target, { method: 'POST', agent, headers, signal }, answer => {
        readBody(answer, maxBytes).then(text => resolve({ status: answer.statusCode ?? 0, text }), reject)
      })
      asked.once('error', error => {
        // The server closed an idle connection while we took it up again.
        if (asked.reusedSocket && !signal.aborted) exchange(body, signal).then(resolve, reject)
        else reject(error)
      })
      asked.end(body)
    })
  }

  return {
    name: target.host,
    async post(payload, signal) {
      const limit = AbortSignal.timeout(timeoutMs)
      let answer: { status: number; text: string }
      try {
        answer = await exchange(JSON.stringify(payload), signal == null ? limit : AbortSignal.any([signal, limit]))
      } catch (cause) {
        throw cause instanceof SalusError ? cause : unreachable(cause)
      }
      const { status, text } = answer
      const json = readJson(text)
      // Some answer an error of JSON-RPC with a status of HTTP to match.
      if (isAnswer(json)) return json
      if (status === 429 || status >= 500) throw unreachable(new Error(`HTTP ${String(status)}`))
      throw new SalusError('CHAIN_RPC_FAILED', 'The RPC endpoint gave an answer that Ethereum does not define.', {
        cause: new Error(`HTTP ${String(status)}`)
      })
    },
    close() {
      agent.destroy()
    }
  }
}

async function readBody(answer: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length
    // Leaving the loop ends the connection: the rest of the body is not read.
    if (size > maxBytes)
      throw new SalusError('CHAIN_ANSWER_TOO_LARGE', 'The RPC endpoint gave more than was asked for.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whether something is an answer of JSON-RPC, or a list of them. */
function isAnswer(json: unknown): boolean {
  const isOne = (one: unknown): boolean =>
    typeof one === 'object' && one != null && 'id' in one && ('result' in one || isRpcError(one))
  return Array.isArray(json) ? json.length > 0 && json.every(isOne) : isOne(json)
}

function isRpcError(answer: object): boolean {
  return 'error' in answer && typeof answer.error === 'object' && answer.error != null
}

function unreachable(cause: unknown): SalusError {
  return new SalusError('CHAIN_UNREACHABLE', 'The RPC endpoint does not answer; check its address and that it runs.', {
    cause
  })
}
