import type { JsonRpcProvider } from 'ethers'
import type { RpcTransport } from '#node/chain/http-rpc.ts'
import { SalusError } from '#core/error.ts'

/** What an endpoint makes of the chain's answer. */
export type Twist = (method: string, params: readonly unknown[], answer: unknown) => unknown

/** An endpoint that gives the answers of a real chain, twisted. */
export interface Liar extends RpcTransport {
  twist: Twist
  isAway: boolean
  /** Methods asked so far. */
  readonly asked: string[]
}

interface Request {
  readonly id: number
  readonly method: string
  readonly params: unknown[]
}

/** Makes an endpoint over a chain; honest until it is told otherwise. */
export function liarOver(provider: JsonRpcProvider, name: string): Liar {
  const liar: Liar = {
    name,
    twist: (_method, _params, answer) => answer,
    isAway: false,
    asked: [],
    async post(payload) {
      if (liar.isAway) throw new SalusError('CHAIN_UNREACHABLE', 'It is away.')
      return Array.isArray(payload) ? Promise.all(payload.map(one)) : one(payload)
    },
    close: () => undefined
  }
  async function one(payload: unknown): Promise<unknown> {
    const { id, method, params } = payload as Request
    liar.asked.push(method)
    const answer = (await provider.send(method, params)) as unknown
    return { jsonrpc: '2.0', id, result: await liar.twist(method, params, answer) }
  }
  return liar
}
