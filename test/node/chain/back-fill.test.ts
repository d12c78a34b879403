import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { expect } from 'chai'
import { createEndpoints } from '#node/chain/endpoints.ts'
import { createFollower, type FollowerInit } from '#node/chain/follower.ts'
import type { FollowerStatus } from '#node/chain/follower-status.ts'
import type { RpcTransport } from '#node/chain/http-rpc.ts'
import { openDatabase, openTable } from '#node/store/database.ts'
import { createPaperChain, paperChainDeployment, type PaperChainInit } from '#scripts/bench/node/paper-chain.ts'
import { paperEndpoint, type Instead } from '#test/node/chain/paper-endpoint.ts'
import { silentLog } from '#test/node/chain/test-chain.ts'

const SIZE: PaperChainInit = { blocks: 700, eventsPerBlock: 5, mix: 'mixed' }
const HELPERS = join(import.meta.dirname, '../../../scripts/bench/node')

interface Filter {
  readonly fromBlock?: string
  readonly toBlock?: string
}

describe('back-filling', function () {
  this.timeout(60_000)
  const chain = createPaperChain(SIZE)
  const timed = createPaperChain({ ...SIZE, timed: true })
  let dir: string
  let fresh: string[]

  /** The rows of the state, in their order. */
  async function rowsOf(folder: string): Promise<string[]> {
    const db = await openDatabase(join(dir, folder))
    const rows: string[] = []
    for await (const [key, value] of openTable(db, 'chain').iterator({ gte: 'state/', lt: 'state/~' })) {
      rows.push(`${key} ${new TextDecoder().decode(value)}`)
    }
    await db.close()
    return rows
  }

  async function follow(
    folder: string,
    transports: readonly RpcTransport[],
    init: FollowerInit = {}
  ): Promise<FollowerStatus> {
    const db = await openDatabase(join(dir, folder))
    const endpoints = createEndpoints({ transports, clock: Date.now, log: silentLog })
    const [endpoint] = endpoints.ranked()
    if (endpoint == null) throw new Error('no endpoint')
    const components = { provider: endpoint, endpoints, deployment: paperChainDeployment(), db, log: silentLog }
    const follower = createFollower(components, { pollMs: 10, ...init })
    await follower.start()
    const status = follower.status()
    await follower.stop()
    await db.close()
    return status
  }

  /** Blocks of a question for logs. */
  function blocksOf([filter]: readonly unknown[]): number {
    const { fromBlock, toBlock } = filter as Filter
    return fromBlock == null ? 0 : Number(toBlock) - Number(fromBlock) + 1
  }

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'salus-back-fill-'))
    await follow('fresh', [paperEndpoint(chain, 'honest')], { proveAll: true })
    fresh = await rowsOf('fresh')
  })

  after(async () => rm(dir, { recursive: true, force: true }))

  it('makes the index that proving every block makes, with or without times in the logs', async () => {
    expect(fresh.length).to.be.greaterThan(2_000)
    for (const [name, paper] of [
      ['plain', chain],
      ['timed', timed]
    ] as const) {
      const { counters, blockNumber } = await follow(name, [paperEndpoint(paper, name)])
      expect(blockNumber).to.equal(SIZE.blocks)
      expect(counters).to.include({ blocks: SIZE.blocks, events: SIZE.blocks * SIZE.eventsPerBlock, lies: 0 })
      expect(await rowsOf(name)).to.deep.equal(fresh)
    }
  })

  const refusals: readonly (readonly [string, Instead])[] = [
    [
      'ranges of more than 7 blocks',
      (method, params) =>
        method === 'eth_getLogs' && blocksOf(params) > 7
          ? { error: { code: -32_602, message: 'block range is too large' } }
          : undefined
    ],
    [
      'more than 20 logs',
      (method, _, answer) =>
        method === 'eth_getLogs' && (answer as unknown[]).length > 20
          ? { error: { code: -32_005, message: 'query returned more than 20 results' } }
          : undefined
    ],
    [
      'receipts',
      method => (method === 'eth_getBlockReceipts' ? { error: { code: -32_601, message: 'not found' } } : undefined)
    ]
  ]
  for (const [name, refuse] of refusals) {
    it(`gets along with an endpoint that refuses ${name}`, async () => {
      const { counters } = await follow(name, [paperEndpoint(chain, 'limited', refuse)])
      expect(counters.lies).to.equal(0)
      expect(await rowsOf(name)).to.deep.equal(fresh)
    })
  }

  it('asks an endpoint with a limit again and again for little more than it takes', async () => {
    let [refused, answered] = [0, 0]
    const limited = paperEndpoint(chain, 'limited', (method, params) => {
      if (method !== 'eth_getLogs' || blocksOf(params) === 0) return undefined
      if (blocksOf(params) <= 10) {
        answered++
        return undefined
      }
      refused++
      return { error: { code: -32_602, message: 'too many blocks' } }
    })
    await follow('again', [limited])
    expect(refused).to.be.lessThan(answered / 2)
  })

  const lies: readonly (readonly [string, Instead])[] = [
    ['leaves out all', (method, params) => (method === 'eth_getLogs' && blocksOf(params) > 0 ? [] : undefined)],
    [
      'changes terms',
      (method, params, answer) =>
        method === 'eth_getLogs' && blocksOf(params) > 0
          ? (answer as { data: string }[]).map(log => ({ ...log, data: log.data.replace(/..$/, 'ee') }))
          : undefined
    ],
    [
      'gives logs of foreign contracts',
      (method, params, answer) =>
        method === 'eth_getLogs' && blocksOf(params) > 0
          ? (answer as object[]).map(log => ({ ...log, address: `0x${'99'.repeat(20)}` }))
          : undefined
    ],
    [
      'gives logs of other blocks than were asked for',
      (method, params, answer) =>
        method === 'eth_getLogs' && blocksOf(params) > 0
          ? (answer as object[]).map(log => ({ ...log, blockNumber: '0x2bb' }))
          : undefined
    ]
  ]
  for (const [name, lie] of lies) {
    it(`ends with the chain’s index although one endpoint ${name} of the old logs`, async () => {
      const liar = paperEndpoint(chain, 'liar', lie)
      const { counters } = await follow(name, [liar, paperEndpoint(chain, 'honest')])
      expect(await rowsOf(name)).to.deep.equal(fresh)
      expect(counters.events).to.be.at.least(SIZE.blocks * SIZE.eventsPerBlock)
    })
  }

  it('goes on without a gap wherever it is killed', async () => {
    const db = join(dir, 'killed')
    let child: ChildProcess | undefined
    /** Answers until the running follower is killed. */
    let left = Infinity
    const paper = paperEndpoint(chain, 'served')
    const server = createServer((request, response) => {
      readText(request)
        .then(async body => {
          if (left-- <= 0) child?.kill('SIGKILL')
          response.end(JSON.stringify(await paper.post(JSON.parse(body))))
        })
        .catch(() => response.destroy())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const url = `http://127.0.0.1:${String(typeof address === 'object' ? address?.port : '')}`
    try {
      // Within the ranges, and within the blocks that are proven one by one.
      for (const answers of [8, 15, 60, 150]) {
        left = answers
        child = fork(join(HELPERS, 'child-follower.ts'), [url, db, '1'])
        const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
        expect(signal).to.equal('SIGKILL')
      }
      left = Infinity
      child = fork(join(HELPERS, 'child-follower.ts'), [url, db, '1'])
      const [code] = (await once(child, 'exit')) as [number | null]
      expect(code).to.equal(0)
      expect(await rowsOf('killed')).to.deep.equal(fresh)
    } finally {
      child?.kill('SIGKILL')
      server.closeAllConnections()
      server.close()
    }
  })
})
