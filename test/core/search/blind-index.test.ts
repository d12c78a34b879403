import { expect } from 'chai'
import fc from 'fast-check'
import type { CID } from 'multiformats/cid'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { DAG_CBOR_CODEC, cidOfDigest } from '#core/record/cid.ts'
import { COMPARTMENTS } from '#core/record/compartment.ts'
import { compartmentTag, nextGeneration } from '#core/record/generation.ts'
import { askBlind, createBlindPostings, type BlindIndex } from '#core/search/blind-index.ts'
import {
  MAX_BLIND_LIST_BYTES,
  MAX_LIST_NAMES,
  MIN_LIST_NAMES,
  blindIndexKey,
  blindTag,
  decodeBlindList,
  openBlindList,
  sealBlindList,
  type BlindPlace
} from '#core/search/blind-list.ts'
import { createBlindStore } from '#core/search/blind-store.ts'
import { blindTermsOf, quartersOf, type BlindTerm } from '#core/search/blind-terms.ts'
import { searchableOf } from '#core/search/searchable.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { NETWORK, PATIENT, keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

const PULSE: BlindTerm = { field: 'code', value: '8867-4', quarter: '2026Q4' }
const TODAY = 20_778

function nameOf(number: number): CID {
  return cidOfDigest(DAG_CBOR_CODEC, p.sha256(utf8(`entry ${String(number)}`)))
}

describe('the blind index', () => {
  const random = seededRandom('blind-index')
  const generation = nextGeneration(random)
  const tag = compartmentTag(p, generation.key, 'vitals')
  const place = { network: NETWORK, patient: PATIENT, tag, generation: 1 }
  const index: BlindIndex = { place, key: blindIndexKey(p, generation.key, 'vitals') }
  let keys: AgentKeys

  const listOf = (names: readonly CID[], revision = 1): Uint8Array =>
    sealBlindList(p, random, {
      place,
      indexKey: index.key,
      term: PULSE,
      part: 0,
      names,
      revision,
      author: keys.bundle.sign,
      signSeed: keys.signSeed
    })

  before(async () => {
    keys = await keysOf(1)
  })

  it('finds the names of a term, in any number of parts', async () => {
    const store = createBlindStore(p)
    const postings = createBlindPostings(index)
    const names = Array.from({ length: 2 * MAX_LIST_NAMES + 1 }, (_, i) => nameOf(i))
    for (const name of names) postings.add(PULSE, name)
    for (const bytes of postings.seal(p, random, keys)) store.put(bytes)
    const wish = {
      term: PULSE,
      author: keys.bundle.sign,
      ask: (at: BlindPlace, asked: Uint8Array) => store.get(at, asked)
    }
    expect((await askBlind(p, index, wish)).map(String)).to.deep.equal(names.map(String))
    for (const name of names.slice(1)) postings.remove(PULSE, name)
    for (const bytes of postings.seal(p, random, keys)) store.put(bytes)
    expect((await askBlind(p, index, wish)).map(String)).to.deep.equal([String(nameOf(0))])
    expect(postings.seal(p, random, keys)).to.deep.equal([])
    expect(await askBlind(p, index, { ...wish, term: { ...PULSE, quarter: '2026Q3' } })).to.deep.equal([])
    store.forget(tag)
    expect(await askBlind(p, index, wish)).to.deep.equal([])
  })

  it('has other tags in every compartment and generation', () => {
    const other = nextGeneration(random, generation)
    const indexKeys = [
      ...COMPARTMENTS.map(each => blindIndexKey(p, generation.key, each)),
      blindIndexKey(p, other.key, 'vitals')
    ]
    const tags = indexKeys.map(key => toHex(blindTag(p, key, PULSE)))
    expect(new Set(tags).size).to.equal(tags.length)
  })

  it('refuses a list that is another, stale, or not its author’s', async () => {
    const store = createBlindStore(p)
    const bytes = listOf([nameOf(1)], 2)
    store.put(bytes)
    await expectCode('BLIND_LIST_STALE', () => store.put(listOf([], 2)))
    await expectCode('BLIND_LIST_STALE', () => store.put(listOf([], 1)))
    const forged = bytes.slice()
    forged[forged.length - 1]! ^= 1
    await expectCode('BLIND_LIST_SIGNATURE', () => createBlindStore(p).put(forged))
    const list = decodeBlindList(bytes)
    const asked = blindTag(p, index.key, PULSE)
    await expectCode('BLIND_LIST_TAG', () => openBlindList(p, list, index.key, blindTag(p, index.key, PULSE, 1)))
    await expectCode('BLIND_LIST_KEY', () => openBlindList(p, list, new Uint8Array(32), asked))
    await expectCode('BLIND_LIST_KEY', () => openBlindList(p, { ...list, revision: 3 }, index.key, asked))
    const wish = { term: PULSE, author: keys.bundle.sign, ask: () => bytes }
    await expectCode('BLIND_LIST_AUTHOR', () => askBlind(p, index, { ...wish, author: new Uint8Array(32) }))
    await expectCode('BLIND_LIST_PLACE', () => askBlind(p, { ...index, place: { ...place, generation: 2 } }, wish))
    const many = Array.from({ length: MAX_LIST_NAMES + 1 }, (_, i) => nameOf(i))
    await expectCode('BLIND_LIST_OVERSIZE', () => listOf(many))
  })

  describe('a list', () => {
    itRefusesBadInput({
      area: 'BLIND_LIST',
      maxBytes: MAX_BLIND_LIST_BYTES,
      valid: () => listOf([nameOf(1)]),
      decode: bytes => decodeBlindList(bytes),
      elsewhere: decodeBlindList,
      mutations: 1500
    })
  })

  describe('tags of an entry', () => {
    const observation = (code: string, extra: object = {}) =>
      searchableOf({
        type: 'application/fhir+json',
        recordedAtMs: TODAY * 86_400_000,
        body: utf8(
          JSON.stringify({
            resourceType: 'Observation',
            code: { coding: [{ system: 'http://loinc.org', code, display: 'secret words' }] },
            ...extra
          })
        )
      })

    it('are its type, and its code if it is a common one, by quarter', () => {
      expect(blindTermsOf(observation('8867-4'), 'vitals')).to.deep.equal([
        { field: 'type', value: 'Observation', quarter: '2026Q4' },
        PULSE
      ])
    })

    it('never hold rare values or words, nor anything of the most sensitive compartments', () => {
      expect(blindTermsOf(observation('rare-1'), 'labs').map(({ value }) => value)).to.deep.equal(['Observation'])
      const rareType = { ...observation('8867-4'), terms: ['type:MolecularSequence', 'text:huntington'] }
      expect(blindTermsOf(rareType, 'documents').map(({ value }) => value)).to.deep.equal(['other'])
      for (const each of ['mental', 'sexual', 'substance-use', 'genomics'] as const) {
        expect(blindTermsOf(observation('8867-4'), each)).to.deep.equal([])
      }
    })

    it('cover few quarters, whatever the span', () => {
      expect(quartersOf(TODAY - 90, TODAY)).to.deep.equal(['2026Q4', '2026Q3'])
      expect(quartersOf(-100_000, 100_000)).to.have.length(4)
      expect(quartersOf(-1, 0)).to.deep.equal(['1970Q1', '1969Q4'])
    })
  })

  /** What docs/specs/blind-index.md says that a node learns: computed from the data, without the node. */
  interface Leakage {
    /** Of each upload: how many lists, and of each which one it is by first appearance, its revision and its size class. */
    readonly uploads: readonly { readonly list: number; readonly revision: number; readonly names: number }[][]
    /** Of each search: which list was asked for, also one that is not there. */
    readonly searches: readonly number[][]
  }

  const term = fc.record({
    field: fc.constant('code' as const),
    value: fc.constantFrom('8867-4', '9279-1', '8310-5'),
    quarter: fc.constantFrom('2026Q3', '2026Q4')
  })
  const steps = fc.array(
    fc.oneof(
      fc.record({
        upload: fc.array(fc.record({ term, name: fc.integer({ min: 0, max: 40 }) }), { minLength: 1, maxLength: 30 })
      }),
      fc.record({ search: term })
    ),
    { maxLength: 8 }
  )

  it('tells a node what its page says and nothing else, however it is used', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async all => {
        // The node: it writes down every byte it is handed and every question.
        const log: ({ put: Uint8Array[] } | { asked: { place: object; tag: Uint8Array }[] })[] = []
        const store = createBlindStore(p)
        const postings = createBlindPostings(index)
        // The model: terms and names in clear, from which the leakage function is computed.
        const model = new Map<string, { names: Set<number>; revision: number }>()
        const classes: { id: string; revision: number; names: number }[][] = []
        const questions: string[][] = []
        for (const step of all) {
          if ('upload' in step) {
            const touched = new Set<string>()
            for (const each of step.upload) {
              postings.add(each.term, nameOf(each.name))
              const id = JSON.stringify(each.term)
              const known = model.get(id) ?? { names: new Set<number>(), revision: 0 }
              known.names.add(each.name)
              model.set(id, known)
              touched.add(id)
            }
            const lists = postings.seal(p, random, keys)
            for (const bytes of lists) store.put(bytes)
            log.push({ put: lists })
            classes.push(
              [...touched].map(id => {
                const known = model.get(id)!
                const names = Math.max(MIN_LIST_NAMES, 2 ** Math.ceil(Math.log2(known.names.size)))
                return { id, revision: ++known.revision, names }
              })
            )
          } else {
            const asked: { place: object; tag: Uint8Array }[] = []
            const ask = (at: typeof place, asks: Uint8Array): Uint8Array | undefined => {
              asked.push({ place: at, tag: asks })
              return store.get(at, asks)
            }
            await askBlind(p, index, { term: step.search, author: keys.bundle.sign, ask })
            log.push({ asked })
            questions.push([JSON.stringify(step.search)])
          }
        }

        // 1. Every field of the log is public, a tag, a size class, or uniformly random.
        const seen: string[] = []
        const numberOf = (tagged: Uint8Array): number => {
          const hex = toHex(tagged)
          if (!seen.includes(hex)) seen.push(hex)
          return seen.indexOf(hex)
        }
        const observed: Leakage = {
          uploads: log.flatMap(step =>
            'put' in step
              ? [
                  step.put.map(bytes => {
                    const { blindTag: list, revision, sealed, nonce, signature, ...open } = decodeBlindList(bytes)
                    expect(open).to.deep.equal({ ...place, author: keys.bundle.sign })
                    expect([nonce.length, signature.length]).to.deep.equal([12, 64])
                    return { list: numberOf(list), revision, names: (sealed.length - 16) / 32 }
                  })
                ]
              : []
          ),
          searches: log.flatMap(step =>
            'asked' in step
              ? [
                  step.asked.map(({ place: at, tag: asks }) => {
                    expect(at).to.deep.equal(place)
                    expect(asks).to.have.length(12)
                    return numberOf(asks)
                  })
                ]
              : []
          )
        }

        // 2. What is left is the leakage function of the data, computed in clear; lists are numbered as the node first sees them.
        const tagOf = (id: string): string => toHex(blindTag(p, index.key, JSON.parse(id) as BlindTerm))
        const expected: Leakage = {
          uploads: classes.map(lists =>
            lists
              .sort((a, b) => (tagOf(a.id) < tagOf(b.id) ? -1 : 1))
              .map(({ id, revision, names }) => ({ list: seen.indexOf(tagOf(id)), revision, names }))
          ),
          searches: questions.map(ids => ids.map(id => seen.indexOf(tagOf(id))))
        }
        expect(observed).to.deep.equal(expected)

        // 3. No name and no value stands in the log in clear.
        const bytes = log.flatMap(step => ('put' in step ? step.put : step.asked.map(each => each.tag)))
        const text = bytes.map(each => Buffer.from(each).toString('latin1')).join('')
        for (let i = 0; i <= 40; i++) {
          expect(text).not.to.contain(Buffer.from(nameOf(i).multihash.digest).toString('latin1'))
        }
        for (const value of ['8867-4', '9279-1', '8310-5', '2026Q', 'vitals', 'code'])
          expect(text).not.to.contain(value)
      }),
      { numRuns: 60 }
    )
  })

  it('shows the node the same for different data of the same shape', () => {
    const shapeOf = (value: string, first: number): unknown[] => {
      const postings = createBlindPostings(index)
      for (let i = 0; i < 9; i++) postings.add({ ...PULSE, value }, nameOf(first + i))
      return postings.seal(p, random, keys).map(bytes => {
        const { blindTag: named, nonce, sealed, signature, ...rest } = decodeBlindList(bytes)
        return { ...rest, lengths: [named.length, nonce.length, sealed.length, signature.length] }
      })
    }
    expect(shapeOf('8867-4', 0)).to.deep.equal(shapeOf('8310-5', 20))
  })
})
