import { expect } from 'chai'
import { createEventHub, type EventHub, type ReaderInit } from '#node/http/event-hub.ts'
import { osRandom } from '#scripts/story/people.ts'
import { expectCode } from '#test/error-code.ts'

interface Heard {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>
  isEnded: boolean
}

describe('the hub of events', () => {
  function hubOf(change: { kept?: number; maxReaders?: number; beatMs?: number } = {}): EventHub {
    return createEventHub({ random: osRandom }, { kept: 16, maxReaders: 32, ...change })
  }

  function open(hub: EventHub, change: Partial<ReaderInit> = {}): Heard {
    const heard: { isEnded: boolean; reader?: Heard['reader'] } = { isEnded: false }
    const stream = hub.open({
      topics: ['block', 'peer'],
      whose: 'someone',
      mayRead: () => true,
      ended: () => {
        heard.isEnded = true
      },
      ...change
    })
    heard.reader = stream.getReader()
    return heard as Heard
  }

  async function next({ reader }: Heard): Promise<string> {
    const { value, done } = await reader.read()
    return done ? 'end' : new TextDecoder().decode(value)
  }

  const idsIn = (text: string): string[] => [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id ?? '')

  it('tells what happens, of the topics asked for', async () => {
    const hub = hubOf()
    const heard = open(hub)
    expect(await next(heard)).to.equal('retry: 3000\n\n')
    hub.publish('alert', { code: 'X', active: true })
    hub.publish('block', { number: 7, timeS: 1 })
    expect(await next(heard)).to.match(/^id: [0-9a-f]{8}-2\nevent: block\ndata: \{"number":7,"timeS":1\}\n\n$/)
    hub.stop()
    expect(await next(heard)).to.equal('end')
    expect(hub.readers()).to.equal(0)
  })

  it('goes on after the last event that a reader had', async () => {
    const hub = hubOf()
    const first = open(hub)
    await next(first)
    for (let number = 1; number <= 5; number++) hub.publish('block', { number })
    const ids = idsIn(await next(first))
    expect(ids).to.have.length(5)
    await first.reader.cancel()
    hub.publish('block', { number: 6 })
    const again = await next(open(hub, { after: ids[2] }))
    expect(again).to.not.include('gap')
    expect([...again.matchAll(/"number":(\d)/g)].map(([, number]) => number)).to.deep.equal(['4', '5', '6'])
  })

  it('says where there is a gap: too long away, another process, or nonsense', async () => {
    const hub = hubOf()
    const first = open(hub)
    await next(first)
    hub.publish('block', { number: 0 })
    const [id = ''] = idsIn(await next(first))
    for (let number = 1; number <= 40; number++) hub.publish('block', { number })
    for (const after of [id, '00000000-1', 'x', '-', `${id.split('-')[0] ?? ''}-999`, 'a'.repeat(10_000)]) {
      const text = await next(open(hub, { after, whose: after }))
      expect(text).to.match(/^retry: 3000\n\nevent: gap\n/)
      expect(idsIn(text)).to.have.length(16)
    }
  })

  it('cuts off a reader that does not keep up, and no other', async () => {
    const hub = hubOf()
    const slow = open(hub)
    const quick = open(hub)
    await next(quick)
    for (let number = 0; number < 40; number++) {
      hub.publish('block', { number })
      expect(await next(quick)).to.include(`"number":${number}}`)
    }
    expect([slow.isEnded, quick.isEnded]).to.deep.equal([true, false])
    expect(hub.readers()).to.equal(1)
    hub.stop()
  })

  it('ends a reader whose token has ended', async () => {
    const hub = hubOf({ beatMs: 5 })
    let may = true
    const heard = open(hub, { mayRead: () => may })
    await next(heard)
    expect(await next(heard)).to.equal(': alive\n\n')
    may = false
    for (let text = ''; text !== 'end';) {
      text = await next(heard)
      expect(text).to.be.oneOf(['end', ': alive\n\n'])
    }
    expect(heard.isEnded).to.equal(true)
  })

  it('bounds readers, of one and of all', async () => {
    const hub = hubOf({ maxReaders: 20 })
    for (let i = 0; i < 16; i++) open(hub)
    await expectCode('EVENTS_BUSY', () => open(hub))
    for (let i = 0; i < 4; i++) open(hub, { whose: `other ${i}` })
    await expectCode('EVENTS_BUSY', () => open(hub, { whose: 'one more' }))
    hub.stop()
    open(hub)
    hub.stop()
  })
})
