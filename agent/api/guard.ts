/** Who may speak to the agent: programs of the person that know its token, and no web page (docs/specs/agent-api.md). */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { HttpBindings } from '@hono/node-server'
import type { MiddlewareHandler } from 'hono'
import { SalusError } from '#core/error.ts'

type Env = { Bindings: HttpBindings }

/**
 * Refuses a request that was sent to another name than this computer's own (a name that somebody let point here), one that a
 * web page of elsewhere makes, and one without the token.
 *
 * The middleware throws SalusError `AGENT_HOST`, `AGENT_ORIGIN`, `AGENT_TOKEN`.
 */
export function createGuard(token: string): MiddlewareHandler<Env> {
  const expected = digestOf(token)
  return async (context, next) => {
    const hosts = ownHosts(context.env.incoming.socket.localPort ?? 0)
    if (!hosts.includes(context.req.header('host')?.toLowerCase() ?? '')) {
      throw new SalusError('AGENT_HOST', 'The agent answers on this computer’s own address only.')
    }
    const origin = context.req.header('origin')
    if (origin != null && !hosts.some(host => origin.toLowerCase() === `http://${host}`)) {
      throw new SalusError('AGENT_ORIGIN', 'The agent answers no web page of elsewhere.')
    }
    const given = /^Bearer ([A-Za-z0-9_-]{1,256})$/.exec(context.req.header('authorization') ?? '')?.[1] ?? ''
    // Digests have one length, and comparing them tells nothing of how much of a guess was right.
    if (!timingSafeEqual(digestOf(given), expected)) {
      throw new SalusError('AGENT_TOKEN', 'The agent’s token is missing or wrong; it lies in its home folder.')
    }
    await next()
  }
}

function ownHosts(port: number): string[] {
  return ['127.0.0.1', 'localhost', '[::1]'].map(name => `${name}:${String(port)}`)
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
