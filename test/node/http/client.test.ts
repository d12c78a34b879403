import { expect } from 'chai'
import { createCustodyClient } from '#node/http/client-custody.ts'
import { createNodeClient, type NodeClient } from '#node/http/client.ts'
import { expectCode } from '#test/error-code.ts'

/** A server that answers everything with this body. */
function answering(body: string | ReadableStream<Uint8Array>, status = 200): NodeClient {
  return createNodeClient({
    url: 'http://127.0.0.1:1',
    fetch: async () => Promise.resolve(new Response(body, { status }))
  })
}

/** A body without end, and how much of it was taken. */
function endless(): { body: ReadableStream<Uint8Array>; taken: () => number } {
  let taken = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      taken += 1 << 20
      controller.enqueue(new Uint8Array(1 << 20).fill(0x20))
    }
  })
  return { body, taken: () => taken }
}

const authorization = new Uint8Array(8)

describe('what a client takes of a node', () => {
  it('is no more than such an answer may be', async () => {
    for (const [ask, limit] of [
      [async (node: NodeClient) => node.status(), 16],
      [async (node: NodeClient) => node.queryEntries({ authorization }), 16],
      [async (node: NodeClient) => node.getBlob('bafy', 3 << 20), 3],
      [async (node: NodeClient) => node.attestation('0x'), 0]
    ] as const) {
      const { body, taken } = endless()
      await expectCode('NODE_ANSWER', async () => ask(answering(body)))
      expect(taken() >> 20).to.be.within(limit + 1, limit + 4)
    }
    const { body, taken } = endless()
    await expectCode('NODE_ANSWER', async () => answering(body, 500).status())
    expect(taken() >> 20).to.be.below(24)
  })

  it('is no more of a custodian', async () => {
    const { body, taken } = endless()
    const client = createCustodyClient({
      url: 'http://127.0.0.1:1',
      fetch: async () => Promise.resolve(new Response(body))
    })
    await expectCode('NODE_ANSWER', async () => client.card())
    expect(taken() >> 20).to.be.below(4)
  })

  it('is of the shape that was asked for', async () => {
    for (const text of [
      '{}',
      '[]',
      'null',
      '{"entries":7}',
      '{"entries":[{}],"next":null}',
      '{"entries":[],"next":"x"}'
    ]) {
      await expectCode('NODE_ANSWER', async () => answering(text).queryEntries({ authorization }))
    }
    const part = '"header":"AA","slot":"AA","evidence":"AA","blob":null'
    for (const position of ['-1', '1.5', '"1"', 'null']) {
      const text = `{"entries":[{"position":${position},${part}}],"next":null}`
      await expectCode('NODE_ANSWER', async () => answering(text).queryEntries({ authorization }))
    }
    const good = `{"entries":[{"position":1,${part}}],"next":null}`
    expect((await answering(good).queryEntries({ authorization })).entries).to.have.lengthOf(1)
    await expectCode('NODE_ANSWER', async () => answering('null').queryNotices({ authorization }))
    await expectCode('NODE_ANSWER', async () => answering('{"capsules":[{}]}').queryCapsules('0x'))
  })
})
