/** Backups and scrubs of a running node: long work, told line by line. */
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import type { HttpBindings } from '@hono/node-server'
import { utf8 } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { atMost, ofType, strictJson } from '#node/http/body.ts'
import { callerWith, needs } from '#node/http/caller.ts'
import { problemBody } from '#node/http/wire.ts'
import type { Log } from '#node/log.ts'
import type { Upkeep } from '#node/store/upkeep.ts'

/** One JSON value a line. */
const LINES = 'text/jsonl'
const problem = {
  description: 'What went wrong, with a stable code',
  content: { 'application/problem+json': { schema: problemBody } }
} as const
const lines = {
  200: {
    description: 'Lines of JSON: {"progress": …}, at the end {"done": …} or {"problem": {code, detail}}',
    content: { [LINES]: { schema: z.string() } }
  },
  default: problem
} as const

const backupRequest = z
  .strictObject({ to: z.string().min(1).max(4096).optional() })
  .openapi('BackupRequest', { description: 'to: a folder of the node’s machine, for who can read the node’s folder' })

const backupRoute = createRoute({
  method: 'post',
  path: '/v1/backups',
  summary: 'Makes a backup while the node goes on',
  security: [{ token: ['backup'] }],
  middleware: [needs('backup'), ofType('application/json'), atMost(16_384), strictJson],
  request: { body: { required: true, content: { 'application/json': { schema: backupRequest } } } },
  responses: lines
})

const scrubRoute = createRoute({
  method: 'post',
  path: '/v1/scrubs',
  summary: 'Reads everything that is stored, and has what went bad brought again by peers',
  security: [{ token: ['scrub'] }],
  middleware: [needs('scrub')],
  responses: lines
})

/** Time between two lines of progress, ms. */
const PROGRESS_MS = 250

/** What the routes need. */
export interface UpkeepComponents {
  readonly upkeep: () => Upkeep
  readonly log: Log
  /** Aborted when the node stops. */
  readonly stopped: AbortSignal
}

/** Adds the routes. */
export function addUpkeepRoutes(
  app: OpenAPIHono<{ Bindings: HttpBindings }>,
  { upkeep, log, stopped }: UpkeepComponents,
  init: { readonly backupDir?: string | undefined; readonly scrubBytesPerSecond?: number | undefined }
): void {
  /** What is under way: a second one would only take the disk from the first. */
  let isBusy = false

  function begin<T>(work: (signal: AbortSignal, tell: (progress: unknown) => void) => Promise<T>, gone: AbortSignal) {
    if (isBusy) throw new SalusError('UPKEEP_BUSY', 'A backup or scrub is under way; wait for its end.')
    isBusy = true
    const signal = AbortSignal.any([stopped, gone])
    return linesOf(
      async tell => work(signal, tell).finally(() => (isBusy = false)),
      error => problemOf(error, signal)
    )
  }

  function problemOf(error: unknown, signal: AbortSignal): SalusError {
    if (signal.aborted)
      return new SalusError('UPKEEP_BROKEN_OFF', 'It was broken off; what was written before does not count.')
    log.error({ err: error }, 'a backup or scrub failed')
    return isSalusError(error) ? error : new SalusError('UPKEEP_FAILED', 'It failed; the node’s log says why.')
  }

  app.openapi(backupRoute, context => {
    const { to } = context.req.valid('json')
    // A token from elsewhere chooses no place on this machine.
    const isLocal = callerWith(context, 'backup').id === 'local'
    const folder = isLocal ? (to ?? init.backupDir) : to == null ? init.backupDir : undefined
    if (folder == null) {
      throw new SalusError(
        'BACKUP_FOLDER',
        'Say where to on the node’s machine, or set store.backupDir and say nothing.'
      )
    }
    const running = upkeep()
    const stream = begin(
      async (signal, onProgress) => running.backUp({ to: folder, signal, onProgress }),
      context.req.raw.signal
    )
    return context.body(stream, 200, { 'content-type': LINES, 'cache-control': 'no-store' })
  })
  app.openapi(scrubRoute, context => {
    const running = upkeep()
    const { scrubBytesPerSecond: bytesPerSecond } = init
    const rate = bytesPerSecond == null ? {} : { bytesPerSecond }
    const stream = begin(
      async (signal, onProgress) => running.scrub({ ...rate, signal, onProgress }),
      context.req.raw.signal
    )
    return context.body(stream, 200, { 'content-type': LINES, 'cache-control': 'no-store' })
  })
}

/** The work's progress, a few lines a second, and its end. */
function linesOf(
  work: (tell: (progress: unknown) => void) => Promise<unknown>,
  problemOf: (error: unknown) => SalusError
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(controller) {
      let toldAtMs = 0
      const write = (line: unknown): void => {
        try {
          controller.enqueue(utf8(`${JSON.stringify(line)}\n`))
        } catch {
          // Nobody listens any more; the signal ends the work.
        }
      }
      try {
        const done = await work(progress => {
          if (performance.now() - toldAtMs < PROGRESS_MS) return
          toldAtMs = performance.now()
          write({ progress })
        })
        write({ done })
      } catch (error) {
        const { code, message } = problemOf(error)
        write({ problem: { code, detail: message } })
      }
      try {
        controller.close()
      } catch {
        // Nobody listens any more.
      }
    }
  })
}
