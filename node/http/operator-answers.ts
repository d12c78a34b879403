/** Adds the routes for those who operate a node. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { HttpBindings } from '@hono/node-server'
import type { Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { SalusError } from '#core/error.ts'
import type { Caller, OperatorAuth } from '#node/auth/operator-auth.ts'
import type { TokenStore } from '#node/auth/token-store.ts'
import { callerWith } from '#node/http/caller.ts'
import { TOPICS, type EventHub, type Topic } from '#node/http/event-hub.ts'
import { hangUp } from '#node/http/hang-up.ts'
import {
  banRoute,
  challengeRoute,
  connectRoute,
  disconnectRoute,
  eventsRoute,
  metricsRoute,
  mintRoute,
  peersRoute,
  revokeRoute,
  signInRoute,
  tokensRoute
} from '#node/http/operator-routes.ts'
import type { Peers } from '#node/http/operator-wire.ts'
import type { Family } from '#node/metrics/families.ts'
import { OPEN_METRICS_TYPE, writeOpenMetrics } from '#node/metrics/open-metrics.ts'
import { PENALTY, type Bans } from '#node/network/bans.ts'
import { parseAddress } from '#node/network/supervisor.ts'

/** What the routes need of a node. */
export interface OperatorComponents {
  readonly auth: OperatorAuth
  readonly tokens: TokenStore
  readonly events: EventHub
  readonly metrics: () => Promise<readonly Family[]>
  readonly libp2p: Libp2p
  readonly gossipPeers: () => ReadonlySet<string>
  readonly bans: Bans
}

/** Topics of those who have no token. */
const OPEN_TOPICS: readonly Topic[] = ['block']
const DIAL_TIMEOUT_MS = 15_000
/** Enough penalties in a row for any ban. */
const MAX_PENALTIES = 64

/** Adds the routes to a node's application. @param isPublic - whether metrics are for everyone */
export function addOperatorRoutes(
  app: OpenAPIHono<{ Bindings: HttpBindings }>,
  components: OperatorComponents,
  { isPublic }: { readonly isPublic: boolean }
): void {
  const { auth, tokens, events, metrics, libp2p, bans } = components
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' })

  app.openapi(challengeRoute, context => {
    const { address, scopes } = context.req.valid('json')
    const { text, expiresAtS } = auth.challenge(address, scopes)
    return context.json({ message: text, expiresAtS }, 200, NO_STORE)
  })
  app.openapi(signInRoute, async context => {
    const { message, signature, label = '' } = context.req.valid('json')
    return context.json(await auth.redeem(message, signature, label), 200, NO_STORE)
  })
  app.openapi(mintRoute, async context => {
    const { label = '', ...asked } = context.req.valid('json')
    return context.json(await auth.mint(callerWith(context, 'tokens'), { ...asked, label }), 200, NO_STORE)
  })
  app.openapi(tokensRoute, context => {
    const { holder, scopes } = callerWith(context, 'status:read')
    const seen = tokens.list().filter(token => scopes.includes('tokens') || token.holder === holder)
    return context.json({ tokens: seen }, 200, NO_STORE)
  })
  app.openapi(revokeRoute, async context => {
    const { id } = context.req.valid('param')
    if (context.var.caller?.id !== id) callerWith(context, 'tokens')
    if (!(await tokens.revoke(id))) throw new SalusError('TOKEN_UNKNOWN', 'There is no token of this id any more.')
    return context.body(null, 204)
  })
  app.openapi(peersRoute, context => context.json(peersOf(components), 200))
  app.openapi(connectRoute, async context => {
    const address = parseAddress(context.req.valid('json').address)
    const connection = await libp2p.dial(address, { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) }).catch(unreached)
    return context.json({ peerId: connection.remotePeer.toString() }, 200)
  })
  app.openapi(disconnectRoute, async context => {
    await libp2p.hangUp(readPeerId(context.req.valid('param').peerId))
    return context.body(null, 204)
  })
  app.openapi(banRoute, context => {
    const peer = readPeerId(context.req.valid('param').peerId).toString()
    for (let i = 0; i < MAX_PENALTIES && !bans.isBanned(peer); i++) bans.penalise(peer, PENALTY.flood, 'PEER_BANNED')
    return context.body(null, 204)
  })
  app.openapi(eventsRoute, context => {
    const asked = (context.req.valid('query').topics?.split(',') as Topic[] | undefined) ?? undefined
    const { caller, asker } = context.var
    const mayHearAll = caller?.scopes.includes('events') === true
    const topics = asked ?? (mayHearAll ? TOPICS : OPEN_TOPICS)
    const token = context.req.header('authorization')?.split(' ').pop() ?? ''
    const isOpen = topics.every(topic => OPEN_TOPICS.includes(topic))
    if (!isOpen) callerWith(context, 'events')
    const mayStillRead = (now: Caller | undefined): boolean => now != null && (isOpen || now.scopes.includes('events'))
    const { socket } = context.env.incoming
    const stream = events.open({
      topics,
      after: context.req.header('last-event-id'),
      whose: caller == null ? asker : `token:${caller.id}`,
      mayRead: () => caller == null || mayStillRead(auth.callerOf(token)),
      ended: () => setImmediate(() => hangUp(socket))
    })
    return context.body(stream, 200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Else proxies gather what should be told at once.
      'x-accel-buffering': 'no'
    })
  })
  app.openapi(metricsRoute, async context => {
    if (!isPublic) callerWith(context, 'metrics')
    return context.body(writeOpenMetrics(await metrics()), 200, { 'content-type': OPEN_METRICS_TYPE, ...NO_STORE })
  })
}

const NO_STORE = { 'cache-control': 'no-store' }

function peersOf({ libp2p, gossipPeers }: OperatorComponents): Peers {
  const gossiping = gossipPeers()
  const peers = libp2p.getPeers().flatMap(peer => {
    const connections = libp2p.getConnections(peer)
    const [first] = connections
    if (first == null) return []
    return {
      peerId: peer.toString(),
      addresses: connections.map(({ remoteAddr }) => remoteAddr.toString()),
      direction: first.direction,
      sinceMs: first.timeline.open,
      encryption: first.encryption ?? 'none',
      gossips: gossiping.has(peer.toString())
    }
  })
  return { peers }
}

function readPeerId(text: string) {
  try {
    return peerIdFromString(text)
  } catch (cause) {
    throw new SalusError('PEER_ID_MALFORMED', 'This is no peer id; it begins with 12D3 or Qm.', { cause })
  }
}

function unreached(cause: unknown): never {
  throw new SalusError('PEER_UNREACHED', 'The peer was not reached, or refused; check its address.', { cause })
}
