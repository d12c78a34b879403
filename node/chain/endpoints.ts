/** Several JSON-RPC endpoints of one chain: which of them to ask, by their health and by what they were caught at. */
import { isSalusError, SalusError } from '#core/error.ts'
import type { RpcSender } from '#node/chain/chain-rpc.ts'
import { createHealth, type EndpointStatus, type Health } from '#node/chain/endpoint-health.ts'
import type { RpcTransport } from '#node/chain/http-rpc.ts'
import { createBatcher } from '#node/chain/rpc-batch.ts'
import type { Log } from '#node/log.ts'

/** One endpoint; its requests are counted. */
export interface Endpoint extends RpcSender {
  readonly name: string
  readonly health: Health
  /** One request or a list of them, as JSON-RPC has it. */
  post(payload: unknown): Promise<unknown>
}

/** What several endpoints need. */
export interface EndpointsComponents {
  /** In the operator's order of preference. */
  readonly transports: readonly RpcTransport[]
  /** Milliseconds. */
  readonly clock: () => number
  readonly log: Log
}

/** Endpoints of one chain. */
export interface Endpoints {
  /** All of them, the best to ask first: those in good health, then those that rest, then those that lied; each in the operator's order. */
  ranked(): readonly Endpoint[]
  /** Sends to the best endpoint, and to the next where one is away; a transaction is handed to all, as one may keep it for itself. */
  post(payload: unknown): Promise<unknown>
  /** Sends to endpoints in good standing other than the best, for a second opinion. */
  postToOther(payload: unknown): Promise<unknown>
  /** Puts the best endpoint after the others for a while, because they say otherwise. */
  demote(): void
  /** Ends trust in an endpoint that was caught at a lie, for a while; said once in the log. */
  distrust(endpoint: Endpoint, code: string): void
  status(): readonly EndpointStatus[]
  close(): void
}

interface Payload {
  readonly method?: unknown
}

/** Makes them; nothing is sent before the first request. */
export function createEndpoints({ transports, clock, log }: EndpointsComponents): Endpoints {
  const endpoints = transports.map(transport => createEndpoint(transport, clock))

  const ranked = (): readonly Endpoint[] =>
    endpoints.toSorted((a, b) => a.health.rank() - b.health.rank() || endpoints.indexOf(a) - endpoints.indexOf(b))

  /** The first answer of all, an error of JSON-RPC only where nobody takes it. */
  async function postToAll(payload: unknown): Promise<unknown> {
    const answers = await Promise.allSettled(endpoints.map(async endpoint => endpoint.post(payload)))
    const given = answers.flatMap(answer => (answer.status === 'fulfilled' ? [answer.value] : []))
    const taken = given.find(answer => hasResult(answer)) ?? given[0]
    if (taken != null) return taken
    throw answers.flatMap(answer => (answer.status === 'rejected' ? [answer.reason as unknown] : []))[0]
  }

  /** The first of some that answers. */
  async function postToOne(payload: unknown, some: readonly Endpoint[]): Promise<unknown> {
    let failed: unknown = new SalusError(
      'CHAIN_UNREACHABLE',
      'The RPC endpoint does not answer; check its address and that it runs.'
    )
    for (const endpoint of some) {
      try {
        return await endpoint.post(payload)
      } catch (error) {
        failed = error
      }
    }
    throw failed
  }

  return {
    ranked,
    async post(payload) {
      if (endpoints.length === 1 || !hasTransaction(payload)) return postToOne(payload, ranked())
      return Array.isArray(payload) ? Promise.all(payload.map(postToAll)) : postToAll(payload)
    },
    postToOther: async payload => {
      const others = ranked().slice(1)
      return postToOne(
        payload,
        others.filter(({ health }) => health.rank() === 0)
      )
    },
    demote() {
      ranked()[0]?.health.disagreed('CHAIN_DISPUTED')
    },
    distrust(endpoint, code) {
      endpoint.health.lied(code)
      log.warn({ code, endpoint: endpoint.name }, 'an RPC endpoint was caught at a lie; others are asked for now')
    },
    status: () => {
      const lead = ranked()[0]
      return endpoints.map(endpoint => ({ ...endpoint.health.status(), isLead: endpoint === lead }))
    },
    close() {
      for (const transport of transports) transport.close()
    }
  }
}

/** One endpoint over a transport. */
function createEndpoint(transport: RpcTransport, clock: () => number): Endpoint {
  const health = createHealth(transport.name, clock)
  const post = async (payload: unknown): Promise<unknown> => {
    const askedMs = clock()
    try {
      const answer = await transport.post(payload)
      health.answered(clock() - askedMs)
      return answer
    } catch (error) {
      // One that gives too much is alive: a smaller question may be answered.
      if (isSalusError(error, 'CHAIN_ANSWER_TOO_LARGE')) health.answered(clock() - askedMs)
      else health.failed(isSalusError(error) ? error.code : 'CHAIN_UNREACHABLE')
      throw error
    }
  }
  return { name: transport.name, health, post, send: createBatcher(post) }
}

/** A sender as the only endpoint: that of a provider made elsewhere. */
export function soleEndpoint(sender: RpcSender, { clock, log }: Omit<EndpointsComponents, 'transports'>): Endpoints {
  const health = createHealth('rpc', clock)
  const post = async (): Promise<never> => Promise.reject(new Error('a sole endpoint sends by its provider'))
  const endpoint: Endpoint = {
    name: 'rpc',
    health,
    post,
    async send(method, params) {
      const askedMs = clock()
      try {
        const answer = await sender.send(method, params)
        health.answered(clock() - askedMs)
        return answer
      } catch (error) {
        health.failed(isSalusError(error) ? error.code : 'CHAIN_UNREACHABLE')
        throw error
      }
    }
  }
  return {
    ranked: () => [endpoint],
    post,
    postToOther: post,
    demote: () => undefined,
    distrust(_, code) {
      health.lied(code)
      log.warn({ code }, 'the RPC endpoint was caught at a lie; it is asked again later')
    },
    status: () => [{ ...health.status(), isLead: true }],
    close: () => undefined
  }
}

function hasTransaction(payload: unknown): boolean {
  return ([payload].flat() as readonly Payload[]).some(({ method }) => method === 'eth_sendRawTransaction')
}

function hasResult(answer: unknown): boolean {
  return typeof answer === 'object' && answer != null && 'result' in answer
}
