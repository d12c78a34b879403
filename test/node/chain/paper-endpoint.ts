import type { RpcTransport } from '#node/chain/http-rpc.ts'
import type { PaperChain } from '#scripts/bench/node/paper-chain.ts'

/** What an endpoint answers instead, an object with `error` to refuse, or with `result` to give nothing; `undefined` to answer as it is. */
export type Instead = (method: string, params: readonly unknown[], answer: unknown) => unknown

interface Request {
  readonly id: number
  readonly method: string
  readonly params: readonly unknown[]
}

/** An endpoint over a chain on paper. */
export function paperEndpoint(chain: PaperChain, name: string, instead: Instead = () => undefined): RpcTransport {
  function one(payload: unknown): unknown {
    const { id, method, params } = payload as Request
    const answer = chain.answer(method, params)
    const given = instead(method, params, answer) ?? answer
    if (typeof given === 'object' && given != null && ('error' in given || 'result' in given))
      return { jsonrpc: '2.0', id, ...given }
    return { jsonrpc: '2.0', id, result: given ?? null }
  }
  return {
    name,
    post: async payload => Promise.resolve(Array.isArray(payload) ? payload.map(one) : one(payload)),
    close: () => undefined
  }
}
