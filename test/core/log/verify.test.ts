import { expect } from 'chai'
import fc from 'fast-check'
import { toHex } from '#core/encoding/bytes.ts'
import { createLog, type LogInput } from '#core/log/log.ts'
import { stateOf } from '#core/log/revisions.ts'
import { verifyLog } from '#core/log/verify.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import {
  NOW_S,
  TODAY,
  createLogWorld,
  type LogWorld,
  type Wish,
  type Writer,
  type Written
} from '#test/core/log/log-world.ts'

const DAY_S = 86_400

describe('the verification of a log', () => {
  let world: LogWorld

  before(async () => {
    world = await createLogWorld()
  })

  const codeOf = (written: LogInput & { readonly name?: string }, ...others: readonly Written[]): string | null => {
    const report = verifyLog(p, [...others, written], world.facts)
    const verdicts = report.verdicts.filter(({ name }) => !others.some(other => other.name === name))
    expect(verdicts).to.have.length(1)
    return verdicts[0]!.code
  }

  describe('names by code', () => {
    it('a forged header', () => {
      const { headerBytes, evidenceBytes } = world.write(world.patient)
      const forged = headerBytes.slice()
      forged[forged.length - 1]! ^= 1
      expect(codeOf({ headerBytes: forged, evidenceBytes })).to.match(/^ENTRY_/)
      const other = world.write(world.doctor)
      expect(codeOf({ ...other, evidenceBytes: world.patient.evidenceBytes })).to.equal('EVIDENCE_AUTHOR')
    })

    it('an author without the right to write, or of another grant', () => {
      expect(codeOf(world.write(world.reader))).to.equal('GRANT_NO_RIGHT')
      expect(codeOf(world.write({ ...world.doctor, grant: world.gateway.grant }))).to.equal('BINDING_ADDRESS')
      expect(codeOf(world.write({ ...world.doctor, grant: null }))).to.equal('ENTRY_AUTHOR_UNPROVEN')
    })

    it('a foreign header: of another patient or network', () => {
      expect(codeOf(world.write(world.patient, { patient: new Uint8Array(32) }))).to.equal('ENTRY_PATIENT')
      expect(codeOf(world.write(world.patient, { network: new Uint8Array(32) }))).to.equal('ENTRY_NETWORK')
    })

    it('a header from the future', () => {
      expect(codeOf(world.write(world.patient, { day: TODAY + 1 }))).to.equal(null)
      expect(codeOf(world.write(world.patient, { day: TODAY + 2 }))).to.equal('ENTRY_DAY_FUTURE')
    })

    it('a revision that is not one more than what it follows', () => {
      const first = world.write(world.patient)
      expect(codeOf(world.write(world.patient, { revision: 3, follows: [first] }), first)).to.equal('LOG_REVISION')
      expect(codeOf(world.write(world.patient, { revision: 1, follows: [first] }), first)).to.equal('LOG_REVISION')
      expect(codeOf(world.write(world.patient, { revision: 2 }))).to.equal('LOG_REVISION')
      expect(codeOf(world.write(world.patient, { revision: 0 }))).to.equal('LOG_REVISION')
      const bad = world.write(world.patient, { revision: 9 })
      expect(codeOf(world.write(world.patient, { follows: [bad] }), bad)).to.equal('LOG_PARENT_REFUSED')
    })

    it('a header written after its author’s right had ended, whatever day it claims', () => {
      const { record } = world.facts
      const [doctor, gateway, ...rest] = record.grants
      const givenAtS = NOW_S - 5 * DAY_S
      const after = (revokedAtS: number): string | null => {
        const grants = [{ ...doctor!, revokedAtS }, { ...gateway!, givenAtS }, ...rest]
        const newer = world.write(world.gateway, { entry: 2 })
        const backdated = world.write(world.doctor, { day: TODAY - 30, follows: [newer] })
        const { verdicts } = verifyLog(p, [backdated, newer], { ...world.facts, record: { ...record, grants } })
        return verdicts.find(({ name }) => name === backdated.name)!.code
      }
      expect(after(givenAtS - 2 * DAY_S)).to.equal('LOG_BACKDATED')
      expect(after(givenAtS - DAY_S)).to.equal(null)
      expect(after(givenAtS + DAY_S)).to.equal(null)
    })

    it('a header under a tag that was replaced before its day, or with another generation than the reader knows', () => {
      const tag = new Uint8Array(16).fill(7)
      const retired = new Map([[toHex(tag), TODAY - 5]])
      const verdict = (wish: Wish, facts: Partial<LogWorld['facts']>): string | null =>
        verifyLog(p, [world.write(world.patient, { tag, ...wish })], { ...world.facts, ...facts }).verdicts[0]!.code
      expect(verdict({ day: TODAY - 4 }, { retired })).to.equal(null)
      expect(verdict({ day: TODAY - 3 }, { retired })).to.equal('LOG_RETIRED')
      const placeOf = () => ({ compartment: 'vitals' as const, generation: 1 })
      expect(verdict({ generation: 1 }, { placeOf })).to.equal(null)
      expect(verdict({ generation: 2 }, { placeOf })).to.equal('LOG_GENERATION')
    })

    it('what is missing, forked or inconsistent', () => {
      const first = world.write(world.patient)
      const sides = [1, 2].map(() => world.write(world.patient, { follows: [first] }))
      const merged = world.write(world.patient, { follows: sides, generation: 2 })
      const all = verifyLog(p, [merged, ...sides, first], world.facts)
      expect(all.forks).to.deep.equal([sides.map(({ name }) => name).sort()])
      expect(all.conflicts).to.deep.equal([])
      expect(all.heads).to.deep.equal([merged.name])
      expect(all.inconsistentTags).to.have.length(1)
      const without = verifyLog(p, [merged, first], world.facts)
      expect(without.missing).to.deep.equal(sides.map(({ name }) => name).sort())
      expect(without.verdicts.find(({ name }) => name === merged.name)?.state).to.equal('waiting')
    })
  })

  it('finds a header proven if any evidence proves it, in whatever order it comes', () => {
    const good = world.write(world.doctor)
    const bad = { ...good, evidenceBytes: world.other.evidenceBytes }
    const broken = { ...good, evidenceBytes: Uint8Array.of(1) }
    for (const order of [
      [good, bad, broken],
      [broken, bad, good],
      [bad, good, broken]
    ]) {
      expect(verifyLog(p, order, world.facts).verdicts).to.deep.equal([{ name: good.name, state: 'sound', code: null }])
    }
    const worse = { ...good, evidenceBytes: world.reader.evidenceBytes }
    const [a, b] = [
      [bad, worse],
      [worse, bad]
    ].map(order => verifyLog(p, order, world.facts))
    expect(a).to.deep.equal(b)
  })

  /** Random logs by all writers, some of them liars: each step follows some of those before. */
  const history = fc.array(
    fc.record({
      by: fc.constantFrom('patient', 'doctor', 'gateway', 'other', 'reader' as const),
      entry: fc.integer({ min: 1, max: 3 }),
      back: fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 3 }),
      lie: fc.option(fc.integer({ min: 0, max: 4 }), { freq: 5 })
    }),
    { minLength: 1, maxLength: 24 }
  )

  const written = (steps: typeof history extends fc.Arbitrary<infer T> ? T : never): Written[] => {
    const all: Written[] = []
    for (const { by, entry, back, lie } of steps) {
      const follows = [...new Set(back.flatMap(n => all[all.length - n] ?? []))]
      const writer = world[by as 'patient'] satisfies Writer
      all.push(world.write(writer, { entry, follows, ...(lie == null ? {} : { revision: lie }) }))
    }
    return all
  }

  it('gives the same verdicts and the same entries whatever the order, the duplicates and the partitions', function () {
    this.timeout(60_000)
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.nat()), (steps, stream) => {
        const all = written(steps)
        const numbers = [...stream.take(3 * all.length)]
        const shuffled = all.map((each, i) => ({ each, at: numbers[i]! })).sort((a, b) => a.at - b.at)
        const order = shuffled.map(({ each }) => each)
        const twice = [...order, ...all.filter((_, i) => numbers[all.length + i]! % 2 === 0)]
        const expected = verifyLog(p, all, world.facts)
        expect(verifyLog(p, twice, world.facts)).to.deep.equal(expected)

        // Two writers apart, each with a part of the log, then one takes in what the other has.
        const parts = [createLog(p, world.facts), createLog(p, world.facts)]
        order.forEach((each, i) => parts[numbers[2 * all.length + i]! % 2]!.add(each))
        for (const log of parts) for (const each of twice) log.add(each)
        const [a, b] = parts.map(log =>
          [...log.graph.entries]
            .map(([id, entry]) => stateOf(id, entry))
            .map(({ entry, standing, proposed, originals, followers }) => ({
              entry,
              followers,
              ...Object.fromEntries(
                Object.entries({ standing, proposed, originals }).map(([key, nodes]) => [
                  key,
                  nodes.map(({ item }) => item.name)
                ])
              )
            }))
            .sort((x, y) => (x.entry < y.entry ? -1 : 1))
        )
        expect(a).to.deep.equal(b)
      }),
      { numRuns: 25 }
    )
  })

  it('loses no update: a revision leaves the view only when one that stands follows it, or its author replaced it', () => {
    fc.assert(
      fc.property(history, steps => {
        const log = createLog(p, world.facts)
        for (const each of written(steps)) log.add(each)
        for (const [id, entry] of log.graph.entries) {
          const { revisions, standing, proposed } = stateOf(id, entry)
          const covered = new Set<string>()
          for (const node of [...revisions].reverse()) {
            if (!node.stands && !covered.has(node.item.name)) continue
            for (const parent of node.item.parents) covered.add(parent)
          }
          const expected = revisions.filter(node => {
            const isReplaced = revisions.some(
              after =>
                !after.stands &&
                !node.stands &&
                after.authorId === node.authorId &&
                after.item.parents.includes(node.item.name)
            )
            return !covered.has(node.item.name) && !isReplaced
          })
          expect([...standing, ...proposed]).to.have.members(expected)
          expect(standing.length).to.be.greaterThan(0)
        }
      }),
      { numRuns: 25 }
    )
  })
})
