/** Listens for HTTP requests and hands them to the application, with bounds on time and connections. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { SalusError } from '#core/error.ts'
import type { Log } from '#node/log.ts'

/** What a server answers with. */
export interface HttpHandler {
  fetch(request: Request, env: HttpBindings): Response | Promise<Response>
}

/** Where to listen. */
export interface HttpServerInit {
  /** 127.0.0.1 unless told: whoever opens it to others decides so. */
  readonly host?: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Most connections at once; 1,024 unless told. */
  readonly maxConnections?: number
}

/** A server. */
export interface HttpServer {
  /**
   * Listens; returns where.
   *
   * @throws SalusError `HTTP_LISTEN_FAILED`
   */
  start(): Promise<string>
  /** Answers what is under way, for at most five seconds, and ends. */
  stop(): Promise<void>
}

const STOP_GRACE_MS = 5_000

/** Makes a server. */
export function createHttpServer(
  { app, log }: { readonly app: HttpHandler; readonly log: Log },
  { host = '127.0.0.1', port, maxConnections = 1_024 }: HttpServerInit
): HttpServer {
  let server: Server | undefined
  return {
    async start() {
      const listener = getRequestListener(async (request, env) => app.fetch(request, env as HttpBindings), {
        overrideGlobalObjects: false
      })
      const made = createServer(
        // A relayed request may take a minute until it is in a block; its headers and body may not.
        { headersTimeout: 10_000, requestTimeout: 120_000, keepAliveTimeout: 5_000, maxHeaderSize: 16_384 },
        (incoming, outgoing) => {
          listener(incoming, outgoing).catch((error: unknown) => log.error({ err: error }, 'a request failed'))
        }
      )
      made.maxConnections = maxConnections
      server = made
      await new Promise<void>((resolve, reject) => {
        made.once('error', cause => {
          reject(
            new SalusError('HTTP_LISTEN_FAILED', `Cannot listen on port ${String(port)}; is it in use?`, { cause })
          )
        })
        made.listen(port, host, resolve)
      })
      const { address, family, port: bound } = made.address() as AddressInfo
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${String(bound)}`
    },
    async stop() {
      if (server == null) return
      const closing = server
      server = undefined
      const closed = new Promise<void>(resolve => closing.close(() => resolve()))
      closing.closeIdleConnections()
      const kill = setTimeout(() => closing.closeAllConnections(), STOP_GRACE_MS)
      await closed
      clearTimeout(kill)
    }
  }
}
