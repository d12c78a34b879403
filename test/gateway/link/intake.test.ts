import { expect } from 'chai'
import fc from 'fast-check'
import { createIntake, type LinkArrival, type ReadingsMessage } from '#gateway/link/intake.ts'
import { heartRate } from '#test/gateway/link/world.ts'
import { expectCode } from '#test/error-code.ts'

const clock = (): number => 1_700_000_000_000
const message = (number: number, previous: number | null): ReadingsMessage => ({
  kind: 'readings',
  number,
  previous,
  readings: [heartRate(number)]
})
const numbersOf = (arrivals: readonly LinkArrival[]): number[] =>
  arrivals.flatMap(({ readings }) => readings.map(({ sequence }) => sequence))

describe('the intake', () => {
  it('hands each message on once and in order, however the network shuffles and repeats them', async () => {
    const sends = fc.array(fc.integer({ min: 0, max: 39 }), { minLength: 40, maxLength: 200 })
    await fc.assert(
      fc.asyncProperty(sends, async order => {
        const arrivals: LinkArrival[] = []
        const intake = createIntake(
          { accept: arrival => Promise.resolve(void arrivals.push(arrival)), clock },
          { capacity: 8 }
        )
        const taken = new Set<number>()
        const send = (number: number): void => {
          const previous = number === 0 ? null : number - 1
          intake.take('a', 'h', message(number, previous)).then(
            outcome => outcome === 'taken' && taken.add(number),
            () => undefined
          )
        }
        for (const number of order) send(number)
        // The sensor brings again what was not acknowledged, oldest first.
        for (let round = 0; round < 50 && taken.size < 40; round++) {
          for (let number = 0; number < 40; number++) if (!taken.has(number)) send(number)
          await new Promise(resolve => setImmediate(resolve))
        }
        expect(numbersOf(arrivals)).to.deep.equal(Array.from({ length: 40 }, (_, i) => i))
      }),
      { numRuns: 50 }
    )
  })

  it('takes again what could not be made durable, and what follows after it', async () => {
    const arrivals: LinkArrival[] = []
    let fails = true
    const accept = async (arrival: LinkArrival): Promise<void> => {
      await Promise.resolve()
      if (fails) throw new Error('the disk fails')
      arrivals.push(arrival)
    }
    const intake = createIntake({ accept, clock }, { capacity: 8 })
    const failed = await intake.take('a', 'h', message(0, null)).catch((error: unknown) => error)
    expect(failed).to.be.instanceOf(Error)
    fails = false
    expect(await intake.take('a', 'h', message(0, null))).to.equal('taken')
    expect(await intake.take('a', 'h', message(0, null))).to.equal('taken')
    expect(numbersOf(arrivals)).to.deep.equal([0])
  })

  it('refuses beyond its capacity, or lets the source wait', async () => {
    const release: (() => void)[] = []
    const accept = async (): Promise<void> => new Promise(resolve => release.push(resolve))
    const intake = createIntake({ accept, clock }, { capacity: 2 })
    const taking = [0, 1].map(async number => intake.take('a', 'h', message(number, null)))
    await expectCode('LINK_BUSY', async () => intake.take('a', 'h', message(2, null)))
    const waiting = intake.takeInTurn('a', 'h', message(3, null))
    expect(release.length).to.equal(2)
    expect(intake.waiting).to.equal(3)
    for (let i = 0; i < 3; i++) {
      release[i]?.()
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(await Promise.all([...taking, waiting])).to.deep.equal(['taken', 'taken', 'taken'])
    expect(intake.waiting).to.equal(0)
  })

  it('keeps only so many that came early, and forgets a handle with them', async () => {
    const intake = createIntake({ accept: () => Promise.resolve(), clock }, { capacity: 8 })
    const early = Array.from({ length: 80 }, async (_, i) => intake.take('a', 'h', message(2 + i, 1 + i)))
    for (const outcome of await Promise.all(early.slice(64))) expect(outcome).to.equal('early')
    intake.forget('h')
    expect(await intake.take('a', 'h', message(0, null))).to.equal('taken')
  })

  it('tells sensors apart', async () => {
    const arrivals: LinkArrival[] = []
    const intake = createIntake(
      { accept: arrival => Promise.resolve(void arrivals.push(arrival)), clock },
      { capacity: 8 }
    )
    await intake.take('a', 'h1', message(0, null))
    await intake.take('b', 'h2', message(0, null))
    expect(arrivals.map(({ device }) => device)).to.deep.equal(['a', 'b'])
  })
})
