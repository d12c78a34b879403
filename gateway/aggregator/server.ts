/** HTTP of an aggregator: `POST /v1/heads` and `GET /v1/heads/<gateway>/<sequence>` (docs/specs/super-root.md). */
import { createPlainServer, type PlainAnswer, type PlainRequest, type PlainServer } from '#node/http/plain-server.ts'
import { isRefusal, type Aggregator } from '#gateway/aggregator/aggregator.ts'
import { MAX_HEAD_CALL_BYTES } from '#gateway/aggregator/epoch-file.ts'
import { encodeRooted } from '#gateway/rooted-codec.ts'

const MAX_CONNECTIONS = 1024
const TYPE = 'application/cbor'

/** Makes the server; nothing is opened before `start()`. */
export function createAggregatorServer(
  aggregator: Aggregator,
  listen: { readonly host: string; readonly port: number }
): PlainServer {
  return createPlainServer(async request => answer(aggregator, request), {
    ...listen,
    maxConnections: MAX_CONNECTIONS,
    maxBodyBytes: MAX_HEAD_CALL_BYTES
  })
}

async function answer(aggregator: Aggregator, { method, url, body }: PlainRequest): Promise<PlainAnswer> {
  if (method === 'POST' && url === '/v1/heads') {
    try {
      await aggregator.submit(body)
      return { status: 202, type: TYPE }
    } catch (error) {
      return { status: isRefusal(error) ? 422 : 503, type: TYPE }
    }
  }
  const [, gateway, sequence] = /^\/v1\/heads\/([0-9a-f]{64})\/([1-9][0-9]{0,14})$/.exec(url) ?? []
  const place = method === 'GET' && gateway != null ? aggregator.find(`0x${gateway}`, Number(sequence)) : undefined
  return place == null ? { status: 404, type: TYPE } : { status: 200, type: TYPE, body: encodeRooted(place) }
}
