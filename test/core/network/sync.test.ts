import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import type { SetPart } from '#core/network/message-set.ts'
import {
  decodeSyncMessages,
  decodeSyncNews,
  decodeSyncParts,
  decodeSyncRequest,
  encodeSyncMessages,
  encodeSyncNews,
  encodeSyncParts,
  encodeSyncRequest,
  type SyncRequest
} from '#core/network/sync.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'

interface Invalid {
  code: string
  bytes: string
}
interface SyncVectors {
  network: string
  requests: { request: Record<string, unknown>; bytes: string }[]
  news: {
    asked: { log: string | null; after: number }
    log: string
    head: number
    ids: { position: number; id: string }[]
    bytes: string
  }[]
  parts: { prefixes: string[]; parts: (string[] | { marks: string[] })[]; bytes: string }[]
  messages: { messages: (string | null)[]; bytes: string }[]
  invalidRequests: Invalid[]
  invalidNews: Invalid[]
  invalidParts: (Invalid & { prefixes: string[] })[]
  invalidMessages: Invalid[]
}

const MUTATIONS = 2000

describe('sync protocol', () => {
  const vectors = JSON.parse(readFileSync(new URL('../../vectors/sync.json', import.meta.url), 'utf8')) as SyncVectors
  const network = fromHex(vectors.network, 32)

  /** A request as the vectors write it. */
  function requestOf({ kind, log, ids, ...rest }: Record<string, unknown>): SyncRequest {
    const bytes = (text: unknown): Uint8Array => fromHex(text as string)
    if (kind === 'news') return { kind, log: log == null ? null : bytes(log), ...rest } as SyncRequest
    return { kind, ...(ids == null ? {} : { ids: (ids as string[]).map(bytes) }), ...rest } as SyncRequest
  }

  const askedOf = ({ log, after }: { log: string | null; after: number }) => ({
    log: log == null ? null : fromHex(log),
    after
  })

  it('encodes and reads the vectors', () => {
    for (const { request, bytes } of vectors.requests) {
      expect(toHex(encodeSyncRequest(network, requestOf(request)))).to.equal(bytes)
      expect(decodeSyncRequest(fromHex(bytes), network)).to.deep.equal(requestOf(request))
    }
    for (const { asked, log, head, ids, bytes } of vectors.news) {
      const news = { log: fromHex(log), head, ids: ids.map(({ position, id }) => ({ position, id: fromHex(id) })) }
      expect(toHex(encodeSyncNews(news))).to.equal(bytes)
      expect(decodeSyncNews(fromHex(bytes), askedOf(asked))).to.deep.equal(news)
    }
    for (const { prefixes, parts, bytes } of vectors.parts) {
      const read: SetPart[] = parts.map(part => (Array.isArray(part) ? { ids: part } : part))
      expect(toHex(encodeSyncParts(read))).to.equal(bytes)
      expect(decodeSyncParts(fromHex(bytes), prefixes)).to.deep.equal(read)
    }
    for (const { messages, bytes } of vectors.messages) {
      const read = messages.map(message => (message == null ? null : fromHex(message)))
      expect(toHex(encodeSyncMessages(read))).to.equal(bytes)
      expect(decodeSyncMessages(fromHex(bytes), read.length)).to.deep.equal(read)
    }
  })

  it('refuses the invalid vectors with their codes', async () => {
    const log = fromHex(vectors.news[0]?.log ?? '')
    for (const { code, bytes } of vectors.invalidRequests) {
      await expectCode(code, () => decodeSyncRequest(fromHex(bytes), network))
    }
    for (const { code, bytes } of vectors.invalidNews) {
      await expectCode(code, () => decodeSyncNews(fromHex(bytes), { log, after: 1 }))
    }
    for (const { code, bytes, prefixes } of vectors.invalidParts) {
      await expectCode(code, () => decodeSyncParts(fromHex(bytes), prefixes))
    }
    for (const { code, bytes } of vectors.invalidMessages) {
      await expectCode(code, () => decodeSyncMessages(fromHex(bytes), 3))
    }
  })

  it('ends with a code whatever mutations make of it', async () => {
    const mutate = async (seed: string, bytes: string, read: (bytes: Uint8Array) => unknown): Promise<void> => {
      await survivesMutations(fromHex(bytes), { seed, count: MUTATIONS }, read)
    }
    for (const { bytes } of vectors.requests) await mutate('request', bytes, b => decodeSyncRequest(b, network))
    for (const { asked, bytes } of vectors.news) await mutate('news', bytes, b => decodeSyncNews(b, askedOf(asked)))
    for (const { prefixes, bytes } of vectors.parts) await mutate('parts', bytes, b => decodeSyncParts(b, prefixes))
    for (const { bytes } of vectors.messages) await mutate('messages', bytes, b => decodeSyncMessages(b, 3))
  })
})
