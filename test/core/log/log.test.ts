import { expect } from 'chai'
import { toHex } from '#core/encoding/bytes.ts'
import type { LogFacts } from '#core/log/facts.ts'
import { createLog, type Log } from '#core/log/log.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { NOW_S, TODAY, createLogWorld, type LogWorld, type Written } from '#test/core/log/log-world.ts'

describe('a patient’s log', () => {
  let world: LogWorld
  let log: Log

  const feed = (...written: readonly Written[]): void => {
    for (const each of written) log.add(each)
  }
  const names = (...written: readonly Written[]): string[] => written.map(({ name }) => name)
  const entryOf = (written: Written) => log.entry(toHex(written.header.entry))!
  const nameOf = (nodes: readonly { readonly item: { readonly name: string } }[]): string[] =>
    nodes.map(({ item }) => item.name)

  before(async () => {
    world = await createLogWorld()
  })

  beforeEach(() => {
    log = createLog(p, world.facts)
  })

  it('keeps a correction and what it corrects', () => {
    const original = world.write(world.doctor)
    const correction = world.write(world.doctor, { follows: [original] })
    feed(original, correction)
    const { revisions, standing, isConflict } = entryOf(original)
    expect(nameOf(revisions)).to.deep.equal(names(original, correction))
    expect(nameOf(standing)).to.deep.equal(names(correction))
    expect(isConflict).to.equal(false)
  })

  it('makes a header wait for what it follows, and wakes it', () => {
    const first = world.write(world.patient)
    const second = world.write(world.patient, { follows: [first] })
    const third = world.write(world.patient, { follows: [second] })
    feed(third, second)
    expect(log.node(third.name)?.state).to.equal('waiting')
    expect(log.missing()).to.deep.equal([first.name])
    expect(entryOf(first)).to.equal(undefined)
    expect(log.add(first).settled).to.have.members(names(first, second, third))
    expect(log.missing()).to.deep.equal([])
    expect(nameOf(entryOf(first).standing)).to.deep.equal([third.name])
  })

  it('is without what the patient had erased, whether that was here or not', () => {
    const gone = world.write(world.doctor)
    const later = world.write(world.patient, { follows: [gone], entry: 77 })
    const other = world.write(world.patient, { follows: [later], entry: 78 })
    const erased = { ...world.facts, erased: new Set([gone.name]) }
    feed(gone, later)
    expect(log.renew(erased)).to.deep.equal([])
    feed(other)
    const never = createLog(p, erased)
    for (const each of [other, later]) never.add(each)
    expect(never.add(gone)).to.include({ code: 'ENTRY_ERASED', state: 'refused' })
    for (const each of [log, never]) {
      expect(each.node(gone.name)).to.equal(undefined)
      expect(each.entry(toHex(gone.header.entry))).to.equal(undefined)
      expect(each.node(other.name)?.state).to.equal('sound')
      expect(each.missing()).to.deep.equal([])
    }
  })

  it('forgets the row of what is erased, and does not take it up again', () => {
    const rows = new Map<string, Uint8Array>()
    const kept = {
      put: (key: string, row: Uint8Array) => rows.set(key, row),
      delete: (key: string) => rows.delete(key)
    }
    const gone = world.write(world.doctor)
    log = createLog(p, world.facts, { rows: kept })
    feed(gone)
    const row = rows.get(`header/${gone.name}`) ?? new Uint8Array()
    const erased = { ...world.facts, erased: new Set([gone.name]) }
    log.renew(erased)
    expect([...rows.keys()]).to.deep.equal([])
    const again = createLog(p, erased)
    again.restore(row)
    expect(again.node(gone.name)).to.equal(undefined)
  })

  it('shows concurrent revisions as a conflict with all sides, until one names them all', () => {
    const original = world.write(world.patient)
    const sides = [1, 2, 3].map(() => world.write(world.patient, { follows: [original] }))
    feed(original, ...sides)
    expect(nameOf(entryOf(original).standing)).to.deep.equal(names(...sides).sort())
    expect(entryOf(original).isConflict).to.equal(true)
    const { parents, revision } = log.parentsOfRevision(toHex(original.header.entry))
    expect(parents).to.have.members(names(...sides))
    expect(revision).to.equal(3)
    const merged = world.write(world.patient, { follows: sides })
    feed(merged)
    expect(nameOf(entryOf(original).standing)).to.deep.equal([merged.name])
    expect(nameOf(entryOf(original).revisions)).to.have.length(5)
  })

  it('holds another’s revision as a proposal until the owner or the patient takes it up', () => {
    const original = world.write(world.doctor)
    const proposal = world.write(world.other, { follows: [original] })
    const better = world.write(world.other, { follows: [proposal] })
    feed(original, proposal)
    expect(nameOf(entryOf(original).standing)).to.deep.equal([original.name])
    expect(nameOf(entryOf(original).proposed)).to.deep.equal([proposal.name])
    feed(better)
    expect(nameOf(entryOf(original).proposed)).to.deep.equal([better.name])
    expect(log.parentsOfRevision(toHex(original.header.entry)).parents).to.deep.equal([original.name])
    const taken = log.parentsOfRevision(toHex(original.header.entry), [better.name])
    expect(taken.parents).to.have.members(names(original, better))
    expect(taken.revision).to.equal(4)
    feed(world.write(world.doctor, { follows: [better, original] }))
    expect(entryOf(original).proposed).to.deep.equal([])
    expect(entryOf(original).standing[0]?.item.revision).to.equal(4)
  })

  it('keeps the owner’s last words in view where the patient’s stand in their place', () => {
    const original = world.write(world.doctor)
    const corrected = world.write(world.doctor, { follows: [original] })
    const amended = world.write(world.patient, { follows: [corrected] })
    feed(original, corrected, amended)
    expect(nameOf(entryOf(original).standing)).to.deep.equal([amended.name])
    expect(nameOf(entryOf(original).originals)).to.deep.equal([corrected.name])
  })

  it('lets nobody take over an entry by its id', () => {
    const original = world.write(world.doctor)
    const stolen = world.write(world.other)
    const over = world.write(world.other, { follows: [original, stolen] })
    feed(stolen, over, original)
    expect(nameOf(entryOf(original).standing)).to.have.members(names(original, stolen))
    expect(nameOf(entryOf(original).proposed)).to.deep.equal([over.name])
    const settled = world.write(world.patient, { follows: [original, stolen, over] })
    feed(settled)
    expect(nameOf(entryOf(original).standing)).to.deep.equal([settled.name])
  })

  it('keeps what follows an entry attached to it through its revisions', () => {
    const original = world.write(world.doctor)
    const comment = world.write(world.patient, { entry: 2, follows: [original] })
    const revised = world.write(world.doctor, { follows: [original] })
    feed(original, comment, revised)
    expect(entryOf(original).followers).to.deep.equal([comment.name])
    const dropped = world.write(world.doctor, { entry: 2, follows: [comment] })
    feed(dropped)
    expect(nameOf(entryOf(comment).standing)).to.deep.equal([comment.name])
  })

  it('names a fork of one key', () => {
    const original = world.write(world.patient)
    const [a, b] = [1, 2].map(() => world.write(world.doctor, { follows: [original] })) as [Written, Written]
    feed(original, a, b)
    expect(entryOf(original).forks.map(nameOf)).to.deep.equal([names(a, b).sort()])
  })

  it('names the newest heads as what a new entry follows', () => {
    const old = world.write(world.patient, { entry: 1, day: TODAY - 9 })
    const followed = world.write(world.patient, { entry: 2 })
    const head = world.write(world.patient, { entry: 3, follows: [followed] })
    feed(old, followed, head)
    expect(log.parentsOfNew()).to.deep.equal(names(head, old))
    expect(log.parentsOfNew([followed.name])[0]).to.equal(followed.name)
    for (let entry = 10; entry < 40; entry++) feed(world.write(world.gateway, { entry }))
    expect(log.parentsOfNew()).to.have.length(16)
  })

  it('lists entries by day in pages, newest first', () => {
    const written = [3, 1, 2, 1, 3].map((back, i) => world.write(world.patient, { entry: i, day: TODAY - back }))
    feed(...written)
    const pages: string[] = []
    let after: ReturnType<Log['list']>[number] | undefined
    for (;;) {
      const page = log.list({ limit: 2, after })
      pages.push(...page.map(({ day, key }) => `${String(TODAY - day)} ${key}`))
      after = page.at(-1)
      if (page.length < 2) break
    }
    expect(pages).to.deep.equal([...pages].sort())
    expect(pages).to.have.length(5)
    expect(log.list({ limit: 9, fromDay: TODAY - 2, toDay: TODAY - 2 })).to.have.length(1)
  })

  it('takes in what was unproven once the chain says more', () => {
    const { record } = world.facts
    const early: LogFacts = { ...world.facts, record: { ...record, grants: [] } }
    log = createLog(p, early)
    const first = world.write(world.doctor)
    const second = world.write(world.patient, { follows: [first] })
    feed(second, first)
    expect(log.node(first.name)).to.include({ state: 'unproven', code: 'ENTRY_AUTHOR_UNPROVEN' })
    expect(log.node(second.name)?.state).to.equal('waiting')
    expect(log.renew(world.facts)).to.have.members(names(first, second))
    expect(nameOf(entryOf(first).standing)).to.deep.equal([second.name])
  })

  it('takes back what newer facts forbid', () => {
    const { record } = world.facts
    const [doctorGrant, ...others] = record.grants
    const givenAtS = NOW_S - 10 * 86_400
    const late = world.write(world.gateway, { entry: 2 })
    const backdated = world.write(world.doctor, { entry: 1, day: TODAY - 20, follows: [late] })
    feed(late, backdated)
    expect(log.node(backdated.name)?.state).to.equal('sound')
    const [gatewayGrant, ...rest] = others
    const grants = [{ ...doctorGrant!, revokedAtS: givenAtS - 2 * 86_400 }, { ...gatewayGrant!, givenAtS }, ...rest]
    expect(log.renew({ ...world.facts, record: { ...record, grants } })).to.deep.equal([backdated.name])
    expect(log.node(backdated.name)).to.include({ state: 'refused', code: 'LOG_BACKDATED' })
  })

  it('comes back from its rows to the same state, without a signature checked again', () => {
    const rows = new Map<string, Uint8Array>()
    const put = (key: string, bytes: Uint8Array) => rows.set(key, bytes)
    log = createLog(p, world.facts, { rows: { put, delete: key => rows.delete(key) } })
    const original = world.write(world.doctor)
    const sides = [world.patient, world.doctor, world.other].map(by => world.write(by, { follows: [original] }))
    feed(...sides, original)
    const without = { ...p, ed25519Verify: () => expect.fail('a signature was checked') }
    const restored = createLog(without, world.facts)
    for (const [, row] of [...rows].sort(([a], [b]) => (a < b ? -1 : 1))) restored.restore(row)
    const [before, after] = [log, restored].map(each => each.entry(toHex(original.header.entry))!)
    expect(nameOf(after!.standing)).to.deep.equal(nameOf(before!.standing))
    expect(nameOf(after!.proposed)).to.deep.equal(nameOf(before!.proposed))
    expect(nameOf(after!.revisions)).to.deep.equal(nameOf(before!.revisions))
  })

  it('asks again for evidence that its rows lack', () => {
    const rows = new Map<string, Uint8Array>()
    const put = (key: string, bytes: Uint8Array) => rows.set(key, bytes)
    log = createLog(p, world.facts, { rows: { put, delete: key => rows.delete(key) } })
    const written = world.write(world.doctor)
    feed(written)
    const restored = createLog(p, world.facts)
    restored.restore(rows.get(`header/${written.name}`)!)
    expect(restored.node(written.name)).to.include({ state: 'unproven', code: 'LOG_NO_EVIDENCE' })
    expect(restored.add(written)).to.include({ state: 'sound', isNew: false })
  })

  it('keeps all evidence of what is unproven until the chain tells which of it proves', () => {
    const { record } = world.facts
    const early: LogFacts = { ...world.facts, record: { ...record, grants: [] } }
    const retired = new Map([[`0x${'77'.repeat(16)}`, 1]])
    const written = world.write(world.doctor)
    for (const next of [world.facts, { ...world.facts, retired }]) {
      log = createLog(p, early)
      log.add({ ...written, evidenceBytes: world.other.evidenceBytes })
      log.add(written)
      expect(log.node(written.name)?.state).to.equal('unproven')
      expect(log.renew(next)).to.deep.equal([written.name])
      expect(log.node(written.name)?.state).to.equal('sound')
    }
  })

  it('checks each signature once and reads each piece of evidence once, in whatever order a long chain comes', () => {
    const chain = [world.write(world.patient, { entry: 0 })]
    for (let i = 1; i < 500; i++) chain.push(world.write(world.patient, { entry: i, follows: [chain[i - 1]!] }))
    const calls = { verify: 0, sha256: 0 }
    const counting = {
      ...p,
      ed25519Verify: () => ++calls.verify > 0,
      sha256: (data: Uint8Array) => (++calls.sha256, p.sha256(data))
    }
    log = createLog(counting, world.facts)
    feed(...chain.reverse())
    expect(log.node(chain[0]!.name)?.height).to.equal(499)
    feed(...chain)
    expect(calls).to.deep.equal({ verify: 500, sha256: 500 })
    expect(log.renew({ ...world.facts, blockTimeS: NOW_S + 60 })).to.deep.equal([])
    expect(calls.verify).to.equal(500)
  })

  it('bounds what waits and what is unproven', () => {
    log = createLog(p, world.facts, { maxWaiting: 2, maxUnproven: 2 })
    const root = world.write(world.patient)
    const chain = [root]
    for (let i = 0; i < 3; i++) chain.push(world.write(world.patient, { follows: [chain.at(-1)!] }))
    feed(chain[3]!, chain[2]!, chain[1]!)
    expect(chain.map(({ name }) => log.node(name)?.state)).to.deep.equal([undefined, 'waiting', 'waiting', undefined])
    const strangers = [1, 2, 3].map(entry => world.write({ ...world.patient, grant: new Uint8Array(32) }, { entry }))
    log = createLog(p, world.facts, { maxUnproven: 2 })
    feed(...strangers)
    expect(strangers.map(({ name }) => log.node(name)?.state)).to.deep.equal([undefined, 'unproven', 'unproven'])
  })

  it('forgets, with its rows, what was unproven too long, and evidence that is of nothing any more', () => {
    const rows = new Map<string, Uint8Array>()
    const put = (key: string, bytes: Uint8Array) => rows.set(key, bytes)
    log = createLog(p, world.facts, { maxUnproven: 1, rows: { put, delete: key => rows.delete(key) } })
    const wrong = [world.doctor, world.gateway, world.other].map((by, entry) =>
      world.write({ ...by, grant: new Uint8Array(32) }, { entry })
    )
    const kept = world.write(world.doctor, { entry: 9 })
    feed(wrong[0]!, kept, wrong[1]!, wrong[2]!)
    expect(log.node(wrong[1]!.name)).to.equal(undefined)
    expect([...rows.keys()].filter(key => key.startsWith('header/'))).to.have.members(
      names(kept, wrong[2]!).map(name => `header/${name}`)
    )
    expect([...rows.keys()].filter(key => key.startsWith('evidence/'))).to.have.length(2)
    for (const evidenceBytes of [world.patient, world.doctor, world.gateway, world.reader].map(
      by => by.evidenceBytes
    )) {
      log.add({ ...wrong[2]!, evidenceBytes })
    }
    expect(log.node(wrong[2]!.name)?.alternatives).to.have.length(3)
    expect([...rows.keys()].filter(key => key.startsWith('evidence/'))).to.have.length(4)
  })
})
