/** Questions that come at once, sent as one list where the endpoint takes lists. */
import { isSalusError, SalusError } from '#core/error.ts'
import type { RpcSender } from '#node/chain/chain-rpc.ts'

interface Asked {
  readonly payload: {
    readonly jsonrpc: '2.0'
    readonly id: number
    readonly method: string
    readonly params: unknown[]
  }
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Most questions of one list: what endpoints are known to take. */
const MAX_LIST = 64
/** Answers to these are large: a list of them would be too large to take. */
const ALONE: readonly string[] = ['eth_getLogs', 'eth_getBlockReceipts']

/** Makes a sender over what posts a payload of JSON-RPC. */
export function createBatcher(post: (payload: unknown) => Promise<unknown>): RpcSender['send'] {
  let lastId = 0
  let waiting: Asked[] = []
  let takesLists = true

  function flush(): void {
    const all = waiting
    waiting = []
    for (let at = 0; at < all.length; at += MAX_LIST) void sendList(all.slice(at, at + MAX_LIST))
  }

  async function sendList(list: readonly Asked[]): Promise<void> {
    const [first] = list
    if (list.length > 1 && takesLists) {
      try {
        const answers = await post(list.map(({ payload }) => payload))
        if (Array.isArray(answers)) {
          const byId = new Map(answers.map((answer: unknown) => [idOf(answer), answer]))
          for (const asked of list) settle(asked, byId.get(asked.payload.id))
          return
        }
        takesLists = false
      } catch (error) {
        const isTooLarge = isSalusError(error, 'CHAIN_ANSWER_TOO_LARGE')
        // Some refuse lists with a status of HTTP alone.
        const isRefused = isSalusError(error, 'CHAIN_RPC_FAILED')
        if (!isTooLarge && !isRefused) {
          for (const { reject } of list) reject(error)
          return
        }
        if (isRefused) takesLists = false
      }
    }
    if (first != null) await Promise.all(list.map(sendOne))
  }

  async function sendOne(asked: Asked): Promise<void> {
    try {
      settle(asked, await post(asked.payload))
    } catch (error) {
      asked.reject(error)
    }
  }

  return async (method, params) =>
    new Promise((resolve, reject) => {
      const asked: Asked = { payload: { jsonrpc: '2.0', id: ++lastId, method, params }, resolve, reject }
      if (ALONE.includes(method)) {
        void sendOne(asked)
        return
      }
      if (waiting.length === 0) setImmediate(flush)
      waiting.push(asked)
    })
}

function settle({ resolve, reject }: Asked, answer: unknown): void {
  if (typeof answer === 'object' && answer != null && 'result' in answer) {
    resolve(answer.result)
    return
  }
  const error = typeof answer === 'object' && answer != null && 'error' in answer ? answer.error : undefined
  reject(
    new SalusError('CHAIN_RPC_FAILED', 'The RPC endpoint answered with an error; see the cause.', { cause: error })
  )
}

function idOf(answer: unknown): unknown {
  return typeof answer === 'object' && answer != null && 'id' in answer ? answer.id : undefined
}
