/** Requests to servers that are not ours: bounded, retried where that can help, never sent to another host than asked for. */
import { SalusError } from '#core/error.ts'

/** What requests need of the world. */
export interface HttpComponents {
  readonly fetch: typeof fetch
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** Waits; ends early, with the signal's reason, when the signal does. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** From 0 to 1: spreads the retries of many. */
  readonly jitter: () => number
}

/** How long to try. */
export interface RetryInit {
  /** Tries in all; 6 if not given. */
  readonly attempts?: number
  /** Longest wait between two; 60 s if not given. */
  readonly maxWaitMs?: number
  readonly signal?: AbortSignal
  /** Most time until the head of an answer; 60 s if not given. */
  readonly timeoutMs?: number
}

const FIRST_WAIT_MS = 500
/** Too many, or down for now. */
const PASSING = [408, 425, 429, 500, 502, 503, 504]

/**
 * Sends a request until it gets an answer that another try would not change.
 *
 * @throws SalusError `HIS_UNREACHABLE` (no answer), `HIS_BUSY` (only answers to come later)
 */
export async function send(
  { fetch, clock, sleep, jitter }: HttpComponents,
  url: string,
  request: RequestInit = {},
  { attempts = 6, maxWaitMs = 60_000, signal, timeoutMs = 60_000 }: RetryInit = {}
): Promise<Response> {
  let failure: unknown
  for (let attempt = 0; attempt < attempts; attempt++) {
    let waitMs = Math.min(FIRST_WAIT_MS * 2 ** attempt, maxWaitMs) * (0.5 + 0.5 * jitter())
    try {
      // The limit is for the head alone: a large file may take as long as it takes.
      const limit = new AbortController()
      const timer = setTimeout(() => limit.abort(new Error('no answer in time')), timeoutMs)
      const ends = signal == null ? limit.signal : AbortSignal.any([signal, limit.signal])
      const response = await fetch(url, { ...request, redirect: 'error', signal: ends }).finally(() =>
        clearTimeout(timer)
      )
      if (!PASSING.includes(response.status)) return response
      failure = new Error(`status ${response.status}`)
      waitMs = Math.min(retryAfterMs(response, clock()) ?? waitMs, maxWaitMs)
      await response.body?.cancel()
    } catch (error) {
      if (signal?.aborted === true) throw error
      failure = error
    }
    if (attempt + 1 < attempts) await sleep(waitMs, signal)
  }
  const isAnswer = failure instanceof Error && failure.message.startsWith('status ')
  if (isAnswer)
    throw new SalusError('HIS_BUSY', 'The server asks to come later, again and again; try in an hour.', {
      cause: failure
    })
  throw new SalusError('HIS_UNREACHABLE', 'The server does not answer; check its address and the network.', {
    cause: failure
  })
}

/** What a server asks to wait, in seconds or until a date. */
export function retryAfterMs({ headers }: Response, nowMs: number): number | undefined {
  const value = headers.get('retry-after')
  if (value == null) return undefined
  const ms = /^\d{1,6}$/.test(value) ? 1000 * Number(value) : Date.parse(value) - nowMs
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}

/**
 * The bytes of an answer, at most `maxBytes`.
 *
 * @throws SalusError `HIS_ANSWER`
 */
export async function bodyOf(response: Response, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of streamOf(response, maxBytes)) pieces.push(piece)
  return Buffer.concat(pieces)
}

/**
 * The bytes of an answer as they come: no faster than they are taken.
 *
 * @throws SalusError `HIS_ANSWER` for more than `maxBytes`
 */
export async function* streamOf(response: Response, maxBytes: number): AsyncGenerator<Uint8Array> {
  let bytes = 0
  const body: AsyncIterable<Uint8Array> | null = response.body
  if (body == null) return
  for await (const piece of body) {
    bytes += piece.length
    if (bytes > maxBytes) throw new SalusError('HIS_ANSWER', 'The server’s answer is larger than is taken.')
    yield piece
  }
}
