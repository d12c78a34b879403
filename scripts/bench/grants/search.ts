/** Search at three sizes: the local index against looking through all entries, and the blind index at a node. */
import { randomBytes } from 'node:crypto'
import { utf8 } from '#core/encoding/bytes.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { DAG_CBOR_CODEC, cidOfDigest } from '#core/record/cid.ts'
import { askBlind, createBlindPostings } from '#core/search/blind-index.ts'
import { createBlindStore } from '#core/search/blind-store.ts'
import { blindTermsOf, type BlindTerm } from '#core/search/blind-terms.ts'
import type { IndexedEntry } from '#core/search/index-row.ts'
import { createLocalIndex } from '#core/search/local-index.ts'
import { searchableOf } from '#core/search/searchable.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { interleave } from '#scripts/bench/interleave.ts'
import type { Bench } from '#scripts/bench/report.ts'

const DAY = 20_777
const CODES = ['8867-4', '9279-1', '59408-5', '8310-5', '8480-6', '8462-4', '29463-7', '2160-0']
const WORDS =
  'acute chronic left right pain heart lung kidney mild severe follow up normal raised lowered stable'.split(' ')

function contentOf(number: number): { type: string; recordedAtMs: number; body: Uint8Array } {
  const pick = (list: readonly string[], step: number): string => list[(number * step) % list.length] ?? ''
  const body = {
    resourceType: 'Observation',
    status: 'final',
    code: {
      coding: [{ system: 'http://loinc.org', code: pick(CODES, 7), display: `${pick(WORDS, 3)} ${pick(WORDS, 5)}` }]
    },
    effectiveDateTime: new Date((DAY - (number % 3650)) * 86_400_000).toISOString(),
    valueQuantity: { value: number % 200, unit: '/min' },
    note: [{ text: `${pick(WORDS, 11)} ${pick(WORDS, 13)} case${String(number % 997)}` }]
  }
  return { type: 'application/fhir+json', recordedAtMs: DAY * 86_400_000, body: utf8(JSON.stringify(body)) }
}

/** Figures of search. */
export async function benchSearch(bench: Bench, sizes: readonly number[]): Promise<void> {
  const keys = await deriveAgentKeys(p, randomBytes(32), [2])
  for (const size of sizes) {
    bench.progress(`search over ${String(size)} entries`)
    const contents = Array.from({ length: size }, (_, i) => contentOf(i))
    const index = createLocalIndex()
    const start = performance.now()
    const entries: IndexedEntry[] = contents.map((content, i) => ({
      id: String(i),
      compartment: 'vitals',
      ...searchableOf(content)
    }))
    const parsed = performance.now()
    for (const entry of entries) index.put(entry)
    const putUs = ((performance.now() - parsed) * 1000) / size
    const parseUs = ((parsed - start) * 1000) / size

    const place = { network: randomBytes(32), patient: randomBytes(32), tag: randomBytes(16), generation: 1 }
    const blind = { place, key: randomBytes(32) }
    const postings = createBlindPostings(blind)
    for (const entry of entries) {
      const name = cidOfDigest(DAG_CBOR_CODEC, p.sha256(utf8(entry.id)))
      for (const term of blindTermsOf(entry, 'vitals')) postings.add(term, name)
    }
    const sealing = performance.now()
    const lists = postings.seal(p, randomBytes, keys)
    const sealUs = ((performance.now() - sealing) * 1000) / size
    const store = createBlindStore(p)
    for (const list of lists) store.put(list)
    const term: BlindTerm = { field: 'code', value: CODES[0] ?? '', quarter: '2026Q3' }

    const terms = ['code:8867-4', 'text:pain', 'text:case42']
    const samples = await interleave(
      {
        local: () => index.search({ code: '8867-4', text: 'pain case42', limit: 20 }),
        first: () => index.search({ code: '8867-4', limit: 20 }),
        days: () => index.search({ fromDay: DAY - 3, limit: 20 }),
        scan: () => entries.filter(entry => terms.every(each => entry.terms.includes(each))).slice(0, 20),
        blind: () => askBlind(p, blind, { term, author: keys.bundle.sign, ask: (at, tag) => store.get(at, tag) })
      },
      { rounds: bench.quick ? 5 : 21, repeat: 3 }
    )
    const name = String(size)
    const versus = { name: 'looking through all entries in memory', samples: samples.scan }
    bench.figure({ metric: `search.local.code-and-words.${name}`, samples: samples.local, unit: 'ms', versus })
    bench.figure({ metric: `search.local.code-first-page.${name}`, samples: samples.first, unit: 'ms', versus })
    bench.figure({ metric: `search.local.days-first-page.${name}`, samples: samples.days, unit: 'ms', versus })
    bench.figure({ metric: `search.blind.code-and-quarter.${name}`, samples: samples.blind, unit: 'ms', versus })
    bench.figure({ metric: `search.index.${name}`, samples: [putUs], unit: 'us/entry' })
    bench.figure({ metric: `search.parse.${name}`, samples: [parseUs], unit: 'us/entry' })
    bench.figure({ metric: `search.blind.seal.${name}`, samples: [sealUs], unit: 'us/entry' })
    const bytes = lists.reduce((sum, list) => sum + list.length, 0) / size
    bench.figure({ metric: `search.blind.bytes.${name}`, samples: [bytes], unit: 'B/entry' })
  }
}
