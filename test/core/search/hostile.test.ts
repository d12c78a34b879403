import { expect } from 'chai'
import fc from 'fast-check'
import { utf8 } from '#core/encoding/bytes.ts'
import type { IndexedEntry } from '#core/search/index-row.ts'
import { createLocalIndex } from '#core/search/local-index.ts'
import { appendPosting, createPostings, union, type Postings } from '#core/search/postings.ts'
import { searchableOf } from '#core/search/searchable.ts'
import { createVocabulary } from '#core/search/vocabulary.ts'

const contentOf = (body: string, type = 'application/fhir+json') => ({ type, recordedAtMs: 0, body: utf8(body) })

describe('search in bad company', function () {
  // What grows with the square of these sizes would take minutes, or the whole memory.
  this.timeout(20_000)

  it('takes in markup that never ends', () => {
    for (const div of ['<'.repeat(2_000_000), '<a '.repeat(500_000), `${'<'.repeat(500_000)}>`]) {
      const { terms } = searchableOf(contentOf(JSON.stringify({ resourceType: 'Basic', text: { div } })))
      expect(terms).to.include('type:Basic')
    }
  })

  it('leaves markup out of the words', () => {
    const { terms } = searchableOf(contentOf('{"text":{"div":"<p class=\\"secret\\">chest <b>pain</b></p> a<b"}}'))
    expect(terms).to.have.members(['text:chest', 'text:pain'])
  })

  it('takes in what is very deep, very wide or very long', () => {
    const deep = `${'{"text":'.repeat(3_000)}"x"${'}'.repeat(3_000)}`
    const wide = `[${'1,'.repeat(1_000_000)}1]`
    const lines = '{"status":"final"}\n'.repeat(100_000)
    expect(searchableOf(contentOf(deep)).terms).to.deep.equal([])
    expect(searchableOf(contentOf(wide)).terms).to.deep.equal([])
    expect(searchableOf(contentOf(lines, 'application/fhir+ndjson')).terms).to.deep.equal(['status:final'])
  })

  it('looks for a beginning that very many words share', () => {
    const index = createLocalIndex()
    const entries = 4_000
    for (let i = 0; i < entries; i++) {
      const terms = Array.from({ length: 512 }, (_, word) => `text:abc${String(word)}`)
      index.put({ id: String(i), compartment: 'documents', fromDay: 1, toDay: 1, terms })
    }
    expect(index.search({ text: 'abc*', limit: 2 })).to.deep.equal([String(entries - 1), String(entries - 2)])
  })

  it('keeps no more words than it may, whoever makes them up, and finds everything by all else', () => {
    const vocabulary = createVocabulary({ words: 3, others: 2 })
    const terms = [
      'text:one',
      'type:Basic',
      'text:two',
      'text:three',
      'text:four',
      'code:1',
      'code:2',
      'compartment:labs'
    ]
    for (const [number, term] of terms.entries()) vocabulary.add(term, number)
    vocabulary.add('text:two', 9)
    const numbersOf = (term: string): number[] | undefined => {
      const { numbers, count } = vocabulary.get(term) ?? {}
      return numbers == null ? undefined : [...numbers.subarray(0, count)]
    }
    expect(terms.map(numbersOf)).to.deep.equal([[0], [1], [2, 9], [3], undefined, [5], undefined, [7]])
    vocabulary.renumber(old => (old === 0 || old === 2 ? null : old + 100))
    expect(terms.map(numbersOf)).to.deep.equal([undefined, [101], [109], [103], undefined, [105], undefined, [107]])
    vocabulary.add('text:five', 200)
    expect(numbersOf('text:five')).to.deep.equal([200])
    expect(vocabulary.beginningWith('text:thr').map(({ count }) => count)).to.deep.equal([1])
  })

  it('shows the newest between many additions of one day', () => {
    const index = createLocalIndex()
    for (let i = 0; i < 30_000; i++) {
      index.put({ id: String(i), compartment: 'documents', fromDay: 1, toDay: 1, terms: ['type:Basic'] })
      if (i % 2 === 0) index.search({ fromDay: 0, limit: 5 })
    }
    expect(index.size).to.equal(30_000)
  })
})

describe('joined postings', () => {
  it('hold each number of any list once, in order', () => {
    const list = fc.uniqueArray(fc.integer({ min: 0, max: 300 }), { minLength: 1 }).map(numbers => {
      const [first = 0, ...others] = numbers.sort((a, b) => a - b)
      const postings: Postings = createPostings(first)
      for (const each of others) appendPosting(postings, each)
      return postings
    })
    fc.assert(
      fc.property(fc.array(list, { maxLength: 5 }), lists => {
        const { numbers, count } = union(lists)
        const expected = new Set(lists.flatMap(each => [...each.numbers.subarray(0, each.count)]))
        expect([...numbers.subarray(0, count)]).to.deep.equal([...expected].sort((a, b) => a - b))
      })
    )
  })
})

describe('the local index, whatever happens to it', () => {
  it('gives an entry as it is known, but for its words', () => {
    const index = createLocalIndex()
    const terms = ['type:A', 'text:pain', 'code:1', 'type:A']
    index.put({ id: 'a', compartment: 'labs', fromDay: 1, toDay: 2, terms })
    const known = { id: 'a', compartment: 'labs', fromDay: 1, toDay: 2, terms: ['type:A', 'code:1'] }
    expect([index.get('a'), index.get('b')]).to.deep.equal([known, undefined])
  })

  it('finds the last words of entries that were revised thousands of times', () => {
    const index = createLocalIndex()
    for (let i = 0; i < 5_000; i++) {
      const terms = [`text:word${String(i)}`, 'text:every', i % 2 === 0 ? 'type:A' : 'type:B']
      index.put({ id: String(i % 5), compartment: 'labs', fromDay: i, toDay: i, terms })
    }
    expect(index.search({ text: 'every', limit: 9 })).to.deep.equal(['4', '3', '2', '1', '0'])
    expect(index.search({ text: 'word499*', limit: 9 })).to.deep.equal(['4', '3', '2', '1', '0'])
    expect(index.search({ text: 'word4000', limit: 9 })).to.deep.equal([])
    expect(index.search({ type: 'A', limit: 9 })).to.deep.equal(['3', '1'])
    expect(index.search({ fromDay: 4_998, limit: 9 })).to.deep.equal(['4', '3'])
  })

  it('finds what a plain list would, newest taken in first, after any changes', () => {
    const term = fc.constantFrom('type:A', 'type:B', 'code:1', 'text:pain', 'text:painful', 'text:lung')
    const change = fc.record({
      id: fc.integer({ min: 0, max: 6 }).map(String),
      isRemoval: fc.boolean(),
      terms: fc.uniqueArray(term),
      fromDay: fc.integer({ min: -3, max: 3 }),
      days: fc.integer({ min: 0, max: 3 })
    })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), changes => {
        const index = createLocalIndex()
        let plain: IndexedEntry[] = []
        for (const { id, isRemoval, terms, fromDay, days } of changes) {
          plain = plain.filter(each => each.id !== id)
          if (isRemoval) index.remove(id)
          else {
            const entry: IndexedEntry = { id, compartment: 'labs', terms, fromDay, toDay: fromDay + days }
            plain.unshift(entry)
            index.put(entry)
          }
        }
        const having = (holds: (entry: IndexedEntry) => boolean): string[] => plain.filter(holds).map(({ id }) => id)
        expect(index.search({ type: 'A', limit: 99 })).to.deep.equal(having(({ terms }) => terms.includes('type:A')))
        expect(index.search({ text: 'pai*', type: 'B', limit: 99 })).to.deep.equal(
          having(({ terms }) => terms.includes('type:B') && terms.some(each => each.startsWith('text:pai')))
        )
        expect(index.search({ compartments: ['labs'], fromDay: 0, toDay: 1, limit: 99 })).to.deep.equal(
          having(({ fromDay, toDay }) => toDay >= 0 && fromDay <= 1)
        )
        expect(index.size).to.equal(plain.length)
      }),
      { numRuns: 200 }
    )
  })
})
