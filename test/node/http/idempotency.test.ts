import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Hono } from 'hono'
import { createAnsweredStore, KEPT_MS } from '#node/http/answered.ts'
import { idempotent } from '#node/http/idempotency.ts'
import { problemResponse } from '#node/http/problem.ts'
import { openDatabase, openTable, type Database } from '#node/store/database.ts'
import { silentLog } from '#test/node/chain/test-chain.ts'

describe('idempotency keys', () => {
  let folder: string
  let db: Database
  let nowMs = 1_000

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'salus-answered-'))
    db = await openDatabase(join(folder, 'db'))
  })

  afterEach(async () => {
    await db.close()
    await rm(folder, { recursive: true })
  })

  /** An application whose one route counts how often it was carried out. */
  async function appOf(work: (count: number) => Promise<Response> = async n => Promise.resolve(Response.json({ n }))) {
    const store = createAnsweredStore({ db, clock: () => nowMs, maxAnswers: 8, maxOfOne: 4 })
    await store.start()
    let count = 0
    const app = new Hono()
    app.onError((error, context) => problemResponse(context, error, silentLog))
    app.use(idempotent(store, context => context.req.header('who') ?? ''))
    app.post('/do', async () => work(++count))
    const post = async (key: string | null, body = 'a', who = 'me'): Promise<Response> =>
      app.request('/do', { method: 'POST', body, headers: { who, ...(key == null ? {} : { 'idempotency-key': key }) } })
    return { post, store, count: () => count }
  }

  async function codeOf(response: Response): Promise<[number, string]> {
    return [response.status, ((await response.json()) as { code: string }).code]
  }

  it('carries the same request out once, also after a restart', async () => {
    const { post, store, count } = await appOf()
    expect(await (await post('"one"')).json()).to.deep.equal({ n: 1 })
    const again = await post('one')
    expect(await again.json()).to.deep.equal({ n: 1 })
    expect(again.headers.get('idempotency-replayed')).to.equal('true')
    expect(again.headers.get('content-type')).to.equal('application/json')
    await store.stop()
    const later = await appOf()
    expect(await (await later.post('one')).json()).to.deep.equal({ n: 1 })
    expect([count(), later.count()]).to.deep.equal([1, 0])
    expect(await (await post(null)).json()).to.deep.equal({ n: 2 })
  })

  it('refuses a key that was used for another request, and what is no key', async () => {
    const { post } = await appOf()
    await post('one')
    expect(await codeOf(await post('one', 'b'))).to.deep.equal([422, 'IDEMPOTENCY_REUSED'])
    for (const key of ['', '""', 'a b', '"', 'x'.repeat(129), '"a"b"', 'é']) {
      expect(await codeOf(await post(key)), key).to.deep.equal([400, 'IDEMPOTENCY_KEY'])
    }
  })

  it('keeps askers apart', async () => {
    const { post } = await appOf()
    await post('one')
    expect(await (await post('one', 'b', 'somebody else')).json()).to.deep.equal({ n: 2 })
  })

  it('says that a request is under way, and lets it be asked again where it failed', async () => {
    const gate = Promise.withResolvers<undefined>()
    const { post } = await appOf(async n => {
      await gate.promise
      return Response.json({ n }, { status: n === 1 ? 503 : 200 })
    })
    const first = post('one')
    expect(await codeOf(await post('one'))).to.deep.equal([409, 'IDEMPOTENCY_IN_FLIGHT'])
    gate.resolve(undefined)
    expect((await first).status).to.equal(503)
    expect(await (await post('one', 'b')).json()).to.deep.equal({ n: 2 })
    expect(await (await post('one', 'b')).json()).to.deep.equal({ n: 2 })
  })

  it('does not grow without end, and one asker does not push out another', async () => {
    const { post } = await appOf()
    await post('theirs', 'a', 'they')
    for (let i = 0; i < 50; i++) await post(`key-${i}`)
    const rows = await openTable(db, 'answered').keys().all()
    expect(rows).to.have.length(5)
    expect((await post('theirs', 'a', 'they')).headers.get('idempotency-replayed')).to.equal('true')
    for (let i = 0; i < 50; i++) await post('key', 'a', `flood ${i}`)
    expect(await openTable(db, 'answered').keys().all()).to.have.length(8)
    nowMs += KEPT_MS
    await post('new')
    expect(await openTable(db, 'answered').keys().all()).to.have.length(1)
  })

  it('keeps count of what is on the disk also where that took nothing for a while', async () => {
    const { post } = await appOf()
    for (let i = 0; i < 4; i++, nowMs++) await post(`key-${i}`)
    const write = db.batch.bind(db)
    Object.defineProperty(db, 'batch', { configurable: true, value: async () => Promise.reject(new Error('IO error')) })
    // Each takes out an older one, which stays on the disk.
    for (let i = 4; i < 8; i++) expect((await post(`key-${i}`)).status).to.equal(503)
    Object.defineProperty(db, 'batch', { configurable: true, value: write })
    await post('key-8')
    expect(await openTable(db, 'answered').keys().all()).to.have.length(4)
    expect((await post('key-3')).headers.get('idempotency-replayed')).to.equal('true')
  })

  it('keeps neither keys nor askers in the clear', async () => {
    const { post } = await appOf()
    await post('my-secret-key', 'a', '203.0.113.9')
    for await (const [row, value] of openTable(db, 'answered').iterator()) {
      expect(`${row} ${new TextDecoder().decode(value)}`).to.not.match(/my-secret-key|203\.0\.113/)
    }
  })
})
