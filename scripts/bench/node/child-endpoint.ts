/** An RPC endpoint over a paper chain, as a process: tells its port, then answers. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createPaperChain, type PaperChainInit } from '#scripts/bench/node/paper-chain.ts'

interface Request {
  readonly id: number
  readonly method: string
  readonly params: readonly unknown[]
}

const chain = createPaperChain(JSON.parse(process.argv[2] ?? '') as PaperChainInit)

function answer({ id, method, params }: Request): unknown {
  const result = chain.answer(method, params)
  return result === undefined
    ? { jsonrpc: '2.0', id, error: { code: -32_601, message: 'method not found' } }
    : { jsonrpc: '2.0', id, result }
}

const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => {
    body += chunk
  })
  request.on('end', () => {
    const asked = JSON.parse(body) as Request | Request[]
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(Array.isArray(asked) ? asked.map(answer) : answer(asked)))
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1')
await once(server, 'listening')
process.on('disconnect', () => process.exit())
const address = server.address()
process.send?.(typeof address === 'object' ? address?.port : undefined)
