import fc from 'fast-check'
import { expect } from 'chai'
import { createRangePlan, type RangePlan } from '#core/network/range-plan.ts'

const MIB = 1 << 20

/** A step of a fetch, in numbers that are taken modulo what there is. */
interface Step {
  readonly kind: 'want' | 'add' | 'remove' | 'unwant' | 'send' | 'lack' | 'wait'
  readonly n: number
  readonly ms: number
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('want', 'want', 'want', 'add', 'remove', 'unwant', 'send', 'send', 'send', 'lack', 'wait'),
  n: fc.nat(40),
  ms: fc.nat(3000)
})

/** What a plan has handed out and not got back, as its user sees it. */
function follow(plan: RangePlan) {
  const underWay = new Map<string, string[]>()
  let nowMs = 0
  return {
    underWay,
    now: () => nowMs,
    pass: (ms: number) => (nowMs += ms),
    /** Takes what is to be asked for; checks that nothing of it is under way already. */
    ask: (): void => {
      for (const { holder, keys } of plan.next(nowMs)) {
        for (const key of keys) {
          for (const [other, list] of underWay) expect(list, `${key} is under way at ${other}`).to.not.include(key)
          underWay.set(holder, [...(underWay.get(holder) ?? []), key])
        }
      }
    }
  }
}

describe('the plan of a fetch', () => {
  it('never has a block under way at two holders, nor more at one than a stream may have open', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), steps => {
        const plan = createRangePlan()
        const { underWay, ask, pass, now } = follow(plan)
        for (const one of steps) {
          if (one.kind === 'wait') {
            pass(7 * one.ms)
            for (const id of plan.overdue(now())) {
              plan.removeHolder(id)
              underWay.delete(id)
            }
          } else if (one.kind === 'want') plan.want(`block ${String(one.n)}`, (one.n % 4) * MIB + 1)
          else if (one.kind === 'add') plan.addHolder(`peer ${String(one.n % 5)}`)
          else if (one.kind === 'remove') {
            plan.removeHolder(`peer ${String(one.n % 5)}`)
            underWay.delete(`peer ${String(one.n % 5)}`)
          } else if (one.kind === 'unwant') {
            plan.unwant(`block ${String(one.n)}`)
            for (const [id, keys] of underWay) {
              underWay.set(
                id,
                keys.filter(key => key !== `block ${String(one.n)}`)
              )
            }
          } else {
            const id = `peer ${String(one.n % 5)}`
            const key = underWay.get(id)?.shift()
            if (key == null) continue
            pass(one.ms)
            if (one.kind === 'send') expect(plan.received(id, key, MIB, now())).to.equal(true)
            else plan.lacks(id, key, now())
          }
          ask()
          for (const [id, keys] of underWay) {
            expect(plan.underWay(id)).to.deep.equal(keys)
            expect(keys.length).to.be.at.most(256)
          }
        }
      }),
      { numRuns: 300 }
    )
  })

  it('brings everything that some holder has, whoever goes away, and says what nobody has', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 40 }),
        fc.nat(3),
        (haves, leaving) => {
          const plan = createRangePlan()
          const { underWay, ask, pass, now } = follow(plan)
          const got = new Set<number>()
          for (let peer = 0; peer < 4; peer++) plan.addHolder(String(peer))
          for (const [block] of haves.entries()) plan.want(String(block), MIB)
          ask()
          plan.removeHolder(String(leaving))
          underWay.delete(String(leaving))
          ask()
          for (let turn = 0; turn < 1000 && [...underWay.values()].some(keys => keys.length > 0); turn++) {
            for (const [id, keys] of underWay) {
              const key = keys.shift()
              if (key == null) continue
              pass(7)
              if (haves[Number(key)]?.[Number(id)] === true) {
                expect(plan.received(id, key, MIB, now())).to.equal(true)
                got.add(Number(key))
              } else plan.lacks(id, key, now())
              ask()
            }
          }
          const hopeless = new Set(plan.hopeless().map(Number))
          for (const [block, have] of haves.entries()) {
            const isThere = have.some((has, peer) => has && peer !== leaving)
            expect(got.has(block)).to.equal(isThere)
            expect(hopeless.has(block)).to.equal(!isThere)
          }
        }
      ),
      { numRuns: 200 }
    )
  })

  it('gives a fast holder more than a slow one, and a very slow one nothing', () => {
    const plan = createRangePlan()
    const rates = { fast: 50, slow: 2, crawling: 0.05 }
    const sent = { fast: 0, slow: 0, crawling: 0 }
    for (const id of Object.keys(rates)) plan.addHolder(id)
    for (let i = 0; i < 400; i++) plan.want(String(i), MIB)
    const busy = new Map<string, { readonly key: string; readonly untilMs: number }>()
    const queues = new Map<string, string[]>(Object.keys(rates).map(id => [id, []]))
    for (let nowMs = 0; nowMs < 30_000 && sent.fast + sent.slow + sent.crawling < 400; nowMs++) {
      for (const id of plan.overdue(nowMs)) {
        plan.removeHolder(id)
        queues.set(id, [])
        busy.delete(id)
      }
      for (const { holder, keys } of plan.next(nowMs)) queues.get(holder)?.push(...keys)
      for (const [id, rate] of Object.entries(rates) as [keyof typeof rates, number][]) {
        const now = busy.get(id)
        if (now != null && now.untilMs <= nowMs) {
          plan.received(id, now.key, MIB, nowMs)
          sent[id]++
          busy.delete(id)
        }
        const key = busy.has(id) ? undefined : queues.get(id)?.shift()
        if (key != null) busy.set(id, { key, untilMs: nowMs + 1024 / rate })
      }
    }
    expect(sent.fast + sent.slow + sent.crawling).to.equal(400)
    expect(sent.fast).to.be.above(5 * sent.slow)
    expect(sent.crawling).to.be.at.most(1)
  })

  it('takes work that is past its deadline from a holder only where another could do it', () => {
    const plan = createRangePlan()
    plan.addHolder('late')
    plan.want('a', MIB)
    expect(plan.next(0)).to.deep.equal([{ holder: 'late', keys: ['a'] }])
    expect(plan.overdue(1_000_000)).to.deep.equal([])
    plan.addHolder('other')
    expect(plan.overdue(1_000)).to.deep.equal([])
    expect(plan.overdue(1_000_000)).to.deep.equal(['late'])
    plan.removeHolder('late')
    expect(plan.next(1_000_000)).to.deep.equal([{ holder: 'other', keys: ['a'] }])
  })
})
