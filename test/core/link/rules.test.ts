import { expect } from 'chai'
import fc from 'fast-check'
import { acknowledge, createOutbox, enqueue, makeAllDue, nextDueMs, takeDue } from '#core/link/outbox.ts'
import { createPacketGuard } from '#core/link/packet-guard.ts'
import { createRateLimiter } from '#core/link/rate-limit.ts'
import {
  connectRefusal,
  downTopic,
  handleOf,
  identityOf,
  publishRefusal,
  senderOf,
  subscribeRefusal,
  upTopic
} from '#core/link/topic.ts'
import { expectCode } from '#test/error-code.ts'

const ID = '0123456789abcdef0123456789abcdef'
const OTHER = 'f'.repeat(32)

describe('a sensor’s queue', () => {
  it('sends again after growing pauses, until it is acknowledged', () => {
    const outbox = createOutbox<string>(10)
    enqueue(outbox, 5, 'five')
    const sentAt: number[] = []
    for (let nowMs = 0; nowMs < 30_000; nowMs += 50) if (takeDue(outbox, nowMs, 8).length > 0) sentAt.push(nowMs)
    expect(sentAt.slice(0, 7)).to.deep.equal([0, 250, 750, 1750, 3750, 7750, 12_750])
    expect(acknowledge(outbox, [4, 5, 5])).to.deep.equal([5])
    expect(nextDueMs(outbox)).to.equal(undefined)
  })

  it('names the message before each, and stays within a window of the oldest', async () => {
    const outbox = createOutbox<number>(200)
    for (let number = 100; number < 300; number++) enqueue(outbox, number, number)
    await expectCode('LINK_QUEUE_FULL', () => enqueue(outbox, 300, 300))
    const due = takeDue(outbox, 0, 1000)
    expect(due.map(({ number }) => number)).to.deep.equal(Array.from({ length: 64 }, (_, i) => 100 + i))
    expect(due.slice(0, 3).map(({ previous }) => previous)).to.deep.equal([null, 100, 101])
    acknowledge(outbox, [101])
    makeAllDue(outbox)
    expect(takeDue(outbox, 0, 2).map(({ number, previous }) => [number, previous])).to.deep.equal([
      [100, null],
      [102, 100]
    ])
    acknowledge(outbox, [100])
    expect(takeDue(outbox, 0, 1000).map(({ number }) => number)).to.include(165)
  })
})

describe('a limit of how often', () => {
  it('gives a burst, then a rate, to each name by itself, and remembers no more names than it may', () => {
    const limiter = createRateLimiter({ perSecond: 2, burst: 3, maxNames: 10 })
    const takes = (key: string, nowMs: number): boolean[] => Array.from({ length: 4 }, () => limiter.take(key, nowMs))
    expect(takes('a', 0)).to.deep.equal([true, true, true, false])
    expect(takes('b', 0)).to.deep.equal([true, true, true, false])
    expect(takes('a', 1000)).to.deep.equal([true, true, false, false])
    expect(takes('a', 500), 'a clock that was set back').to.deep.equal([false, false, false, false])
    for (let i = 0; i < 1000; i++) limiter.take(String(i), 0)
    expect(limiter.size).to.equal(10)
  })
})

describe('the rules of topics', () => {
  it('let a sensor publish under its own topic only', () => {
    const good = { topic: upTopic(ID), qos: 1, retain: false, bytes: 10 }
    expect(publishRefusal(good, ID)).to.equal(undefined)
    expect(publishRefusal({ ...good, qos: 0 }, ID)).to.equal(undefined)
    for (const topic of [
      upTopic(OTHER),
      downTopic(ID),
      '',
      `/${upTopic(ID)}`,
      `${upTopic(ID)}/`,
      upTopic(ID).toUpperCase()
    ])
      expect(publishRefusal({ ...good, topic }, ID), topic).to.equal('foreign-topic')
    expect(publishRefusal({ ...good, retain: true }, ID)).to.equal('retained')
    expect(publishRefusal({ ...good, qos: 2 }, ID)).to.equal('quality-of-service')
    expect(publishRefusal({ ...good, bytes: 16_385 }, ID)).to.equal('too-large')
  })

  it('let it hear its own answers only, and come as itself', () => {
    expect(subscribeRefusal(downTopic(ID), ID)).to.equal(undefined)
    for (const topic of ['#', '+', 'salus/#', 'salus/1/+/down', downTopic(OTHER), upTopic(ID), '$SYS/#'])
      expect(subscribeRefusal(topic, ID), topic).to.equal('foreign-topic')
    expect(connectRefusal({ clientId: ID, clean: true, hasWill: false }, ID)).to.equal(undefined)
    expect(connectRefusal({ clientId: OTHER, clean: true, hasWill: false }, ID)).to.equal('client-id')
  })

  it('name a handle in one way', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), handle => {
        expect(handleOf(identityOf(handle))).to.deep.equal(handle)
        expect(senderOf(upTopic(identityOf(handle)))).to.equal(identityOf(handle))
      })
    )
    for (const name of ['', ID.toUpperCase().replace('0', 'A'), `${ID}0`, `0x${ID}`, `${ID}\n`])
      expect(handleOf(name), name).to.equal(undefined)
    expect(senderOf(downTopic(ID))).to.equal(undefined)
  })
})

describe('the guard of packet lengths', () => {
  /** A packet as MQTT frames it. */
  function packet(length: number): Uint8Array {
    const head = [0x30]
    let rest = length
    do {
      head.push((rest % 128) + (rest >= 128 ? 128 : 0))
      rest = Math.floor(rest / 128)
    } while (rest > 0)
    return Uint8Array.from([...head, ...new Uint8Array(length)])
  }

  it('lets packets through however they are cut, and none that is too long', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 12 })
    fc.assert(
      fc.property(lengths, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (all, cuts) => {
        const stream = Uint8Array.from(all.flatMap(length => [...packet(length)]))
        const guard = createPacketGuard(300)
        let isGood = true
        for (let at = 0, i = 0; at < stream.length; i++) {
          const cut = cuts[i % cuts.length] ?? 1
          isGood = guard.feed(stream.subarray(at, at + cut))
          at += cut
        }
        expect(isGood).to.equal(all.every(length => length <= 300))
      })
    )
  })

  it('refuses a length as soon as it is announced, and one that never ends', () => {
    expect(createPacketGuard(300).feed(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f))).to.equal(false)
    expect(createPacketGuard(2 ** 30).feed(Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80))).to.equal(false)
    const guard = createPacketGuard(1)
    expect(guard.feed(packet(2))).to.equal(false)
    expect(guard.feed(packet(0))).to.equal(false)
  })
})
