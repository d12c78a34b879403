/** HTTP of a witness: `POST /add-checkpoint` and `GET /<origin hash>/checkpoint` (C2SP tlog-witness). */
import { MAX_REQUEST_LENGTH } from '#core/tlog/witness.ts'
import { createPlainServer, type PlainAnswer, type PlainRequest, type PlainServer } from '#node/http/plain-server.ts'
import type { Witness } from '#node/witness/witness.ts'

const MAX_CONNECTIONS = 256
/** UTF-8 bytes of a UTF-16 unit at most. */
const BYTES_PER_UNIT = 3

/** Makes the server; nothing is opened before `start()`. */
export function createWitnessServer(
  witness: Witness,
  listen: { readonly host: string; readonly port: number }
): PlainServer {
  return createPlainServer(async request => answer(witness, request), {
    ...listen,
    maxConnections: MAX_CONNECTIONS,
    maxBodyBytes: BYTES_PER_UNIT * MAX_REQUEST_LENGTH
  })
}

async function answer(witness: Witness, { method, url, body }: PlainRequest): Promise<PlainAnswer> {
  if (method === 'POST' && url === '/add-checkpoint') {
    return witness.addCheckpoint(Buffer.from(body).toString('utf8'))
  }
  const [, hash] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(url) ?? []
  const checkpoint = method === 'GET' && hash != null ? witness.checkpoint(hash) : undefined
  return checkpoint == null ? { status: 404 } : { status: 200, type: 'text/plain; charset=utf-8', body: checkpoint }
}
