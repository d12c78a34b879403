import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { openLink } from '#agent/fhir/open-link.ts'
import type { HttpComponents } from '#agent/fhir/http.ts'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { sealShlFile } from '#core/fhir/shl/file.ts'
import { handleShl, type HostedLink } from '#core/fhir/shl/handle.ts'
import { encodeLink, parseLink, type ShlLink } from '#core/fhir/shl/link.ts'
import { createServedLink, type ServedLinkInit } from '#core/fhir/shl/served-link.ts'
import { collected } from '#test/collected.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

const p = portablePrimitives
const random = seededRandom('open link')
const KEY = seededRandom('link key')(32)
const FILES = ['{"resourceType":"Bundle"}', `{"resourceType":"Patient","id":"${'x'.repeat(50)}"}`]

describe('opening a SMART Health Link over HTTP', () => {
  let server: Server
  let hosted: HostedLink
  let nowS = 1000
  /** Most bytes that a client may have embedded; the server of the tests halves what it is asked for. */
  let largest = Infinity
  const components: HttpComponents = {
    fetch,
    clock: () => 1000 * nowS,
    sleep: () => Promise.resolve(),
    jitter: () => 0
  }

  before(done => {
    server = createServer((request, response) => {
      void (async () => {
        const pieces: Buffer[] = await collected(request as AsyncIterable<Buffer>)
        const { pathname, search } = new URL(request.url ?? '', 'http://x')
        let body: Uint8Array = Buffer.concat(pieces)
        if (body.length > 0)
          body = utf8(
            Buffer.from(body)
              .toString()
              .replace('10000000', String(Math.min(largest, 1e7)))
          )
        const asks = { method: request.method ?? '', path: pathname.replace('/link', ''), query: search.slice(1), body }
        const answer = handleShl(p, random, hosted, asks, nowS)
        hosted = { ...hosted, link: answer.link }
        response.writeHead(answer.status, answer.headers).end(answer.body)
      })()
    })
    server.listen(0, '127.0.0.1', done)
  })
  after(done => {
    server.close(done)
  })

  async function host(init: Partial<ServedLinkInit> = {}, flags: Partial<ShlLink> = {}): Promise<ShlLink> {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/link`
    const texts = flags.isDirect === true ? FILES.slice(0, 1) : FILES
    const files = await Promise.all(
      texts.map(async text => {
        const contentType = 'application/fhir+json'
        return { contentType, jwe: await sealShlFile(random, KEY, { contentType, bytes: utf8(text) }) }
      })
    )
    const link = createServedLink(p, random, { expiresAtS: 2000, fileCount: files.length, ...init })
    const shown = { url, key: KEY, isLongTerm: false, needsPasscode: init.passcode != null, isDirect: false, ...flags }
    hosted = { link, url, isLongTerm: shown.isLongTerm, isDirect: shown.isDirect, files }
    return parseLink(encodeLink(shown))
  }
  const open = async (link: ShlLink, passcode?: string): Promise<string[]> => {
    const asks = { recipient: 'Dr Ana', allowHttp: true, ...(passcode == null ? {} : { passcode }) }
    return (await openLink(components, link, asks)).map(({ bytes }) => Buffer.from(bytes).toString())
  }

  it('opens embedded files and files of their own address, once', async () => {
    for (const most of [Infinity, 0, 200]) {
      largest = most
      const link = await host()
      expect(await open(link)).to.deep.equal(FILES)
      expect(hosted.link.claims).to.deep.equal([{ atS: 1000, recipient: 'Dr Ana' }])
      await expectCode('SHL_GONE', () => open(link))
    }
    largest = Infinity
  })

  it('opens a direct link, and a long-term one again and again', async () => {
    const direct = await host({}, { isDirect: true })
    expect(await open(direct)).to.deep.equal(FILES.slice(0, 1))
    await expectCode('SHL_GONE', () => open(direct))
    const lasting = await host({ claims: null }, { isLongTerm: true })
    expect(await open(lasting)).to.deep.equal(await open(lasting))
  })

  it('lets nobody try passcodes for ever', async () => {
    const link = await host({ passcode: '2468', attempts: 2 })
    await expectCode('SHL_PASSCODE_NEEDED', () => open(link))
    await expectCode('SHL_PASSCODE_WRONG', () => open(link, '0000'))
    expect(await open(link, '2468')).to.deep.equal(FILES)
    const other = await host({ passcode: '2468', attempts: 2 })
    await expectCode('SHL_PASSCODE_WRONG', () => open(other, '0001'))
    await expectCode('SHL_PASSCODE_WRONG', () => open(other, '0002'))
    await expectCode('SHL_GONE', () => open(other, '2468'))
  })

  it('opens nothing after the end, over plain HTTP, or under another key', async () => {
    const link = await host()
    await expectCode('SHL_INSECURE', () => openLink(components, link, { recipient: 'x' }))
    await expectCode('SHL_FILE', () => open({ ...link, key: new Uint8Array(32) }))
    nowS = 2000
    await expectCode('SHL_GONE', async () => open(await host()))
    await expectCode('SHL_EXPIRED', async () => open({ ...(await host()), expiresAtS: 2000 }))
    nowS = 1000
  })

  it('answers what is no request of the specification with a refusal that tells nothing', async () => {
    const { url } = await host({}, { isDirect: true })
    expect((await fetch(url)).status).to.equal(400)
    expect((await fetch(url, { method: 'POST', body: '{}' })).status).to.equal(405)
    expect((await fetch(url, { method: 'OPTIONS' })).headers.get('access-control-allow-methods')).to.equal('GET, POST')
    await host()
    for (const body of ['', '{', '{}', '{"recipient":3}', '{"__proto__":{}}', `"${'x'.repeat(5000)}"`]) {
      expect((await fetch(url, { method: 'POST', body })).status, body.slice(0, 9)).to.equal(400)
    }
    expect((await fetch(`${url}/${'A'.repeat(43)}`)).status).to.equal(404)
    expect((await fetch(`${url}/..`)).status).to.equal(404)
    expect(hosted.link.claims).to.deep.equal([])
  })

  it('gives up a server that answers a byte at a time, or breaks off', async () => {
    const link = await host()
    const body = (isBroken: boolean): ReadableStream<Uint8Array> =>
      new ReadableStream({
        async pull(controller) {
          await new Promise(done => setTimeout(done, 20))
          if (isBroken) controller.error(new Error('gone'))
          else controller.enqueue(utf8(' '))
        }
      })
    for (const isBroken of [false, true]) {
      const slow: HttpComponents = {
        ...components,
        fetch: async (_, init) => {
          const stream = body(isBroken)
          const response = new Response(stream)
          // As the platform does: an aborted request ends its body.
          const { signal } = init ?? {}
          if (signal == null) return response
          const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
          stream.pipeTo(writable, { signal }).catch(() => undefined)
          return Promise.resolve(new Response(readable))
        }
      }
      const init = { recipient: 'me', allowHttp: true, signal: AbortSignal.timeout(300) }
      await expectCode('SHL_SERVER', async () => openLink(slow, link, init))
    }
  })
})
