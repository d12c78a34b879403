import { expect } from 'chai'
import fc from 'fast-check'
import { keptPackagesFormat, type KeptPackage } from '#agent/glass/kept-packages.ts'
import {
  ALARM_STATES,
  standingFormat,
  withAlarm,
  type JudgedAlarm,
  type Standing
} from '#agent/glass/standing-shelf.ts'
import { concat } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { mutations } from '#test/mutations.ts'

const bytes = (min: number, max = min) => fc.uint8Array({ minLength: min, maxLength: max })
const time = fc.integer({ min: 0, max: 2 ** 40 })
const standing: fc.Arbitrary<Standing> = fc.record({
  instruction: fc.option(
    fc.record({
      gateways: fc.array(bytes(32), { maxLength: 8 }),
      crews: fc.array(fc.record({ address: bytes(20), bundle: bytes(1, 40), name: fc.string({ maxLength: 100 }) }), {
        maxLength: 8
      }),
      ...{ vitalsS: time, durationS: time, perDay: time, untilS: time }
    })
  ),
  alarms: fc.array(
    fc.record({
      ...{ entry: bytes(16), atS: time, untilS: time, crew: fc.constantFrom(new Uint8Array(), new Uint8Array(20)) },
      ...{ grants: fc.array(bytes(32), { maxLength: 4 }), why: fc.string({ maxLength: 64 }) },
      state: fc.constantFrom(...ALARM_STATES)
    }),
    { maxLength: 4 }
  )
})
const kept: fc.Arbitrary<KeptPackage> = fc.record({
  ...{ patient: bytes(32), bytes: bytes(1, 60), credential: fc.constantFrom(new Uint8Array(), new Uint8Array(32)) },
  keyBundles: fc.array(fc.record({ digest: bytes(32), namedAtS: time, replacedAtS: fc.option(time, { nil: null }) }), {
    maxLength: 3
  }),
  grants: fc.array(
    fc.record({
      ...{ grantId: bytes(32), terms: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }) },
      ...{ givenAtS: time, revokedAtS: fc.option(time, { nil: null }) }
    }),
    { maxLength: 3 }
  )
})

/** Damaged bytes are refused with a code, and nothing else. */
function itSurvives(valid: () => Uint8Array, read: (damaged: Uint8Array) => unknown, area: string): void {
  it('is refused with a code if it is damaged', () => {
    expect(() => read(concat(valid(), Uint8Array.of(0)))).to.throw()
    for (const damaged of mutations(valid(), { seed: area, count: 1500 })) {
      try {
        read(damaged)
      } catch (error) {
        if (!isSalusError(error) || !error.code.startsWith(`${area}_`)) throw error
      }
    }
  })
}

describe('what an agent keeps for emergencies', () => {
  describe('a standing instruction and its alarms', () => {
    it('is read as it was written, and is nothing where there is none', () => {
      expect(standingFormat.decode(undefined)).to.deep.equal({ instruction: null, alarms: [] })
      fc.assert(
        fc.property(standing, written => {
          expect(standingFormat.decode(standingFormat.encode(written))).to.deep.equal(written)
        })
      )
    })

    it('forgets no alarm that opened something because of many that did not', () => {
      const blank = { atS: 1, untilS: 2, crew: new Uint8Array(), grants: [], why: '' }
      const entry = (number: number): Uint8Array => new Uint8Array(16).fill(number & 255)
      let alarms: JudgedAlarm[] = [{ ...blank, entry: entry(1), state: 'opened' }]
      for (let i = 0; i < 5_000; i++) alarms = withAlarm(alarms, { ...blank, entry: entry(i), state: 'refused' })
      const kept = standingFormat.decode(standingFormat.encode({ instruction: null, alarms })).alarms
      expect(kept).to.have.lengthOf(4_096)
      expect(kept.filter(({ state }) => state === 'opened')).to.have.lengthOf(1)
    })

    const [one] = fc.sample(standing, { numRuns: 1, seed: 7 })
    itSurvives(() => standingFormat.encode(one!), standingFormat.decode, 'STANDING_INSTRUCTION')
  })

  describe('packages', () => {
    it('are read as they were written, and are none where there are none', () => {
      expect(keptPackagesFormat.decode(undefined)).to.deep.equal([])
      fc.assert(
        fc.property(fc.array(kept, { maxLength: 3 }), written => {
          expect(keptPackagesFormat.decode(keptPackagesFormat.encode(written))).to.deep.equal(written)
        })
      )
    })

    const some = fc.sample(fc.array(kept, { minLength: 1, maxLength: 2 }), { numRuns: 1, seed: 7 })
    itSurvives(() => keptPackagesFormat.encode(some[0]!), keptPackagesFormat.decode, 'KEPT_PACKAGES')
  })
})
