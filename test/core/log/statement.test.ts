import { expect } from 'chai'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { createLog } from '#core/log/log.ts'
import { contentOfStatement, checkStatement, statementOf, type Statement } from '#core/log/statement.ts'
import { commentsOn, readEntry, type Opened, type ReadEntry } from '#core/log/view.ts'
import { MAX_CONTENT_BYTES } from '#core/record/content.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { createLogWorld, type LogWorld, type Written } from '#test/core/log/log-world.ts'
import { expectCode } from '#test/error-code.ts'

const NOW_MS = 1_795_000_000_000
const VALUE = { type: 'text/plain', body: utf8('heart rate 72') }
const CORRECT: Statement = { act: 'correct', reason: 'typing error', about: null, content: VALUE }
const RETRACT: Statement = { act: 'retract', reason: 'wrong patient', about: null, content: null }
const plain = (text: string): Opened => ({ content: { type: 'text/plain', recordedAtMs: NOW_MS, body: utf8(text) } })
const said = (statement: Statement): Opened => ({ content: contentOfStatement(statement, NOW_MS) })

describe('a statement', () => {
  it('comes back as it was made', () => {
    const about = new Uint8Array(16)
    for (const statement of [CORRECT, RETRACT, { ...CORRECT, act: 'comment' as const, reason: '', about }]) {
      expect(statementOf(contentOfStatement(statement, NOW_MS))).to.deep.equal(statement)
    }
    expect(statementOf(VALUE)).to.equal(null)
  })

  it('says why it corrects, retracts or declines, and brings what its act needs', async () => {
    const bad: Statement[] = [
      { ...CORRECT, reason: ' ' },
      { ...RETRACT, reason: '' },
      { ...RETRACT, content: VALUE },
      { ...CORRECT, content: null },
      { ...CORRECT, about: new Uint8Array(16) },
      { ...CORRECT, act: 'comment' },
      { ...CORRECT, reason: 'x'.repeat(1001) },
      { ...CORRECT, content: contentOfStatement(RETRACT, NOW_MS) }
    ]
    for (const each of bad) await expectCode('STATEMENT_SHAPE', () => contentOfStatement(each, NOW_MS))
  })

  it('fits only the header it was made for', async () => {
    const [entry, other] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)]
    const comment: Statement = { ...CORRECT, act: 'comment', about: other }
    checkStatement(CORRECT, { entry, revision: 2 }, [entry])
    checkStatement(comment, { entry, revision: 1 }, [other])
    checkStatement({ ...CORRECT, act: 'resolve' }, { entry, revision: 2 }, [entry, entry])
    await expectCode('STATEMENT_PLACE', () => checkStatement(CORRECT, { entry, revision: 1 }, []))
    await expectCode('STATEMENT_PLACE', () => checkStatement(comment, { entry, revision: 1 }, [entry]))
    await expectCode('STATEMENT_PLACE', () =>
      checkStatement({ ...CORRECT, act: 'resolve' }, { entry, revision: 2 }, [entry])
    )
  })

  itRefusesBadInput({
    area: 'STATEMENT',
    maxBytes: MAX_CONTENT_BYTES,
    valid: () => contentOfStatement(CORRECT, NOW_MS).body,
    decode: body => statementOf({ ...contentOfStatement(CORRECT, NOW_MS), body }),
    mutations: 1000
  })
})

describe('an entry as it is read', () => {
  let world: LogWorld
  let first: Written
  let second: Written

  const read = (contents: readonly [Written, Opened][]): ReadEntry => {
    const log = createLog(p, world.facts)
    for (const [written] of contents) log.add(written)
    const opened = new Map(contents.map(([{ name }, content]) => [name, content]))
    const state = log.entry(toHex(contents[0]![0].header.entry))!
    return readEntry(
      state,
      ({ item }) => opened.get(item.name) ?? { code: 'ENTRY_BLOB' },
      name => log.node(name)
    )
  }

  before(async () => {
    world = await createLogWorld()
    first = world.write(world.doctor)
    second = world.write(world.doctor, { follows: [first] })
  })

  it('keeps what was corrected, and says why', () => {
    const { status, standing, history } = read([
      [first, plain('heart rate 720')],
      [second, said(CORRECT)]
    ])
    expect(status).to.equal('current')
    expect(standing[0]).to.include({ act: 'correct', reason: 'typing error' })
    expect(standing[0]!.content).to.deep.equal({ ...VALUE, recordedAtMs: NOW_MS })
    expect(history.map(({ act }) => act)).to.deep.equal(['state', 'correct'])
    expect(history[0]!.content!.body).to.deep.equal(utf8('heart rate 720'))
  })

  it('shows what was entered in error as retracted, and what is erased as erased', () => {
    expect(
      read([
        [first, plain('x')],
        [second, said(RETRACT)]
      ]).status
    ).to.equal('retracted')
    expect(
      read([
        [first, plain('x')],
        [second, { erased: true }]
      ]).status
    ).to.equal('erased')
    expect(
      read([
        [first, { erased: true }],
        [second, said(CORRECT)]
      ]).status
    ).to.equal('current')
  })

  it('shows a conflict with all sides', () => {
    const side = world.write(world.patient, { follows: [first] })
    const { status, standing } = read([
      [first, plain('x')],
      [second, said(CORRECT)],
      [side, plain('z')]
    ])
    expect(status).to.equal('conflict')
    expect(standing.map(({ act }) => act)).to.have.members(['correct', 'state'])
  })

  it('shows what does not open, or does not fit its place, as unreadable', () => {
    expect(read([[first, { code: 'SLOT_KEY' }]]).status).to.equal('unreadable')
    expect(read([[first, said(CORRECT)]]).standing[0]!.code).to.equal('STATEMENT_PLACE')
  })

  it('has the comments that are about it and follow it, whoever tries to change them', () => {
    const log = createLog(p, world.facts)
    const comment: Statement = { act: 'comment', reason: '', about: first.header.entry, content: VALUE }
    const own = world.write(world.patient, { entry: 2, follows: [first] })
    const elsewhere = world.write(world.patient, { entry: 3, follows: [first] })
    const plainFollower = world.write(world.gateway, { entry: 4, follows: [first] })
    const stripped = world.write(world.doctor, { entry: 2, follows: [own] })
    const opened = new Map<string, Opened>([
      [own.name, said(comment)],
      [elsewhere.name, said({ ...comment, about: new Uint8Array(16) })],
      [plainFollower.name, plain('a reading')],
      [stripped.name, said(RETRACT)]
    ])
    for (const each of [first, second, own, elsewhere, plainFollower, stripped]) log.add(each)
    const nodeOf = (name: string) => log.node(name)
    const readOf = (id: string) => readEntry(log.entry(id)!, ({ item }) => opened.get(item.name) ?? plain('x'), nodeOf)
    const comments = commentsOn(log.entry(toHex(first.header.entry))!, nodeOf, readOf)
    expect(comments.map(({ entry, status }) => [entry, status])).to.deep.equal([[toHex(own.header.entry), 'current']])
    expect(comments[0]!.proposed.map(({ act }) => act)).to.deep.equal(['retract'])
  })
})
