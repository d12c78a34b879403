import { expect } from 'chai'
import { exportJWK, generateKeyPair } from 'jose'
import type { HisClient } from '#agent/fhir/his-token.ts'
import {
  syncFromHis,
  type HisSyncComponents,
  type HisSyncInit,
  type HisSyncResult,
  type HisSyncState
} from '#agent/fhir/his-sync.ts'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { planImport } from '#core/fhir/import/plan.ts'
import { collected } from '#test/collected.ts'
import { startHis, type HisResource, type HisServer } from '#test/agent/fhir/his-server.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

const random = seededRandom('his')
const DAY_MS = 86_400_000
const resource = (type: string, id: string, updatedMs: number): HisResource => ({
  type,
  text: `{"resourceType":"${type}","id":"${id}","valueDecimal":1.00}`,
  updatedMs
})

const urlOf = (request: Parameters<typeof fetch>[0]): string =>
  request instanceof Request ? request.url : request.toString()

describe('sync with a hospital’s FHIR server', () => {
  let his: HisServer
  let client: HisClient
  let slept: number[]
  let kept: number
  let components: HisSyncComponents
  const bulk = (): HisSyncInit => ({ client, from: { kind: 'bulk', path: 'Group/1/$export' }, types: [] })
  const searching = (): HisSyncInit => ({
    client,
    from: { kind: 'search', patient: 'p' },
    types: ['Patient', 'Observation']
  })

  beforeEach(async () => {
    his = await startHis()
    const { publicKey, privateKey } = await generateKeyPair('ES384')
    his.jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES384' }] }
    client = {
      base: his.base,
      clientId: 'salus-client',
      key: privateKey,
      keyId: 'k',
      algorithm: 'ES384',
      scope: 'system/*.rs',
      allowHttp: true
    }
    slept = []
    kept = 0
    const t = his.nowMs
    his.resources = [
      resource('Patient', 'p', t - 9 * DAY_MS),
      ...Array.from({ length: 8 }, (_, i) => resource('Observation', `o${i}`, t - i * DAY_MS))
    ]
    components = {
      fetch,
      clock: () => his.nowMs,
      sleep: ms => {
        slept.push(ms)
        his.nowMs += ms
        return Promise.resolve()
      },
      jitter: () => 1,
      random,
      spool: {
        keep: async bytes => {
          const pieces = await collected(bytes)
          kept++
          const open = async function* (): AsyncGenerator<Uint8Array> {
            for (const piece of pieces) yield await Promise.resolve(piece)
          }
          return {
            open,
            remove: () => {
              kept--
              return Promise.resolve()
            }
          }
        }
      }
    }
  })
  afterEach(async () => {
    expect(kept).to.equal(0)
    await his.close()
  })

  async function sync(
    init: HisSyncInit,
    state: HisSyncState = { since: null }
  ): Promise<HisSyncResult & { ids: string[] }> {
    const ids: string[] = []
    const result = await syncFromHis(components, init, state, async source => {
      for await (const { kind, body } of planImport(source, {
        primitives: portablePrimitives,
        random,
        today: 20_000
      })) {
        const text = Buffer.from(body).toString()
        if (kind === 'resource') ids.push(/"id":"(\w+)"/.exec(text)?.[1] ?? '')
        if (kind === 'resource') expect(text).to.contain('1.00')
      }
    })
    return { ...result, ids: ids.sort() }
  }
  const ALL = ['o0', 'o1', 'o2', 'o3', 'o4', 'o5', 'o6', 'o7', 'p']

  it('brings all the first time and what is new the second, by bulk export', async () => {
    his.notReady = 2
    const first = await sync(bulk())
    expect(first).to.deep.include({ ids: ALL, files: 2, problems: 0 })
    expect(slept).to.deep.equal([2000, 2000])
    expect(his.openExports.size).to.equal(0)
    his.nowMs += DAY_MS
    his.resources.push(resource('Observation', 'new', his.nowMs))
    const second = await sync(bulk(), first.state)
    expect(second.ids).to.deep.equal(['new'])
    expect((await sync({ ...bulk(), types: ['Patient'] })).ids).to.deep.equal(['p'])
  })

  it('does the same by paged search', async () => {
    const first = await sync(searching())
    expect(first.ids).to.deep.equal(ALL)
    expect(first.files).to.equal(1 + 3)
    his.nowMs += DAY_MS
    his.resources.push(resource('Observation', 'new', his.nowMs))
    // The overlap brings again what changed around the last sync.
    expect((await sync(searching(), first.state)).ids).to.deep.equal(['new', 'o0'])
    await expectCode('HIS_TYPES', () => sync({ ...searching(), types: [] }))
  })

  it('signs with RSA too, and gets no access with a key that is not registered', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS384')
    client = { ...client, key: privateKey, algorithm: 'RS384', keyId: 'r' }
    await expectCode('HIS_TOKEN', () => sync(bulk()))
    his.jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'r', alg: 'RS384' }] }
    expect((await sync(bulk())).ids).to.deep.equal(ALL)
    client = { ...client, clientId: 'someone-else' }
    await expectCode('HIS_TOKEN', () => sync(bulk()))
  })

  it('waits as it is asked to, backs off otherwise, and gives up in the end', async () => {
    his.failures.push({ status: 429, retryAfter: '7' }, { status: 503 }, { status: 500 })
    expect((await sync(bulk())).ids).to.deep.equal(ALL)
    expect(slept).to.deep.equal([7000, 1000, 2000])
    his.failures.push(...Array.from({ length: 6 }, () => ({ status: 503, retryAfter: '999999' })))
    slept = []
    await expectCode('HIS_BUSY', () => sync(bulk()))
    expect(slept).to.deep.equal(Array.from({ length: 5 }, () => 60_000))
    const nowhere = { ...client, base: 'http://127.0.0.1:1/fhir' }
    await expectCode('HIS_UNREACHABLE', () => sync({ ...bulk(), client: nowhere, retry: { attempts: 2 } }))
  })

  it('asks for a new token before and after the old one ends, once for many requests', async () => {
    his.tokenLifeS = 61
    await sync(searching())
    const asked = his.seen.filter(({ path }) => path.endsWith('/token')).length
    expect(asked).to.equal(1)
    let isFirst = true
    components = {
      ...components,
      fetch: async (...request) => {
        const isSearch = urlOf(request[0]).includes('Observation')
        if (isSearch && isFirst) {
          isFirst = false
          his.forgetTokens()
        }
        return fetch(...request)
      }
    }
    expect((await sync(searching())).ids).to.deep.equal(ALL)
    expect(his.seen.filter(({ path }) => path.endsWith('/token')).length).to.equal(asked + 2)
  })

  it('sends its access to no other server', async () => {
    const other = await startHis()
    his.elsewhere = other.base
    await expectCode('HIS_FOREIGN', () => sync(searching()))
    await expectCode('HIS_FOREIGN', () => sync(bulk()))
    expect(other.seen).to.deep.equal([])
    await other.close()
    const plain = { ...client, allowHttp: false }
    await expectCode('HIS_INSECURE', () => sync({ ...bulk(), client: plain }))
  })

  it('keeps its old state when something fails on the way, and leaves nothing behind', async () => {
    let taken = 0
    const failing = syncFromHis(components, bulk(), { since: null }, () => {
      taken++
      return Promise.reject(new Error('disk full'))
    })
    expect(await failing.catch((error: unknown) => (error as Error).message)).to.equal('disk full')
    expect(taken).to.equal(1)
    expect(his.openExports.size).to.equal(0)
  })

  it('fetches no faster than it can put by', async () => {
    const order: string[] = []
    const { spool } = components
    components = {
      ...components,
      fetch: async (...request) => {
        if (urlOf(request[0]).includes('/file/')) order.push('fetch')
        return fetch(...request)
      },
      spool: {
        keep: async bytes => {
          const slowly = async function* (): AsyncGenerator<Uint8Array> {
            for await (const piece of bytes) {
              await new Promise(done => setTimeout(done, 20))
              if (piece.length > 1) order.push('put by')
              yield piece
            }
          }
          return spool.keep(slowly())
        }
      }
    }
    await sync(bulk())
    expect(order).to.deep.equal(['fetch', 'put by', 'fetch', 'put by'])
  })

  it('sees a reference from one file to something sensitive in another', async () => {
    const request = '{"resourceType":"MedicationRequest","id":"m","reasonReference":[{"reference":"Condition/c"}]}'
    const condition = '{"resourceType":"Condition","id":"c","code":{"text":"HIV infection"}}'
    const updatedMs = his.nowMs
    his.resources = [
      { type: 'MedicationRequest', text: request, updatedMs },
      { type: 'Condition', text: condition, updatedMs }
    ]
    for (const init of [bulk(), { ...searching(), types: ['MedicationRequest', 'Condition'] }]) {
      const sections: string[] = []
      await syncFromHis(components, init, { since: null }, async source => {
        const plan = planImport(source, { primitives: portablePrimitives, random, today: 20_000 })
        for await (const { compartment } of plan) sections.push(compartment)
      })
      expect(sections).to.deep.equal(['sexual', 'sexual', 'sexual'])
    }
  })

  it('takes nothing when nothing is new', async () => {
    his.nowMs += DAY_MS
    const { state } = await sync(bulk())
    expect(await sync(bulk(), state)).to.deep.include({ ids: [], files: 0 })
  })

  it('goes by the server’s clock, not by its own', async () => {
    const serverMs = his.nowMs
    components = { ...components, clock: () => serverMs - 120_000 }
    const { state } = await sync(searching())
    expect(Date.parse(state.since ?? '')).to.equal(serverMs - 60_000)
  })

  it('says so when an export is not ready in time, and when pages never end', async () => {
    his.notReady = 1e9
    await expectCode('HIS_EXPORT_SLOW', () => sync({ ...bulk(), maxWaitMs: 10_000 }))
    expect(his.openExports.size).to.equal(0)
    const loop = `{"resourceType":"Bundle","link":[{"relation":"next","url":"${his.base}/Observation?x"}]}`
    components = {
      ...components,
      fetch: async (...request) => (urlOf(request[0]).includes('?') ? new Response(loop) : fetch(...request))
    }
    await expectCode('HIS_PAGES', () => sync(searching()))
  })

  it('stops when it is told to', async () => {
    const stop = new AbortController()
    stop.abort(new Error('stopped'))
    const stopped = sync({ ...bulk(), retry: { signal: stop.signal } })
    expect(await stopped.catch((error: unknown) => (error as Error).message)).to.equal('stopped')
  })
})
