import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { createDaemon, type Daemon, type DaemonInit, type DaemonReady } from '#agent/daemon.ts'
import type { AgentWorld } from '#agent/components.ts'
import { createAgentClient, type AgentClient } from '#agent/cli/client.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { nativeStretch } from '#node/crypto/native-scrypt.ts'
import { createNodeClient } from '#node/http/client.ts'
import { expectCode } from '#test/error-code.ts'
import { silentLog } from '#test/node/chain/test-chain.ts'
import { until } from '#scripts/story/until.ts'

const ADDRESS = '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512'
const DEPLOYMENT = {
  chainId: 31_337,
  networkId: toHex(networkIdOf(31_337, ADDRESS)),
  blockNumber: 0,
  contracts: { AccessGrants: { address: ADDRESS } }
} as unknown as Deployment
const PASSPHRASE = 'correct horse battery staple'
const VAULT = { passphrase: PASSPHRASE, deviceName: 'laptop' }

describe('an agent’s process', function () {
  this.timeout(60_000)
  let home: string
  let nowMs: number
  const running: Daemon[] = []
  /** Every random byte that was drawn: keys are among them. */
  let drawn: Uint8Array[]

  function daemon(change: Partial<DaemonInit> = {}): Daemon {
    const world: AgentWorld = {
      p: nativePrimitives,
      random: length => {
        const bytes = new Uint8Array(randomBytes(length))
        drawn.push(bytes.slice())
        return bytes
      },
      clock: () => nowMs,
      stretch: nativeStretch,
      log: silentLog,
      deployment: DEPLOYMENT,
      // Nobody listens there.
      node: createNodeClient({ url: 'http://127.0.0.1:1', timeoutMs: 1_000 }),
      chain: {
        events: async () => Promise.resolve([]),
        recordOf: async () => Promise.reject(new SalusError('CHAIN_UNREACHABLE', 'away')),
        grantHistory: async () => Promise.resolve(null),
        credentialsOf: async () => Promise.resolve([]),
        headTimeS: async () => Promise.reject(new SalusError('CHAIN_UNREACHABLE', 'away')),
        capsuleOf: async () => Promise.reject(new SalusError('CHAIN_UNREACHABLE', 'away')),
        nonceOf: async () => Promise.reject(new SalusError('CHAIN_UNREACHABLE', 'away')),
        guardiansOf: async () => Promise.reject(new SalusError('CHAIN_UNREACHABLE', 'away')),
        anchorOf: async () => Promise.reject(new SalusError('CHAIN_UNREACHABLE', 'away')),
        recoveryReadyAtS: async () => Promise.reject(new SalusError('CHAIN_UNREACHABLE', 'away')),
        viewOf: async () => Promise.reject(new SalusError('CHAIN_UNREACHABLE', 'away'))
      }
    }
    const cost = { logN: 14, r: 8, p: 1 }
    const init = { home, host: '127.0.0.1', port: 0, autoLockS: 0, nodeUrl: 'http://127.0.0.1:1', version: '0' }
    const made = createDaemon(world, { ...init, cost, ...change })
    running.push(made)
    return made
  }

  async function start(
    change: Partial<DaemonInit> = {}
  ): Promise<DaemonReady & { client: AgentClient; token: string }> {
    const ready = await daemon(change).start()
    const token = await readFile(ready.tokenFile, 'utf8')
    return { ...ready, token, client: createAgentClient({ url: ready.url, token }) }
  }

  const stateOf = async (client: AgentClient): Promise<unknown> =>
    (await client.get<{ state: string }>('/v1/status')).state

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'salus-home-'))
    nowMs = Date.now()
    drawn = []
  })

  afterEach(async () => {
    for (const each of running.splice(0)) await each.stop()
    await rm(home, { recursive: true, force: true })
  })

  it('keeps accounts in a vault that only its passphrase opens, also after a restart', async () => {
    const first = await start()
    expect(first.state).to.equal('empty')
    await expectCode('VAULT_ABSENT', async () => first.client.post('/v1/unlock', { passphrase: PASSPHRASE }))
    await first.client.post('/v1/vault', VAULT)
    const { address } = await first.client.post<{ address: string }>('/v1/clinician')
    await expectCode('AGENT_HAS_CLINICIAN', async () => first.client.post('/v1/clinician'))
    await expectCode('VAULT_EXISTS', async () => first.client.post('/v1/vault', VAULT))
    await first.client.post('/v1/lock')
    await expectCode('AGENT_LOCKED', async () => first.client.post('/v1/clinician'))
    await expectCode('VAULT_REFUSED', async () =>
      first.client.post('/v1/unlock', { passphrase: 'wrong horse battery' })
    )
    await running.pop()?.stop()
    const second = await start()
    expect(second.state).to.equal('locked')
    await second.client.post('/v1/unlock', { passphrase: PASSPHRASE })
    expect(await second.client.get('/v1/status')).to.deep.include({ clinician: { address } })
  })

  it('changes the passphrase, and opens with the old one no more', async () => {
    const { client } = await start()
    await client.post('/v1/vault', VAULT)
    await client.post('/v1/clinician')
    const after = 'another four words entirely'
    await expectCode('VAULT_REFUSED', async () =>
      client.post('/v1/passphrase', { before: 'wrong horse battery', after })
    )
    await expectCode('PASSPHRASE_LENGTH', async () =>
      client.post('/v1/passphrase', { before: PASSPHRASE, after: 'short' })
    )
    await client.post('/v1/passphrase', { before: PASSPHRASE, after })
    await client.post('/v1/lock')
    await expectCode('VAULT_REFUSED', async () => client.post('/v1/unlock', { passphrase: PASSPHRASE }))
    await client.post('/v1/unlock', { passphrase: after })
    expect(await stateOf(client)).to.equal('unlocked')
  })

  it('refuses a weak passphrase', async () => {
    const { client } = await start()
    await expectCode('PASSPHRASE_WEAK', async () =>
      client.post('/v1/vault', { ...VAULT, passphrase: 'passwordpassword' })
    )
    expect(await stateOf(client)).to.equal('empty')
  })

  it('keeps what was decided while the node is away, and writes no key to the disk', async () => {
    const { client } = await start()
    await client.post('/v1/vault', VAULT)
    const made = await client.post<{ patient: string; progress: unknown }>('/v1/patient')
    expect(made.progress).to.deep.equal({ state: 'waiting', code: 'NODE_UNREACHABLE' })
    const written = await client.send<{ waiting: number }>('/v1/patient/entries', Buffer.from('a letter'), 'text/plain')
    expect(written.waiting).to.be.greaterThan(0)
    const secrets = drawn.filter(({ length }) => length === 32)
    expect(secrets.length).to.be.greaterThan(12)
    for (const entry of await readdir(home, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name === 'token') continue
      const bytes = await readFile(join(entry.parentPath, entry.name))
      expect(bytes.includes('a letter')).to.equal(false)
      expect(bytes.includes(Buffer.from(fromHex(made.patient, 32)))).to.equal(false)
      for (const secret of secrets) expect(bytes.includes(Buffer.from(secret)), entry.name).to.equal(false)
    }
  })

  it('opens the vault of before where a write was cut off', async () => {
    const { client } = await start()
    await client.post('/v1/vault', VAULT)
    await writeFile(join(home, 'vault.tmp'), 'half a vau')
    await client.post('/v1/lock')
    await client.post('/v1/unlock', { passphrase: PASSPHRASE })
    expect(await stateOf(client)).to.equal('unlocked')
  })

  it('says that a damaged vault is damaged', async () => {
    const { client } = await start()
    await client.post('/v1/vault', VAULT)
    await client.post('/v1/lock')
    const bytes = await readFile(join(home, 'vault'))
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1
    await writeFile(join(home, 'vault'), bytes)
    await expectCode('VAULT_DAMAGED', async () => client.post('/v1/unlock', { passphrase: PASSPHRASE }))
    await writeFile(join(home, 'vault'), bytes.subarray(0, 100))
    await expectCode('VAULT_TRUNCATED', async () => client.post('/v1/unlock', { passphrase: PASSPHRASE }))
  })

  it('locks itself when nobody uses it', async () => {
    const { client } = await start({ autoLockS: 60 })
    await client.post('/v1/vault', VAULT)
    nowMs += 59_000
    expect(await stateOf(client)).to.equal('unlocked')
    nowMs += 61_000
    await new Promise(resolve => setTimeout(resolve, 1_500))
    expect(await stateOf(client)).to.equal('locked')
  })

  it('lets nobody else have its folder', async () => {
    await start()
    await expectCode('STORE_LOCKED', async () => daemon().start())
  })

  it('shows its token to its owner only, and forgets it at the end', async () => {
    const { tokenFile, token } = await start()
    expect(token.length).to.be.at.least(43)
    if (process.platform !== 'win32') expect((await stat(tokenFile)).mode & 0o777).to.equal(0o600)
    await running.pop()?.stop()
    await until('the token is gone', 5_000, async () => (await readdir(home)).every(name => name !== 'token'))
    expect((await start()).token).to.not.equal(token)
  })

  /** The code of the answer to a request with these headers. */
  async function codeWith(url: string, headers: Record<string, string>, body?: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const method = body == null ? 'GET' : 'POST'
      const path = body == null ? '/v1/status' : '/v1/unlock'
      const asked = request(new URL(path, url), { method, headers }, response => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => resolve((JSON.parse(text) as { code?: string }).code ?? 'no error'))
      })
      asked.on('error', reject)
      asked.end(body)
    })
  }

  it('answers no web page, no other name and nobody without the token', async () => {
    const { url, token } = await start()
    const authorization = `Bearer ${token}`
    const { port, host } = new URL(url)
    expect(await codeWith(url, { authorization })).to.equal('no error')
    expect(await codeWith(url, { authorization, host: `localhost:${port}` })).to.equal('no error')
    for (const bad of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1.evil.example:${port}`]) {
      expect(await codeWith(url, { authorization, host: bad })).to.equal('AGENT_HOST')
    }
    expect(await codeWith(url, { authorization, origin: `http://${host}` })).to.equal('no error')
    for (const origin of ['https://evil.example', 'null', `http://evil.example:${port}`]) {
      expect(await codeWith(url, { authorization, origin })).to.equal('AGENT_ORIGIN')
    }
    for (const wrong of ['', 'Bearer', 'Bearer x', `bearer ${token}`, `Bearer ${token}x`, `Basic ${token}`]) {
      expect(await codeWith(url, { authorization: wrong })).to.equal('AGENT_TOKEN')
    }
  })

  it('refuses bodies that are not as documented, with a code and without repeating them', async () => {
    const { url, token } = await start()
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const deep = '['.repeat(50) + ']'.repeat(50)
    for (const [body, code] of [
      ['{', 'HTTP_BODY_TRUNCATED'],
      ['{"passphrase":"a","passphrase":"b"}', 'HTTP_BODY_DUPLICATE_KEY'],
      ['{"passphrase":"a"} x', 'HTTP_BODY_TRAILING'],
      ['{"passphrase":"a","__proto__":{"admin":true}}', 'HTTP_BODY_SHAPE'],
      ['{"passphrase":7}', 'HTTP_BODY_SHAPE'],
      [deep, 'HTTP_BODY_SHAPE'],
      [JSON.stringify({ passphrase: 'x'.repeat(200_000) }), 'HTTP_BODY_TOO_LARGE']
    ] as const) {
      expect(await codeWith(url, headers, body), body.slice(0, 40)).to.equal(code)
    }
    expect(await codeWith(url, { ...headers, 'content-type': 'text/plain' }, '{}')).to.equal('HTTP_TYPE')
  })

  it('describes itself', async () => {
    const { client } = await start()
    const { paths } = await client.get<{ paths: Record<string, unknown> }>('/openapi.json')
    expect(Object.keys(paths)).to.include.members(['/v1/status', '/v1/patient/grants', '/v1/clinician/claims'])
    const error = await client.get('/v1/nothing').catch((cause: unknown) => cause)
    expect(isSalusError(error, 'HTTP_NOT_FOUND')).to.equal(true)
  })
})
