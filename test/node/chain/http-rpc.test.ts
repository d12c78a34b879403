import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { createEndpoints } from '#node/chain/endpoints.ts'
import { createFollower } from '#node/chain/follower.ts'
import { createHttpTransport, type HttpTransportInit } from '#node/chain/http-rpc.ts'
import { openDatabase } from '#node/store/database.ts'
import { createPaperChain, paperChainDeployment, paperId } from '#scripts/bench/node/paper-chain.ts'
import { expectCode } from '#test/error-code.ts'
import { paperEndpoint } from '#test/node/chain/paper-endpoint.ts'
import { silentLog } from '#test/node/chain/test-chain.ts'

const MANY_TOPICS = Array.from({ length: 1_000 }, () => `0x${'00'.repeat(32)}`)
const QUESTION = { jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }

/** Waits for something the follower will do. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(10)
}

describe('a JSON-RPC endpoint', () => {
  let server: Server
  let url: string
  let answer: RequestListener

  before(async () => {
    server = createServer((request, response) => answer(request, response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    url = `http://127.0.0.1:${String(typeof address === 'object' ? address?.port : '')}/key-in-the-path`
  })

  after(() => {
    server.closeAllConnections()
    server.close()
  })

  async function ask(init: HttpTransportInit = {}, signal?: AbortSignal): Promise<unknown> {
    const transport = createHttpTransport(url, init)
    try {
      return await transport.post(QUESTION, signal)
    } finally {
      transport.close()
    }
  }

  it('is asked over one connection, and keeps its key to itself', async () => {
    answer = (_, response) => response.end('{"jsonrpc":"2.0","id":1,"result":"0x1"}')
    const transport = createHttpTransport(url)
    for (let i = 0; i < 3; i++) expect(await transport.post(QUESTION)).to.include({ result: '0x1' })
    expect(transport.name).to.match(/^127\.0\.0\.1:\d+$/)
    transport.close()
  })

  const nonsense: readonly (readonly [string, number, string, string])[] = [
    ['no JSON', 200, '<html>', 'CHAIN_RPC_FAILED'],
    ['half an answer', 200, '{"jsonrpc":"2.0","id":1,"res', 'CHAIN_RPC_FAILED'],
    ['an empty body', 200, '', 'CHAIN_RPC_FAILED'],
    ['an empty list', 200, '[]', 'CHAIN_RPC_FAILED'],
    ['a bare value', 200, '7', 'CHAIN_RPC_FAILED'],
    ['neither result nor error', 200, '{"jsonrpc":"2.0","id":1}', 'CHAIN_RPC_FAILED'],
    ['an error that is none', 200, '{"jsonrpc":"2.0","id":1,"error":null}', 'CHAIN_RPC_FAILED'],
    ['a refusal of HTTP', 403, 'no', 'CHAIN_RPC_FAILED'],
    ['a way elsewhere', 302, '', 'CHAIN_RPC_FAILED'],
    ['too many requests', 429, 'slow down', 'CHAIN_UNREACHABLE'],
    ['a broken gateway', 502, '<html>', 'CHAIN_UNREACHABLE']
  ]
  for (const [name, status, body, code] of nonsense) {
    it(`that gives ${name} fails with ${code}`, async () => {
      answer = (_, response) => response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(body)
      await expectCode(code, async () => ask())
    })
  }

  it('gives an error of JSON-RPC whatever the status of HTTP', async () => {
    answer = (_, response) => response.writeHead(429).end('{"jsonrpc":"2.0","id":1,"error":{"code":-32005}}')
    expect(await ask()).to.deep.include({ error: { code: -32005 } })
  })

  it('that never ends its body is cut off at a size', async () => {
    let sent = 0
    answer = (_, response) => {
      const more = (): void => {
        while (!response.destroyed && sent < 1 << 28) {
          sent += 65_536
          if (!response.write(Buffer.alloc(65_536, 0x20))) {
            response.once('drain', more)
            return
          }
        }
      }
      response.writeHead(200)
      more()
    }
    await expectCode('CHAIN_ANSWER_TOO_LARGE', async () => ask({ maxBytes: 1 << 20 }))
    expect(sent).to.be.lessThan(1 << 26)
  })

  it('that answers slowly, or a byte at a time, is cut off in time', async () => {
    answer = () => undefined
    await expectCode('CHAIN_UNREACHABLE', async () => ask({ timeoutMs: 50 }))
    answer = (_, response) => {
      const timer = setInterval(() => response.write(' '), 5)
      response.once('close', () => clearInterval(timer))
    }
    await expectCode('CHAIN_UNREACHABLE', async () => ask({ timeoutMs: 80 }))
    const stop = new AbortController()
    const asked = ask({}, stop.signal)
    stop.abort()
    await expectCode('CHAIN_UNREACHABLE', async () => asked)
  })
})

describe('a follower and what endpoints make up', function () {
  this.timeout(60_000)
  const chain = createPaperChain({ blocks: 40, eventsPerBlock: 3, mix: 'mixed' })
  const hex = (value: number): string => `0x${value.toString(16)}`
  const absurd: readonly (readonly [string, string, (answer: unknown, params: readonly unknown[]) => unknown])[] = [
    ['a head that is no number', 'eth_blockNumber', () => 'soon'],
    ['a head beyond all numbers', 'eth_blockNumber', () => `0x${'f'.repeat(60)}`],
    ['a head far ahead', 'eth_blockNumber', () => hex(2 ** 40)],
    ['a head that went back', 'eth_blockNumber', () => hex(3)],
    ['a head before all blocks', 'eth_blockNumber', () => hex(0)],
    ['no block at all', 'eth_getBlockByNumber', () => 7],
    [
      'another block than asked for',
      'eth_getBlockByNumber',
      (_, [number]) => chain.answer('eth_getBlockByNumber', [hex(Math.max(Number(number) - 1, 0))])
    ],
    ['a block without a filter', 'eth_getBlockByNumber', answer => ({ ...(answer as object), logsBloom: '0x' })],
    ['another chain', 'eth_chainId', () => '0x539'],
    ['receipts that are none', 'eth_getBlockReceipts', () => [null]],
    ['receipts of another block', 'eth_getBlockReceipts', () => []],
    [
      'receipts with a thousand topics a log',
      'eth_getBlockReceipts',
      answer =>
        (answer as { logs: object[] }[]).map(receipt => ({
          ...receipt,
          logs: receipt.logs.map(log => ({ ...log, topics: MANY_TOPICS }))
        }))
    ]
  ]

  for (const [name, method, twist] of absurd) {
    it(`answers by the last block it knows where one gives ${name}, and goes on when another is there`, async () => {
      const dir = await mkdtemp(join(tmpdir(), 'salus-hostile-'))
      const db = await openDatabase(join(dir, 'db'))
      let isHostile = false
      let hasOther = false
      let head = 20
      const heads = (asked: string): unknown => (asked === 'eth_blockNumber' ? hex(head) : undefined)
      const hostile = paperEndpoint(chain, 'hostile', (asked, params, answer) =>
        isHostile && asked === method ? twist(answer, params) : heads(asked)
      )
      const honest = paperEndpoint(chain, 'honest', heads)
      const other = {
        ...honest,
        post: async (payload: unknown) => (hasOther ? honest.post(payload) : Promise.reject(new Error('away')))
      }
      const log = silentLog
      // A clock that runs fast: one that fell behind is waited for, but not for ever.
      const clock = (): number => 200 * performance.now()
      const endpoints = createEndpoints({ transports: [hostile, other], clock, log })
      const [provider] = endpoints.ranked()
      if (provider == null) throw new Error('no endpoint')
      const follower = createFollower(
        { provider, endpoints, deployment: paperChainDeployment(), db, log },
        { pollMs: 5, maxBackoffMs: 50, compareMs: 20 }
      )
      try {
        await follower.start()
        expect(follower.status().blockNumber).to.equal(20)
        const known = follower.view().grant(paperId('grant', 1))
        isHostile = true
        head = 40
        const { requests } = follower.status().endpoints[0] ?? { requests: 0 }
        await until(() => (follower.status().endpoints[0]?.requests ?? 0) >= requests + 5)
        expect(follower.view().grant(paperId('grant', 1))).to.deep.equal(known)
        expect(follower.status().blockNumber).to.be.within(20, 40)
        expect(follower.status().counters.blocksTakenBack).to.equal(0)
        hasOther = true
        await until(() => follower.status().blockNumber === 40)
      } finally {
        await follower.stop()
        await db.close()
        await rm(dir, { recursive: true, force: true })
      }
    })
  }
})
