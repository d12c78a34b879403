import { expect } from 'chai'
import fc from 'fast-check'
import { toHex } from '#core/encoding/bytes.ts'
import type { LogFacts } from '#core/log/facts.ts'
import type { LogItem } from '#core/log/item.ts'
import { createLog, type Log } from '#core/log/log.ts'
import { nodeOf, type LogNode } from '#core/log/node.ts'
import { createEntryNodes, stateOf } from '#core/log/revisions.ts'
import { readEntry } from '#core/log/view.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createLogWorld, type LogWorld, type Written } from '#test/core/log/log-world.ts'

describe('a log in bad company', () => {
  let world: LogWorld
  let log: Log
  let rows: Map<string, Uint8Array>

  const feed = (...written: readonly Written[]): void => {
    for (const each of written) log.add(each)
  }
  const statesOf = (...written: readonly Written[]) => written.map(({ name }) => log.node(name)?.state)
  const kept = () => ({
    put: (key: string, row: Uint8Array) => rows.set(key, row),
    delete: (key: string) => rows.delete(key)
  })
  const withoutGrants = (): LogFacts => ({ ...world.facts, record: { ...world.facts.record, grants: [] } })

  /** Headers that follow what was never handed out. */
  const dangling = (by: 'doctor' | 'other', count: number): Written[] => {
    const ghost = world.write(world[by], { entry: 77 })
    return Array.from({ length: count }, (_, i) => world.write(world[by], { entry: 100 + i, follows: [ghost] }))
  }

  before(async () => {
    world = await createLogWorld()
  })

  beforeEach(() => {
    rows = new Map()
  })

  it('takes in what others write, however much of one writer waits for what does not exist', () => {
    log = createLog(p, world.facts, { maxWaiting: 10, rows: kept() })
    const hostile = dangling('doctor', 40)
    const chain = [world.write(world.patient)]
    for (let i = 0; i < 5; i++) chain.push(world.write(world.patient, { follows: [chain.at(-1)!] }))
    const quiet = dangling('other', 2)
    feed(...hostile.slice(0, 20), ...quiet, ...chain.slice(3), ...hostile.slice(20), ...chain.slice(0, 3))
    expect(statesOf(...chain)).to.deep.equal(chain.map(() => 'sound'))
    expect(statesOf(...quiet)).to.deep.equal(['waiting', 'waiting'])
    expect(statesOf(...hostile).filter(state => state === 'waiting')).to.have.length(5)
    expect([...rows.keys()].filter(key => key.startsWith('header/'))).to.have.length(log.graph.nodes.size)
  })

  it('takes in again what it let go, once what it waits for is there', () => {
    log = createLog(p, world.facts, { maxWaiting: 2, rows: kept() })
    const root = world.write(world.doctor)
    const late = [2, 3, 4, 5].map(entry => world.write(world.doctor, { entry, follows: [root] }))
    feed(...late)
    expect(statesOf(...late)).to.deep.equal([undefined, undefined, 'waiting', 'waiting'])
    feed(root, ...late)
    expect(statesOf(root, ...late)).to.deep.equal(Array.from({ length: 5 }, () => 'sound'))
    expect(log.missing()).to.deep.equal([])
    expect(log.graph.waiters).to.equal(0)
  })

  it('keeps what it has proven once while a chain that is behind does not know its author', () => {
    log = createLog(p, world.facts, { maxUnproven: 3, rows: kept() })
    const written = Array.from({ length: 10 }, (_, entry) => world.write(world.doctor, { entry: entry + 1 }))
    feed(...written)
    log.renew(withoutGrants())
    expect(new Set(statesOf(...written))).to.deep.equal(new Set(['unproven']))
    feed(...[20, 21, 22, 23, 24].map(entry => world.write(world.other, { entry })))
    expect(log.graph.unproven.size).to.equal(13)
    log.renew(world.facts)
    expect(statesOf(...written)).to.deep.equal(written.map(() => 'sound'))
    expect([...rows.keys()].filter(key => key.startsWith('header/'))).to.have.length(13)
  })

  it('keeps its rows when it is taken up again beside a chain that is behind', () => {
    log = createLog(p, world.facts, { rows: kept() })
    const written = Array.from({ length: 10 }, (_, entry) => world.write(world.doctor, { entry: entry + 1 }))
    feed(...written)
    const saved = [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
    log = createLog(p, withoutGrants(), { maxUnproven: 3, rows: kept() })
    for (const [, row] of saved) log.restore(row)
    feed(world.write(world.patient, { entry: 30 }), world.write(world.other, { entry: 31 }))
    log.renew(world.facts)
    expect(statesOf(...written)).to.deep.equal(written.map(() => 'sound'))
    expect([...rows.keys()].filter(key => key.startsWith('header/'))).to.have.length(12)
  })

  it('puts the versions of an entry in order once for each change', () => {
    log = createLog(p, world.facts)
    const root = world.write(world.patient)
    const [revision, proposal] = [world.patient, world.doctor].map(by => world.write(by, { follows: [root] }))
    const comment = world.write(world.other, { entry: 2, follows: [root] })
    const seen = new Set<unknown>()
    for (const each of [root, revision!, proposal!, comment]) {
      log.add(each)
      const state = log.entry(toHex(root.header.entry))
      expect(log.entry(toHex(root.header.entry))).to.equal(state)
      seen.add(state)
    }
    expect(seen.size).to.equal(4)
    const state = log.entry(toHex(root.header.entry))
    expect(state?.followers).to.deep.equal([comment.name])
    expect(state?.revisions).to.have.length(3)
  })

  it('believes the right evidence, however much wrong evidence came before', () => {
    log = createLog(p, world.facts, { rows: kept() })
    const written = world.write(world.doctor)
    const wrong = [world.patient, world.gateway, world.other, world.reader].map(by => by.evidenceBytes)
    for (const evidenceBytes of [...wrong, new Uint8Array(9)]) log.add({ ...written, evidenceBytes })
    expect(statesOf(written)).to.deep.equal(['unproven'])
    const { state, settled } = log.add(written)
    expect([state, settled]).to.deep.equal(['sound', [written.name]])
    const saved = [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
    log = createLog(p, world.facts)
    for (const [, row] of saved) log.restore(row)
    expect(statesOf(written)).to.deep.equal(['sound'])
  })
})

describe('a log that is flooded, doubted and believed again in any order', () => {
  it('counts, keeps and forgets as one that was only fed what it still has', async () => {
    const world = await createLogWorld()
    const writers = [world.patient, world.doctor, world.gateway, world.other, world.reader]
    const ghosts = writers.map(by => world.write(by, { entry: 900 }))
    const bad: LogFacts = { ...world.facts, record: { ...world.facts.record, grants: [] } }
    const step = fc.record({
      kind: fc.constantFrom('new', 'new', 'new', 'again', 'doubt', 'believe', 'restore'),
      by: fc.nat(4),
      entry: fc.integer({ min: 1, max: 4 }),
      follows: fc.array(fc.nat(30), { maxLength: 3 }),
      hasGhost: fc.boolean(),
      evidence: fc.option(fc.nat(4), { nil: null, freq: 2 })
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const rows = new Map<string, Uint8Array>()
        const keep = {
          put: (key: string, row: Uint8Array) => rows.set(key, row),
          delete: (key: string) => rows.delete(key)
        }
        const init = { maxWaiting: 4, maxUnproven: 3, rows: keep }
        let facts = world.facts
        let log = createLog(p, facts, init)
        const fed: Written[] = []
        for (const { kind, by, entry, follows, hasGhost, evidence } of steps) {
          const evidenceBytes = evidence == null ? undefined : writers[evidence]?.evidenceBytes
          const parents = [...follows.flatMap(i => fed[i] ?? []), ...(hasGhost ? [ghosts[by]!] : [])]
          if (kind === 'new') {
            const written = world.write(writers[by]!, { entry, follows: [...new Set(parents)] })
            fed.push(written)
            log.add({ ...written, evidenceBytes: evidenceBytes ?? written.evidenceBytes })
          } else if (kind === 'again') for (const each of fed) log.add(each)
          else if (kind === 'restore') {
            log = createLog(p, facts, init)
            for (const [, row] of [...rows].sort(([a], [b]) => (a < b ? -1 : 1))) log.restore(row)
          } else {
            facts = kind === 'doubt' ? bad : world.facts
            log.renew(facts)
          }
          expectSound(log, rows)
        }
        facts = world.facts
        log.renew(facts)
        const has = fed.filter(({ name }) => log.node(name) != null)
        const plain = createLog(p, facts)
        for (const each of has) plain.add(each)
        // With all evidence on both sides the two must agree.
        for (const each of has) log.add(each)
        const left = has.filter(({ name }) => log.node(name) != null)
        if (left.length < has.length) return
        for (const { name } of left) expect(log.node(name)?.state).to.equal(plain.node(name)?.state)
        expect(log.missing()).to.deep.equal(plain.missing())
        for (const id of plain.graph.entries.keys()) {
          const names = (nodes: readonly LogNode[] = []): string[] => nodes.map(({ item }) => item.name)
          const shown = (of: Log) => {
            const { revisions, standing, proposed, originals, followers } = of.entry(id) ?? {}
            return [names(revisions), names(standing), names(proposed), names(originals), followers]
          }
          expect(shown(log)).to.deep.equal(shown(plain))
        }
      }),
      { numRuns: 60 }
    )
  }).timeout(120_000)
})

/** What must hold of a log at any time. */
function expectSound({ graph }: Log, rows: ReadonlyMap<string, Uint8Array>): void {
  const of = (state: string) => [...graph.nodes.values()].filter(node => node.state === state)
  expect(new Set(of('unproven'))).to.deep.equal(graph.unproven)
  expect(graph.waiters).to.equal(of('waiting').length)
  expect([...graph.waitersOf.values()].reduce((sum, { size }) => sum + size, 0)).to.equal(graph.waiters)
  for (const node of graph.strangers) expect(graph.unproven.has(node)).to.equal(true)
  for (const waiting of graph.waiting.values()) {
    for (const node of waiting) expect(graph.nodes.get(node.item.name)).to.equal(node)
  }
  const kept = [...rows.keys()]
  const headers = kept.filter(key => key.startsWith('header/')).map(key => key.slice('header/'.length))
  expect(new Set(headers)).to.deep.equal(new Set(graph.nodes.keys()))
  const evidence = new Set(
    [...graph.nodes.values()].flatMap(({ item, alternatives }) => [item.evidence, ...alternatives])
  )
  const keptEvidence = kept.filter(key => key.startsWith('evidence/')).map(key => key.slice('evidence/'.length))
  for (const name of evidence) expect(keptEvidence).to.include(name)
}

/** Revisions of one entry that nobody had to sign. */
function madeUp(count: number, revisionOf: (i: number) => number): LogNode[] {
  return Array.from({ length: count }, (_, i) => {
    const item: LogItem = {
      name: `n${String(i).padStart(8, '0')}`,
      entry: toHex(new Uint8Array(16)),
      revision: revisionOf(i),
      parents: [],
      tag: '',
      generation: 1,
      day: 1,
      author: new Uint8Array(32).fill(1),
      grant: null,
      sizeBytes: 1,
      evidence: ''
    }
    return Object.assign(nodeOf(item), { state: 'sound', authorId: 'patient', stands: true })
  })
}

describe('an entry with a hundred thousand versions', function () {
  // Work that grows with the square of that would take minutes, or the whole memory.
  this.timeout(20_000)

  it('shows its forks and its conflict', () => {
    const nodes = madeUp(100_000, () => 2)
    const state = stateOf('0x00', { ...createEntryNodes(), all: nodes, live: new Set(nodes) })
    expect(state.forks.map(same => same.length)).to.deep.equal([100_000])
    expect(state.standing).to.have.length(100_000)
    const read = readEntry(
      state,
      () => ({ code: 'ENTRY_UNKNOWN' }),
      () => undefined
    )
    expect([read.status, read.standing.length, read.history.length]).to.deep.equal(['conflict', 100_000, 100_000])
  })
})
