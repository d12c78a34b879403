/** Who makes a request: an address, and an operator where a token comes with it. */
import { isIP } from 'node:net'
import type { HttpBindings } from '@hono/node-server'
import type { Context, MiddlewareHandler } from 'hono'
import { SalusError } from '#core/error.ts'
import type { Caller, OperatorAuth } from '#node/auth/operator-auth.ts'
import type { Scope } from '#node/auth/scopes.ts'
import { askerOfAddress, wholeAddress } from '#node/http/asker.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** Whom the address of a request counts as. */
    asker: string
    caller: Caller | undefined
  }
}

const BEARER = /^bearer +([A-Za-z0-9_-]{1,128})$/i

/**
 * Notes who asks. A token that opens nothing is refused on every route: whoever sends one counts on it.
 *
 * @param proxies - addresses whose `X-Forwarded-For` is believed, as far as the last entry goes: it is what that proxy saw itself
 * @throws SalusError `AUTH_TOKEN`
 */
export function noteAsker(proxies: readonly string[]): MiddlewareHandler {
  const trusted = new Set(proxies.map(wholeAddress))
  return async (context, next) => {
    const { remoteAddress = '' } = (context.env as HttpBindings).incoming.socket
    let address = remoteAddress
    const isTrusted = (): boolean => trusted.has(wholeAddress(address))
    const hops = isTrusted() ? (context.req.header('x-forwarded-for') ?? '').split(',').slice(-8) : []
    for (let hop = hops.pop()?.trim() ?? ''; isIP(hop) !== 0 && isTrusted(); hop = hops.pop()?.trim() ?? '') {
      address = hop
    }
    context.set('asker', askerOfAddress(address))
    await next()
  }
}

/**
 * Notes the caller of a request's token, if it has one.
 *
 * @param limited - asked in any case, so that tokens cannot be tried out
 */
export function noteCaller(auth: Pick<OperatorAuth, 'callerOf'>, limited: MiddlewareHandler): MiddlewareHandler {
  return async (context, next) => {
    const header = context.req.header('authorization')
    const caller = header == null ? undefined : auth.callerOf(BEARER.exec(header)?.[1] ?? '')
    if (caller != null) context.set('caller', caller)
    await limited(context, async () => {
      if (header != null && caller == null) {
        throw new SalusError('AUTH_TOKEN', 'The token is unknown, revoked or over; sign in again.')
      }
      await next()
    })
  }
}

/** Whose limits and keys a request counts against. */
export function whoseIs(context: Context): string {
  const { asker, caller } = context.var
  return caller == null ? asker : `token:${caller.id}`
}

/**
 * Lets in whose token has a scope.
 *
 * @throws SalusError `AUTH_REQUIRED`, `AUTH_SCOPE`
 */
export function needs(scope: Scope): MiddlewareHandler {
  return async (context, next) => {
    callerWith(context, scope)
    await next()
  }
}

/** The caller, if it has a scope; throws as {@link needs}. */
export function callerWith(context: Context, scope: Scope): Caller {
  const { caller } = context.var
  if (caller == null) {
    throw new SalusError('AUTH_REQUIRED', `This needs a token with the scope ${scope}; docs/specs/sign-in.md says how.`)
  }
  if (!caller.scopes.includes(scope)) throw new SalusError('AUTH_SCOPE', `The token has not the scope ${scope}.`)
  return caller
}
