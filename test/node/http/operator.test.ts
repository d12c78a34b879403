import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { Wallet } from 'ethers'
import { readLocalAccess } from '#node/auth/local-token.ts'
import type { Scope } from '#node/auth/scopes.ts'
import { account } from '#test/node/chain/test-chain.ts'
import { createTestWorld, messageOf, noteOf, until, type TestNode, type TestWorld } from '#test/node/http/world.ts'
import { parseOpenMetrics } from '#test/node/metrics/parse-open-metrics.ts'

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, never>
}

describe('operating a node over HTTP', function () {
  this.timeout(120_000)
  const boss = Wallet.createRandom()
  const watcher = Wallet.createRandom()
  const stranger = Wallet.createRandom()
  let world: TestWorld
  let node: TestNode
  let other: TestNode

  before(async () => {
    world = await createTestWorld()
    const auth = {
      operators: [
        { address: boss.address, scopes: ['status:read', 'events', 'metrics', 'peers:write', 'tokens'] as Scope[] },
        { address: watcher.address.toLowerCase(), scopes: ['status:read', 'metrics'] as Scope[] }
      ],
      tokenLifetimeS: 600,
      readTokenLifetimeS: 6_000
    }
    const http = { port: 0, corsOrigins: ['https://care.example.org'], requests: { perSecond: 1e6, burst: 1e6 } }
    node = await world.node({ http, operators: { auth } })
    other = await world.node({ operators: { auth }, peers: [node.multiaddr] })
  })

  after(async () => {
    await world.stop()
  })

  async function ask(
    method: string,
    path: string,
    {
      token,
      json,
      at = node,
      headers = {}
    }: {
      token?: string
      json?: unknown
      at?: TestNode
      headers?: Record<string, string>
    } = {}
  ): Promise<Answer> {
    const response = await fetch(new URL(path, at.url), {
      method,
      headers: {
        ...headers,
        ...(token == null ? {} : { authorization: `Bearer ${token}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' })
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) })
    })
    const text = await response.text()
    const isJson = /json(?!l)/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : { text }) as never }
  }

  const outcome = ({ status, body }: Answer): [number, string] => [status, String(body['code'])]

  async function challenge(wallet: Pick<Wallet, 'address'>, scopes: readonly string[], at = node): Promise<string> {
    return String(
      (await ask('POST', '/v1/auth/challenge', { json: { address: wallet.address, scopes }, at })).body['message']
    )
  }

  async function redeem(message: string, signature: string, at = node): Promise<Answer> {
    return ask('POST', '/v1/auth/token', { json: { message, signature }, at })
  }

  async function signIn(wallet: Pick<Wallet, 'address' | 'signMessage'>, scopes: readonly string[]): Promise<string> {
    const message = await challenge(wallet, scopes)
    const { status, body } = await redeem(message, await wallet.signMessage(message))
    expect(status).to.equal(200)
    return String(body['token'])
  }

  it('gives a token for a signed text, and takes no other signature', async () => {
    const token = await signIn(boss, ['status:read'])
    const { status, body } = await ask('GET', '/v1/peers', { token })
    expect(status).to.equal(200)
    const [peer] = body['peers'] as unknown as { peerId: string; gossips: boolean }[]
    expect(peer?.peerId).to.equal((await other.client.status()).peerId)

    const message = await challenge(boss, ['status:read'])
    expect(message).to.match(/^127\.0\.0\.1:\d+ wants you to sign in/)
    expect(outcome(await redeem(message, await stranger.signMessage(message)))).to.deep.equal([401, 'AUTH_REFUSED'])
    expect(outcome(await redeem(message, '0x00'))).to.deep.equal([401, 'AUTH_REFUSED'])
    const theirs = await challenge(stranger, ['status:read'])
    expect(outcome(await redeem(theirs, await stranger.signMessage(theirs)))).to.deep.equal([401, 'AUTH_REFUSED'])
  })

  it('takes a signed text once, unchanged, and only if it made it itself', async () => {
    const message = await challenge(boss, ['status:read'])
    const signature = await boss.signMessage(message)
    const elsewhere = await redeem(message, signature, other)
    expect(outcome(elsewhere)).to.deep.equal([401, 'SIGN_IN_FOREIGN'])
    const both = await Promise.all([redeem(message, signature), redeem(message, signature)])
    expect(both.map(({ status }) => status).sort()).to.deep.equal([200, 401])
    expect(outcome(await redeem(message, signature))).to.deep.equal([401, 'AUTH_REFUSED'])

    for (const [from, to] of [
      ['scope:status:read', 'scope:tokens'],
      [boss.address, watcher.address],
      ['127.0.0.1', 'evil.example']
    ] as const) {
      const changed = message.replaceAll(from, to)
      const signed = await boss.signMessage(changed)
      expect(outcome(await redeem(changed, signed)), to).to.deep.equal([401, 'SIGN_IN_FOREIGN'])
    }
    const stretched = message.replace(/Expiration Time: \d{4}/, 'Expiration Time: 2099')
    expect(outcome(await redeem(stretched, await boss.signMessage(stretched)))).to.deep.equal([401, 'SIGN_IN_FOREIGN'])
    expect(outcome(await redeem(`${message} `, signature))).to.deep.equal([400, 'SIGN_IN_FORM'])
  })

  it('gives nobody more than the configuration does', async () => {
    const message = await challenge(watcher, ['status:read', 'peers:write'])
    expect(outcome(await redeem(message, await watcher.signMessage(message)))).to.deep.equal([403, 'AUTH_SCOPE'])
    const token = await signIn(watcher, ['status:read'])
    expect(outcome(await ask('GET', '/metrics', { token }))).to.deep.equal([403, 'AUTH_SCOPE'])
    expect(outcome(await ask('POST', '/v1/peers', { token, json: { address: other.multiaddr } }))).to.deep.equal([
      403,
      'AUTH_SCOPE'
    ])
    expect(outcome(await ask('GET', '/v1/peers'))).to.deep.equal([401, 'AUTH_REQUIRED'])
    expect(outcome(await ask('GET', '/v1/status', { token: 'salus_unknown' }))).to.deep.equal([401, 'AUTH_TOKEN'])
    expect(outcome(await ask('GET', '/v1/status', { headers: { authorization: 'Basic eDp5' } }))).to.deep.equal([
      401,
      'AUTH_TOKEN'
    ])
    // Before its body is looked at.
    expect(outcome(await ask('POST', '/v1/auth/tokens', { json: { nonsense: 1 } }))).to.deep.equal([
      401,
      'AUTH_REQUIRED'
    ])
  })

  it('makes weaker tokens, lists them and ends them', async () => {
    const strong = await signIn(boss, ['tokens', 'metrics', 'status:read'])
    const mint = async (json: unknown): Promise<Answer> => ask('POST', '/v1/auth/tokens', { token: strong, json })
    expect(outcome(await mint({ scopes: ['peers:write'], lifetimeS: 60 }))).to.deep.equal([403, 'AUTH_SCOPE'])
    expect(outcome(await mint({ scopes: ['tokens'], lifetimeS: 60 }))).to.deep.equal([403, 'AUTH_SCOPE'])
    const { body } = await mint({ scopes: ['metrics'], lifetimeS: 31_000_000, label: 'prometheus' })
    const { token, record } = body as unknown as {
      token: string
      record: { id: string; issuedAtS: number; expiresAtS: number }
    }
    expect(record.expiresAtS - record.issuedAtS).to.equal(6_000)
    expect((await ask('GET', '/metrics', { token })).status).to.equal(200)
    const listed = await ask('GET', '/v1/auth/tokens', { token: strong })
    expect(JSON.stringify(listed.body)).to.include('prometheus').and.not.include(token)
    expect(outcome(await ask('DELETE', `/v1/auth/tokens/${'0'.repeat(16)}`, { token }))).to.deep.equal([
      403,
      'AUTH_SCOPE'
    ])
    expect((await ask('DELETE', `/v1/auth/tokens/${record.id}`, { token: strong })).status).to.equal(204)
    expect(outcome(await ask('GET', '/metrics', { token }))).to.deep.equal([401, 'AUTH_TOKEN'])
    expect(outcome(await ask('DELETE', `/v1/auth/tokens/${record.id}`, { token: strong }))).to.deep.equal([
      404,
      'TOKEN_UNKNOWN'
    ])
  })

  it('believes an account that is a contract, as its code says', async () => {
    // Code that answers 0x1626ba7e to everything.
    const account0 = account(0, world.chain.provider)
    const creation = '0x6f631626ba7e60e01b60005260206000f360005260106010f3'
    const { contractAddress } = (await (await account0.sendTransaction({ data: creation })).wait()) ?? {}
    const auth = {
      operators: [{ address: String(contractAddress), scopes: ['status:read'] as Scope[], isContract: true }],
      tokenLifetimeS: 60,
      readTokenLifetimeS: 60
    }
    const third = await world.node({ operators: { auth } })
    const message = await challenge({ address: String(contractAddress) }, ['status:read'], third)
    expect((await redeem(message, '0x1234', third)).status).to.equal(200)
    await third.stop()
  })

  it('lets whoever can read its folder do all', async () => {
    const { url, token } = await readLocalAccess(node.dataDir)
    expect(url).to.equal(node.url)
    expect((await ask('GET', '/v1/peers', { token })).status).to.equal(200)
    expect((await stat(join(node.dataDir, 'operator.json'))).mode & 0o777).to.equal(0o600)
    expect(outcome(await ask('GET', '/v1/peers', { token, at: other }))).to.deep.equal([401, 'AUTH_TOKEN'])
  })

  it('lets a token without the scope of events hear what everyone may', async () => {
    const token = await signIn(watcher, ['metrics'])
    const stream = await fetch(new URL('/v1/events', node.url), { headers: { authorization: `Bearer ${token}` } })
    for await (const { event } of heard(stream)) {
      expect(event).to.equal('block')
      break
    }
  })

  it('connects, lets go and bans', async () => {
    const { token } = await readLocalAccess(node.dataDir)
    const lone = await world.node()
    const { peerId } = await lone.client.status()
    const isConnected = async (): Promise<boolean> =>
      JSON.stringify((await ask('GET', '/v1/peers', { token })).body).includes(peerId)
    const { body } = await ask('POST', '/v1/peers', { token, json: { address: lone.multiaddr } })
    expect(body['peerId']).to.equal(peerId)
    expect(await isConnected()).to.equal(true)
    expect((await ask('DELETE', `/v1/peers/${peerId}`, { token })).status).to.equal(204)
    await until(async () => !(await isConnected()))
    expect((await ask('POST', `/v1/peers/${peerId}/ban`, { token })).status).to.equal(204)
    expect(outcome(await ask('POST', '/v1/peers', { token, json: { address: lone.multiaddr } }))).to.deep.equal([
      504,
      'PEER_UNREACHED'
    ])
    expect(outcome(await ask('POST', '/v1/peers', { token, json: { address: 'nowhere' } }))).to.deep.equal([
      400,
      'PEER_ADDRESS_MALFORMED'
    ])
    expect(outcome(await ask('DELETE', '/v1/peers/nobody', { token }))).to.deep.equal([400, 'PEER_ID_MALFORMED'])
    await lone.stop()
  })

  /** Reads events until one is found. */
  async function* heard(response: Response): AsyncGenerator<{ event: string; id: string; data: string }> {
    let text = ''
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += new TextDecoder().decode(part)
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(text.slice(0, end))?.[1] ?? ''
        const found = { event: field('event'), id: field('id'), data: field('data') }
        text = text.slice(end + 2)
        if (found.event !== '') yield found
      }
    }
  }

  it('tells everyone of blocks, and operators of the rest, without saying whose', async () => {
    const { token } = await readLocalAccess(node.dataDir)
    const open = await fetch(new URL('/v1/events', node.url))
    expect(open.headers.get('content-type')).to.match(/^text\/event-stream/)
    for await (const { event, data } of heard(open)) {
      expect(event).to.equal('block')
      expect(JSON.parse(data)).to.have.all.keys('number', 'timeS')
      break
    }
    expect(outcome(await ask('GET', '/v1/events?topics=accepted'))).to.deep.equal([401, 'AUTH_REQUIRED'])
    expect(outcome(await ask('GET', '/v1/events?topics=everything'))).to.deep.equal([400, 'HTTP_BODY_SHAPE'])
    const told = await fetch(new URL('/v1/events?topics=accepted', node.url), {
      headers: { authorization: `Bearer ${token}` }
    })
    const patient = await world.patient(node)
    await node.client.publish(messageOf(world.network, patient, noteOf(patient)))
    for await (const { data, id } of heard(told)) {
      expect(JSON.parse(data)).to.deep.equal({ kind: 'entry' })
      await node.client.publish(messageOf(world.network, patient, noteOf(patient)))
      const headers = { authorization: `Bearer ${token}`, 'last-event-id': id }
      const again = await fetch(new URL('/v1/events?topics=accepted', node.url), { headers })
      for await (const next of heard(again)) {
        expect([next.event, Number(next.id.split('-')[1]) > Number(id.split('-')[1])]).to.deep.equal(['accepted', true])
        break
      }
      break
    }
  })

  it('ends a stream of events with its token', async () => {
    const token = await signIn(boss, ['events'])
    const stream = await fetch(new URL('/v1/events?topics=block', node.url), {
      headers: { authorization: `Bearer ${token}` }
    })
    const { token: strong } = await readLocalAccess(node.dataDir)
    const { body } = await ask('GET', '/v1/auth/tokens', { token: strong })
    const ids = (body['tokens'] as unknown as { id: string; scopes: string[] }[]).filter(
      ({ scopes }) => scopes.join() === 'events'
    )
    for (const { id } of ids) await ask('DELETE', `/v1/auth/tokens/${id}`, { token: strong })
    let ended = 'closed'
    try {
      for await (const { event } of heard(stream)) expect(event).to.equal('block')
    } catch {
      ended = 'cut'
    }
    expect(ended).to.be.oneOf(['closed', 'cut'])
  })

  it('measures itself in the words that its dashboards use, with no id in a label', async () => {
    const { token } = await readLocalAccess(node.dataDir)
    await ask('GET', `/v1/grants/0x${'ab'.repeat(32)}`)
    await ask('GET', '/no/such/place')
    expect(outcome(await ask('GET', '/metrics'))).to.deep.equal([401, 'AUTH_REQUIRED'])
    const { body, headers } = await ask('GET', '/metrics', { token })
    expect(headers.get('content-type')).to.match(/^application\/openmetrics-text; version=1\.0\.0/)
    const families = parseOpenMetrics(String(body['text']))
    const routes = families.get('salus_http_requests')?.samples.map(({ labels }) => labels['route'])
    expect(routes).to.include.members(['/v1/grants/:id', '/v1/auth/token', 'none'])
    expect(String(body['text'])).to.not.match(/abab|0x[0-9a-f]{8}|12D3Koo/)
    expect(families.get('salus_ready')?.samples[0]?.value).to.equal(1)
  })

  it('lets web pages in as far as they are known', async () => {
    const page = async (method: string, path: string, origin: string, more = {}): Promise<string | null> =>
      (await ask(method, path, { headers: { origin, ...more } })).headers.get('access-control-allow-origin')
    const known = 'https://care.example.org'
    const asks = { 'access-control-request-method': 'POST' }
    expect(await page('OPTIONS', '/v1/relay', known, asks)).to.equal(known)
    for (const origin of ['https://evil.example', 'null', 'https://care.example.org.evil.example', `${known}:8443`]) {
      expect(await page('OPTIONS', '/v1/relay', origin, asks)).to.equal(null)
      expect(await page('GET', '/v1/peers', origin)).to.equal(null)
      expect(await page('GET', '/v1/status', origin)).to.equal('*')
    }
    expect(await page('GET', '/v1/peers', known)).to.equal(known)
    const policy = async (path: string, origin?: string): Promise<string | null> =>
      (await ask('GET', path, { headers: origin == null ? {} : { origin } })).headers.get(
        'cross-origin-resource-policy'
      )
    expect([await policy('/v1/status'), await policy('/v1/status', known)]).to.deep.equal([
      'cross-origin',
      'cross-origin'
    ])
    expect(await policy('/v1/peers', known)).to.equal('cross-origin')
    expect([await policy('/v1/peers'), await policy('/v1/peers', 'https://evil.example')]).to.deep.equal([
      'same-origin',
      'same-origin'
    ])
    const { headers } = await ask('GET', '/v1/status', { headers: { origin: known } })
    expect(headers.get('access-control-allow-credentials')).to.equal(null)
  })

  it('relays once under one key, and says so', async () => {
    const json = { contract: 'AccessGrants', method: 'nothing', args: [] }
    const headers = { 'idempotency-key': '"5f0c"' }
    // A refusal is judged anew.
    expect(outcome(await ask('POST', '/v1/relay', { json, headers }))).to.deep.equal([400, 'RELAY_NOT_ALLOWED'])
    const patient = await world.patient(node)
    const message = messageOf(world.network, patient, noteOf(patient))
    const send = async (body: Uint8Array, key: string): Promise<Response> =>
      fetch(new URL('/v1/messages', node.url), {
        method: 'POST',
        body: new Uint8Array(body),
        headers: { 'content-type': 'application/cbor', 'idempotency-key': key }
      })
    const first = await (await send(message, 'k1')).text()
    const again = await send(message, 'k1')
    expect([await again.text(), again.headers.get('idempotency-replayed')]).to.deep.equal([first, 'true'])
    expect((await send(message.slice(1), 'k1')).status).to.equal(422)
  })

  /** Sends bytes as they are; gives the first line of each answer. */
  async function raw(...lines: string[]): Promise<string[]> {
    const { hostname, port } = new URL(node.url)
    const socket = connect(Number(port), hostname)
    let text = ''
    socket.on('data', (part: Buffer) => {
      text += part.toString()
    })
    const closed = new Promise(resolve => socket.once('close', resolve))
    socket.once('error', () => undefined)
    socket.write(lines.join('\r\n'))
    setTimeout(() => socket.end(), 2_000).unref()
    await closed
    return text.match(/^HTTP\/1\.1 \d+/gm)?.map(line => line.slice(9)) ?? []
  }

  it('is not fooled by how a request is written', async () => {
    const end = ['Connection: close', '', '']
    const smuggled = ['0', '', 'GET /healthz HTTP/1.1', 'Host: x', '', '']
    const post = 'POST /v1/relay HTTP/1.1'
    expect(
      await raw(post, 'Host: x', 'Content-Length: 4', 'Transfer-Encoding: chunked', '', ...smuggled)
    ).to.deep.equal(['400'])
    expect(await raw(post, 'Host: x', 'Content-Length: 1', 'Content-Length: 2', '', 'ab')).to.deep.equal(['400'])
    expect(await raw('GET /healthz HTTP/1.1', 'Host: x', 'X: a\nGET /v1/peers HTTP/1.1', ...end)).to.deep.equal(['400'])
    expect(await raw('GET /healthz HTTP/1.1', 'Host: x', `Cookie: ${'a'.repeat(20_000)}`, ...end)).to.deep.equal([
      '431'
    ])
    for (const path of [
      '//v1/peers',
      '/v1//peers',
      '/v1/./peers',
      '/v1/%70eers',
      '/V1/peers',
      '/v1/peers/',
      '/x/../v1/peers',
      '/v1/peers%00',
      'http://evil/v1/peers'
    ]) {
      const [status = ''] = await raw(`GET ${path} HTTP/1.1`, 'Host: x', ...end)
      expect(status, path).to.be.oneOf(['400', '401', '404'])
    }
    // Not trusted, so what it says of others is not believed.
    const spoofed = await ask('GET', '/v1/status', {
      headers: { 'x-forwarded-for': '203.0.113.7', forwarded: 'for=x' }
    })
    expect(spoofed.status).to.equal(200)
  })

  it('backs up and scrubs while it runs, and lets no token from elsewhere choose where to', async () => {
    const { token } = await readLocalAccess(node.dataDir)
    const to = `${node.dataDir}-backups`
    const made = await ask('POST', '/v1/backups', { token, json: { to } })
    const report = JSON.parse(String(made.body['text']).trim().split('\n').at(-1) ?? '') as { done: { rows: number } }
    expect(report.done.rows).to.be.above(0)
    await rm(to, { recursive: true })
    const scrubbed = await ask('POST', '/v1/scrubs', { token })
    expect(String(scrubbed.body['text'])).to.match(/"done":\{"messages":\{"read":\d+,"damaged":0/)
    const { body } = await ask('POST', '/v1/auth/tokens', { token, json: { scopes: ['backup'], lifetimeS: 60 } })
    const other = await ask('POST', '/v1/backups', { token: String(body['token']), json: { to } })
    expect(outcome(other)).to.deep.equal([403, 'BACKUP_FOLDER'])
  })

  it('keeps no token that could be used on the disk', async () => {
    const token = await signIn(boss, ['status:read'])
    const folder = join(node.dataDir, 'db')
    const bytes = await Promise.all((await readdir(folder)).map(async name => readFile(join(folder, name))))
    const all = Buffer.concat(bytes)
    expect(all.includes(boss.address.toLowerCase())).to.equal(true)
    expect(all.includes(token)).to.equal(false)
    expect(all.includes(token.slice('salus_'.length))).to.equal(false)
  })
})
