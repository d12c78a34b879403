import { expect } from 'chai'
import { hexlify, randomBytes } from 'ethers'
import { findEnvelopeLinks } from '#scripts/observer/envelope.ts'
import type { SeenTransaction } from '#scripts/observer/observe.ts'

const anAddress = (): string => hexlify(randomBytes(20))
const [RELAYER, EXCHANGE, LEFT, RIGHT, HUB] = [anAddress(), anAddress(), anAddress(), anAddress(), anAddress()]
const DAY_S = 86_400
const [USUAL_TIP, ODD_TIP] = [1_000_000_000n, 1_234_567_891n]

let days = 0

/** A call a day after the last one, by the relayer unless told. */
function call(changes: Partial<SeenTransaction> = {}): SeenTransaction {
  days++
  const parts = [{ place: 'calldata' as const, bytes: randomBytes(100) }]
  const usual = { from: RELAYER, to: HUB, value: 0n, tip: USUAL_TIP }
  return { hash: hexlify(randomBytes(32)), blockNumber: days, time: days * DAY_S, ...usual, parts, ...changes }
}

function pay(from: string, to: string): SeenTransaction {
  return call({ from, to, value: 10n })
}

describe('what links two pseudonyms although their requests share nothing', () => {
  const linksOf = (
    a: readonly SeenTransaction[],
    b: readonly SeenTransaction[],
    others: readonly SeenTransaction[] = []
  ): string[] =>
    findEnvelopeLinks(a, b, {
      decode: () => [],
      all: [...a, ...b, ...others],
      own: new Set([...a, ...b].map(({ hash }) => hash)),
      known: new Set([RELAYER])
    })

  it('is nothing if a relayer sends at different times', () => {
    expect(linksOf([call(), call()], [call(), call()])).to.deep.equal([])
  })

  it('is a source of funds, over any number of steps, but not a relayer', () => {
    const [a, b] = [call({ from: LEFT }), call({ from: RIGHT })]
    expect(linksOf([a], [b], [pay(RELAYER, LEFT), pay(RELAYER, RIGHT)])).to.deep.equal([])
    const chain = [pay(EXCHANGE, HUB), pay(HUB, LEFT), pay(EXCHANGE, RIGHT)]
    expect(linksOf([a], [b], chain)).to.deep.equal([`funds from ${EXCHANGE}`])
  })

  it('is an account that paid for the other', () => {
    const [a, b] = [call({ from: LEFT }), call({ from: RIGHT })]
    expect(linksOf([a], [b], [pay(LEFT, RIGHT), call()])).to.deep.equal([`funds from ${LEFT}`])
  })

  it('is a tip that nobody else gives', () => {
    const [a, b] = [call({ from: LEFT, tip: ODD_TIP }), call({ from: RIGHT, tip: ODD_TIP })]
    expect(linksOf([a], [b])).to.deep.equal([`the tip of ${String(ODD_TIP)} wei`])
    expect(linksOf([a], [b], [call({ tip: ODD_TIP })])).to.deep.equal([])
  })

  it('is the minute in which both ask for the same', () => {
    const [a, calldata] = [call(), randomBytes(100)]
    const near = (seconds: number, bytes: Uint8Array): SeenTransaction =>
      call({ time: a.time + seconds, parts: [{ place: 'calldata', bytes }] })
    calldata.set(a.parts[0]?.bytes.subarray(0, 4) ?? [])
    expect(linksOf([a], [near(59, calldata)])).to.deep.equal(['the minute of 1 requests'])
    expect(linksOf([a], [near(61, calldata)])).to.deep.equal([])
    expect(linksOf([a], [near(1, randomBytes(100))])).to.deep.equal([])
  })
})
