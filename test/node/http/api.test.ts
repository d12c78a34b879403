import { expect } from 'chai'
import { prepareRevocation } from '#core/agent/patient-revocation.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { encodeMessage } from '#core/network/envelope.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { parseStrictJson } from '#node/http/body.ts'
import { capsulesQuery, entriesQuery, relayRequest } from '#node/http/wire.ts'
import { createNodeClient } from '#node/http/client.ts'
import { createDemoPatient, deadlineS, nowS, osRandom, type DemoPatient } from '#scripts/story/people.ts'
import { expectCode } from '#test/error-code.ts'
import { entryNaming } from '#test/node/assembly/paper-node.ts'
import { survivesMutations } from '#test/mutations.ts'
import {
  createTestWorld,
  messageOf,
  noteOf,
  readRequest,
  until,
  type TestNode,
  type TestWorld
} from '#test/node/http/world.ts'

describe('the HTTP API of a node', function () {
  this.timeout(60_000)
  let world: TestWorld
  let node: TestNode
  let patient: DemoPatient

  before(async () => {
    world = await createTestWorld()
    node = await world.node({ submitWaitMs: 50, http: { port: 0, requests: { perSecond: 1e6, burst: 1e6 } } })
    patient = await world.patient(node)
  })

  after(async () => {
    await world.stop()
  })

  /** Sends what a client of ours never would; gives the code of the problem. */
  async function codeOf(path: string, init: RequestInit): Promise<string> {
    const response = await fetch(new URL(path, node.url), init)
    const { code } = (await response.json()) as { code: string }
    return code
  }

  async function postJson(path: string, body: string): Promise<string> {
    return codeOf(path, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  }

  it('says what it is and that it is ready', async () => {
    const status = await node.client.status()
    expect(status).to.include({ networkId: world.chain.deployment.networkId, relays: true })
    expect(status.chain.state).to.equal('following')
    expect(await node.client.ready()).to.deep.equal({ ok: true, waitingFor: [] })
  })

  it('serves the document of its own routes', async () => {
    const response = await fetch(new URL('/openapi.json', node.url))
    const { openapi, paths } = (await response.json()) as { openapi: string; paths: object }
    expect(openapi).to.equal('3.1.0')
    expect(Object.keys(paths)).to.include.members(['/v1/relay', '/v1/messages', '/v1/entries/query', '/ipfs/{cid}'])
    // No pseudonym in an address, which logs and proxies keep.
    expect(Object.keys(paths).join(' ')).to.not.match(/patient/)
  })

  it('keeps an entry and gives it back to the patient, and to nobody twice', async () => {
    const note = noteOf(patient)
    const message = messageOf(world.network, patient, note)
    const first = await node.client.publish(message)
    expect(first.status).to.equal('stored')
    expect(await node.client.publish(message)).to.deep.equal({ status: 'known', position: first.position })

    const authorization = await readRequest(node, patient, patient.state.patient, null)
    const { entries, next } = await node.client.queryEntries({ authorization })
    expect(entries.map(({ header }) => toHex(header))).to.include(toHex(note.headerBytes))
    expect(next).to.equal(null)
    await expectCode('READ_REPLAYED', async () => node.client.queryEntries({ authorization }))
  })

  it('gives entries page by page', async () => {
    const before = (await node.client.status()).messages
    for (let i = 0; i < 3; i++) await node.client.publish(messageOf(world.network, patient, noteOf(patient)))
    const seen: number[] = []
    for (let after: number | null = before; after != null;) {
      const authorization = await readRequest(node, patient, patient.state.patient, null)
      const page: Awaited<ReturnType<typeof node.client.queryEntries>> = await node.client.queryEntries({
        authorization,
        after,
        limit: 2
      })
      seen.push(...page.entries.map(({ position }) => position))
      after = page.next
    }
    expect(seen).to.deep.equal([before + 1, before + 2, before + 3])
  })

  it('answers grantees while their grant lives, and nobody else', async () => {
    const { clinician, grantId } = await world.grantee(node, patient, 1)
    const ask = async (change = {}): Promise<unknown> => {
      const authorization = await readRequest(node, clinician, patient.state.patient, grantId, change)
      return node.client.queryEntries({ authorization })
    }
    expect(await ask())
      .to.have.property('entries')
      .with.length.above(0)
    const [capsule] = await node.client.queryCapsules(toHex(grantId))
    expect(capsule?.capsule.length).to.be.above(100)
    expect(await node.client.grant(toHex(grantId))).to.include({ state: 'live', grantee: toHex(clinician.address) })

    await expectCode('READ_STALE', async () => ask({ issuedAtMs: Date.now() - 200_000 }))
    await expectCode('READ_STALE', async () => ask({ issuedAtMs: Date.now() + 200_000 }))
    await expectCode('READ_REQUEST_AUDIENCE', async () => ask({ audience: osRandom(38) }))
    await expectCode('READ_REQUEST_NETWORK', async () => ask({ network: osRandom(32) }))
    await expectCode('READ_REQUEST_SIGNATURE', async () => ask({ author: patient.keys.bundle.sign }))
    await expectCode('READ_NOT_GRANTED', async () => ask({ evidence: patient.evidence }))
    await expectCode('READ_NOT_GRANTED', async () => ask({ patient: osRandom(32) }))
    await expectCode('READ_NOT_YET', async () => ask({ grant: osRandom(32) }))
    await expectCode('READ_NOT_GRANTED', async () => ask({ grant: null, patient: patient.state.patient }))

    const signing = { ...patient, target: world.chain.deployment, deadlineS: deadlineS() }
    const ended = await prepareRevocation(p, osRandom, signing, { grantId, nowS: nowS() })
    patient.state = ended.state
    const { blockNumber } = await node.client.relay(ended.call)
    await until(async () => (await node.client.status()).chain.blockNumber >= blockNumber)
    await expectCode('READ_REVOKED', async () => ask())
    expect(await node.client.grant(toHex(grantId))).to.include({ state: 'revoked' })
    const rotation = encodeMessage({ kind: 'rotation', network: world.network, rotation: ended.rotationBytes })
    expect((await node.client.publish(rotation)).status).to.equal('stored')
    const authorization = await readRequest(node, patient, patient.state.patient, null)
    const { notices, next } = await node.client.queryNotices({ authorization })
    expect(notices.map(({ kind, body }) => [kind, toHex(body)])).to.deep.equal([
      ['rotation', toHex(ended.rotationBytes)]
    ])
    expect(next).to.equal(null)
  })

  it('does not let a writer read', async () => {
    const { clinician, grantId } = await world.grantee(node, patient, 2)
    const authorization = await readRequest(node, clinician, patient.state.patient, grantId)
    await expectCode('READ_NOT_GRANTED', async () => node.client.queryEntries({ authorization }))
  })

  it('takes a large blob that an entry names, and no other', async () => {
    const note = noteOf(patient, 3 << 20)
    const { header } = decodeEntry(note.headerBytes)
    const cid = header.blob.toString()
    await expectCode('BLOB_NOT_NAMED', async () => node.client.putBlob(cid, note.blob))
    await node.client.publish(messageOf(world.network, patient, note, false))
    await expectCode('HTTP_BODY_TRUNCATED', async () => node.client.putBlob(cid, note.blob.subarray(1)))
    const other = note.blob.slice()
    other[5] = (other[5] ?? 0) ^ 1
    await expectCode('BLOB_DIGEST', async () => node.client.putBlob(cid, other))
    const longer = new Uint8Array(note.blob.length + 1)
    await expectCode('HTTP_BODY_TOO_LARGE', async () => node.client.putBlob(cid, longer))
    await node.client.putBlob(cid, note.blob)
    expect(Buffer.from(await node.client.getBlob(cid)).equals(note.blob)).to.equal(true)
    const unknown = decodeEntry(noteOf(patient).headerBytes).header.blob.toString()
    await expectCode('BLOB_NOT_FOUND', async () => node.client.getBlob(unknown))
    await expectCode('HTTP_CID_SHAPE', async () => node.client.getBlob('bafkqaaa'))
  })

  it('refuses a message whose patient stays unknown', async () => {
    const stranger = await createDemoPatient(world.chain.deployment)
    const message = messageOf(world.network, stranger, noteOf(stranger))
    await expectCode('PATIENT_UNKNOWN', async () => node.client.publish(message))
  })

  it('relays only what is allowed, and says why not', async () => {
    const bad = { contract: 'AccessGrants', method: 'isLive', args: [] } as const
    await expectCode('RELAY_NOT_ALLOWED', async () => node.client.relay(bad))
    await expectCode('RELAY_ARGUMENTS', async () => node.client.relay({ ...bad, method: 'revoke' }))
  })

  it('refuses bodies that are cut short, doubled, too large, of another type or with unknown fields', async () => {
    const valid = JSON.stringify({ grantId: `0x${'00'.repeat(32)}` })
    const path = '/v1/capsules/query'
    expect(await postJson(path, valid.slice(0, -3))).to.equal('HTTP_BODY_TRUNCATED')
    expect(await postJson(path, '')).to.equal('HTTP_BODY_TRUNCATED')
    expect(await postJson(path, `${valid} 1`)).to.equal('HTTP_BODY_TRAILING')
    expect(await postJson(path, `${valid.slice(0, -1)},"grantId":"0x"}`)).to.equal('HTTP_BODY_DUPLICATE_KEY')
    expect(await postJson(path, '{"grantId":}')).to.equal('HTTP_BODY_MALFORMED')
    expect(await postJson(path, '{"grantId":"0x12"}')).to.equal('HTTP_BODY_SHAPE')
    expect(await postJson(path, `${valid.slice(0, -1)},"more":1}`)).to.equal('HTTP_BODY_SHAPE')
    for (const authorization of ['a', 'ab', 'abcde']) {
      expect(await postJson('/v1/entries/query', JSON.stringify({ authorization }))).to.equal('HTTP_BODY_SHAPE')
    }
    for (const depth of [20, 3_000, 60_000]) {
      const args = '['.repeat(depth) + ']'.repeat(depth)
      const code = await postJson('/v1/relay', `{"contract":"AccessGrants","method":"revoke","args":${args}}`)
      expect(code).to.be.oneOf(['HTTP_BODY_SHAPE', 'HTTP_BODY_MALFORMED'])
    }
    expect(await postJson(path, `"${'x'.repeat(200_000)}"`)).to.equal('HTTP_BODY_TOO_LARGE')
    expect(await codeOf(path, { method: 'POST', body: valid })).to.equal('HTTP_TYPE')
    const headers = { 'content-type': 'application/cbor' }
    expect(await codeOf('/v1/messages', { method: 'POST', headers, body: new Uint8Array(70_000) })).to.equal(
      'HTTP_BODY_TOO_LARGE'
    )
    expect(await codeOf('/v1/messages', { method: 'POST', headers, body: new Uint8Array(0) })).to.equal(
      'MESSAGE_TRUNCATED'
    )
    expect(await codeOf('/v1/grants/0x12', {})).to.equal('HTTP_BODY_SHAPE')
    expect(await codeOf(`/v1/grants/0x${'00'.repeat(32)}`, {})).to.equal('GRANT_UNKNOWN')
    expect(await codeOf(`/v1/gateways/0x${'00'.repeat(32)}`, {})).to.equal('GATEWAY_UNKNOWN')
    expect(await codeOf(`/v1/models/0x${'00'.repeat(32)}`, {})).to.equal('MODEL_UNKNOWN')
    expect(await codeOf('/v2/status', {})).to.equal('HTTP_NOT_FOUND')
  })

  it('answers mutated bodies with a code, never with its own failure', async function () {
    this.timeout(180_000)
    const unhurried = { perSecond: 100_000, burst: 100_000 }
    const { url } = await world.node({
      relayer: 2,
      submitWaitMs: 1,
      http: { port: 0, requests: unhurried, relays: unhurried }
    })
    const message = messageOf(world.network, patient, noteOf(patient))
    const query = { authorization: Buffer.from(osRandom(300)).toString('base64url'), after: 1, limit: 5 }
    const relay = { contract: 'AccessGrants', method: 'revoke', args: [1, 'x', [true], '0x'] }
    const targets = [
      ['/v1/messages', 'application/cbor', message],
      ['/v1/entries/query', 'application/json', Buffer.from(JSON.stringify(query))],
      ['/v1/relay', 'application/json', Buffer.from(JSON.stringify(relay))]
    ] as const
    for (const [path, type, valid] of targets) {
      await survivesMutations(valid, { seed: path, count: 1_000 }, async bytes => {
        const body = new Uint8Array(bytes)
        const response = await fetch(new URL(path, url), {
          method: 'POST',
          body,
          headers: { 'content-type': type }
        })
        const answer = (await response.json()) as { code?: string }
        expect(response.status, JSON.stringify(answer)).to.not.be.oneOf([429, 500])
      })
    }
  })

  it('reads whatever mutations make of a body, or refuses it with a code', async function () {
    this.timeout(120_000)
    const query = { authorization: Buffer.from(osRandom(30)).toString('base64url'), after: 1, limit: 5 }
    const relay = { contract: 'AccessGrants', method: 'revoke', args: [1, 'x', [true], '0x'] }
    const targets = [
      [entriesQuery, query],
      [relayRequest, relay],
      [capsulesQuery, { grantId: `0x${'00'.repeat(32)}` }]
    ] as const
    for (const [schema, valid] of targets) {
      const bytes = Buffer.from(JSON.stringify(valid))
      const seed = Object.keys(valid).join()
      const { refused } = await survivesMutations(bytes, { seed, count: 33_500 }, body =>
        schema.safeParse(parseStrictJson(body))
      )
      expect(Object.keys(refused)).to.include.members(['HTTP_BODY_TRUNCATED', 'HTTP_BODY_MALFORMED'])
    }
  })

  it('takes and serves a blob in its size, whatever other sizes strangers name', async () => {
    const note = noteOf(patient, 100_000)
    const { header } = decodeEntry(note.headerBytes)
    const cid = header.blob.toString()
    await node.client.publish(messageOf(world.network, patient, note, false))
    const stranger = await world.patient(node)
    for (const sizeBytes of [1, 50_000_000]) {
      await node.client.publish(entryNaming(stranger, header.blob, sizeBytes))
    }
    await node.client.putBlob(cid, note.blob)
    expect(Buffer.from(await node.client.getBlob(cid)).equals(note.blob)).to.equal(true)
    await until(async () => (await node.client.status()).blobsWanted === 0)
    expect(Buffer.from(await node.client.getBlob(cid)).equals(note.blob)).to.equal(true)
  })

  it('slows an address down that asks too often', async () => {
    const strict = await world.node({ relayer: 2, http: { port: 0, requests: { perSecond: 1, burst: 3 } } })
    const ask = async (): Promise<unknown> => strict.client.ready()
    await expectCode('HTTP_RATE', async () => {
      for (let i = 0; i < 10; i++) await ask()
    })
  })

  it('is a coded error when nobody answers', async () => {
    const client = createNodeClient({ url: 'http://127.0.0.1:9' })
    await expectCode('NODE_UNREACHABLE', async () => client.status())
  })
})
