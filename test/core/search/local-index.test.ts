import { expect } from 'chai'
import fc from 'fast-check'
import { utf8 } from '#core/encoding/bytes.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import type { IndexedEntry } from '#core/search/index-row.ts'
import { createLocalIndex } from '#core/search/local-index.ts'
import type { SearchQuery } from '#core/search/query.ts'
import { MAX_TERMS, searchableOf, wordsOf } from '#core/search/searchable.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'

const RECORDED_MS = 1_795_000_000_000
const OBSERVATION = {
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '8867-4', display: 'Heart rate' }], text: 'Pouls élevé' },
  effectiveDateTime: '2026-11-21T10:00:00Z',
  text: { div: '<div class="secret">Narrative<b>bold</b></div>' }
}
const of = (value: unknown, type = 'application/fhir+json') =>
  searchableOf({
    type,
    recordedAtMs: RECORDED_MS,
    body: utf8(typeof value === 'string' ? value : JSON.stringify(value))
  })

describe('what a content can be found by', () => {
  it('is its type, status, codes, words and days', () => {
    const { terms, fromDay, toDay } = of(OBSERVATION)
    expect(terms).to.include.members([
      'type:Observation',
      'status:final',
      'code:8867-4',
      'code:http://loinc.org|8867-4',
      'text:heart',
      'text:pouls',
      'text:eleve',
      'text:narrative',
      'text:bold'
    ])
    expect(terms).not.to.include('text:secret')
    expect([fromDay, toDay]).to.deep.equal([20_778, 20_778])
  })

  it('covers a period, and the day of recording where no day is named', () => {
    const period = { effectivePeriod: { start: '2026-01-01', end: '2026-02-01' } }
    expect(of(period).toDay - of(period).fromDay).to.equal(31)
    expect(of({}).fromDay).to.equal(Math.floor(RECORDED_MS / 86_400_000))
    expect(of({ date: '1950-01-01' }).fromDay).to.be.below(0)
  })

  it('is found in what looks like tags without end as fast as anywhere', () => {
    // Sought to the end from each of them, this would take days.
    expect(of({ text: { div: `${'<'.repeat(4 << 20)} word>` } }).terms).to.deep.equal([])
    expect(of({ text: { div: '<a '.repeat(1 << 20) } }).terms).to.deep.equal([])
    expect(of({ text: { div: 'a word <b class="c"\n>and <i>another</i>' } }).terms).to.deep.equal([
      'text:word',
      'text:and',
      'text:another'
    ])
  })

  it('is bounded, whatever the content', () => {
    const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`
    expect(of(deep).terms).to.deep.equal([])
    expect(of({ text: Array.from({ length: 5000 }, (_, i) => `word${String(i)}`).join(' ') }).terms).to.have.length(
      MAX_TERMS
    )
    expect(of('{"__proto__": {"resourceType": "X"}, "constructor": 1}').terms).to.deep.equal(['type:X'])
    expect(of('not json').terms).to.deep.equal([])
    expect(of('plain words', 'text/plain').terms).to.deep.equal(['text:plain', 'text:words'])
    expect(of('\u0000\uffff', 'image/png').terms).to.deep.equal([])
    fc.assert(fc.property(fc.json(), text => of(text).terms.length <= MAX_TERMS))
  })

  it('folds case, accents and widths', () => {
    expect(wordsOf('Ärzte ＤＩＡＢＥＴＥＳ naïve x')).to.deep.equal(['arzte', 'diabetes', 'naive'])
  })
})

describe('the local index', () => {
  const entry = (id: number, change: Partial<IndexedEntry> = {}): IndexedEntry => ({
    id: `0x${String(id)}`,
    compartment: 'vitals',
    ...of(OBSERVATION),
    ...change
  })

  it('finds by type, code, words, beginnings, days and compartment together', () => {
    const index = createLocalIndex()
    index.put(entry(1))
    index.put(entry(2, { compartment: 'labs', fromDay: 10, toDay: 20 }))
    index.put(entry(3, { terms: ['type:Condition', 'text:heartburn'] }))
    const found = (query: Partial<SearchQuery>): string[] => index.search({ limit: 10, ...query })
    expect(found({ type: 'Observation' })).to.deep.equal(['0x2', '0x1'])
    expect(found({ code: 'http://loinc.org|8867-4', compartments: ['labs'] })).to.deep.equal(['0x2'])
    expect(found({ text: 'HEART rate' })).to.deep.equal(['0x2', '0x1'])
    expect(found({ text: 'hear*' })).to.deep.equal(['0x3', '0x2', '0x1'])
    expect(found({ text: 'rate hear*', compartments: ['vitals', 'labs'] })).to.deep.equal(['0x2', '0x1'])
    expect(found({ fromDay: 15, toDay: 16 })).to.deep.equal(['0x2'])
    expect(found({ type: 'Observation', fromDay: 21 })).to.deep.equal(['0x1'])
    expect(found({ type: 'Nothing' })).to.deep.equal([])
    expect(found({ limit: 1, offset: 1, type: 'Observation' })).to.deep.equal(['0x1'])
    expect(found({}).length).to.equal(3)
  })

  it('puts a revision in the place of the one before, and forgets what is removed', () => {
    const index = createLocalIndex()
    for (let round = 0; round < 5000; round++) index.put(entry(round % 3, { terms: [`text:round${String(round)}`] }))
    expect(index.size).to.equal(3)
    expect(index.search({ text: 'round4999', limit: 9 })).to.have.length(1)
    expect(index.search({ text: 'round4000', limit: 9 })).to.deep.equal([])
    index.remove('0x0')
    expect(index.search({ limit: 9 })).to.have.length(2)
  })

  it('comes back from its rows', () => {
    const rows = new Map<string, Uint8Array>()
    const index = createLocalIndex({ put: (id, bytes) => rows.set(id, bytes), delete: id => rows.delete(id) })
    for (let i = 0; i < 20; i++) index.put(entry(i, { terms: [`text:word${String(i % 4)}`] }))
    index.remove('0x7')
    const again = createLocalIndex()
    for (const row of rows.values()) again.restore(row)
    for (let i = 0; i < 4; i++) {
      const query = { text: `word${String(i)}`, limit: 99 }
      expect(again.search(query)).to.have.members(index.search(query))
    }
  })

  it('comes back from the largest row that a content makes', () => {
    const code = (i: number): string => `${String(i).padStart(6, '0')}${'\u4e2d'.repeat(250)}`
    const content = { coding: Array.from({ length: MAX_TERMS }, (_, i) => ({ code: code(i) })) }
    const found = of(content)
    expect(found.terms).to.have.length(MAX_TERMS)
    const rows: Uint8Array[] = []
    createLocalIndex({ put: (_, bytes) => void rows.push(bytes), delete: () => undefined }).put({
      ...{ id: 'a', compartment: 'labs' },
      ...found
    })
    const again = createLocalIndex()
    again.restore(rows[0]!)
    expect(again.search({ code: code(7), limit: 1 })).to.deep.equal(['a'])
  })

  it('refuses rows that are not its own', async () => {
    const index = createLocalIndex()
    await expectCode('SEARCH_ROW_SHAPE', () => index.restore(encodeCanonical([2])))
    const valid = encodeCanonical([1, '0x1', 'vitals', 1, 2, ['type:X']])
    await survivesMutations(valid, { seed: 'search-row', count: 2000 }, bytes => index.restore(bytes))
  })

  it('finds what a search through everything finds', () => {
    const words = fc.constantFrom('heart', 'heartburn', 'rate', 'pain', 'left')
    const documents = fc.array(fc.record({ terms: fc.uniqueArray(words), day: fc.integer({ min: -5, max: 5 }) }), {
      maxLength: 30
    })
    fc.assert(
      fc.property(
        documents,
        fc.uniqueArray(words, { maxLength: 2 }),
        fc.integer({ min: -5, max: 5 }),
        (all, wanted, fromDay) => {
          const index = createLocalIndex()
          all.forEach(({ terms, day }, i) => {
            index.put({
              id: String(i),
              compartment: 'labs',
              terms: terms.map(w => `text:${w}`),
              fromDay: day,
              toDay: day + 1
            })
          })
          const expected = all.flatMap(({ terms, day }, i) =>
            wanted.every(word => terms.includes(word)) && day + 1 >= fromDay ? String(i) : []
          )
          expect(index.search({ text: wanted.join(' '), fromDay, limit: 99 })).to.have.members(expected)
        }
      )
    )
  })
})
