import { expect } from 'chai'
import type { GlassComponents } from '#agent/glass/glass.ts'
import { seenFormat, type Seen } from '#agent/glass/seen.ts'
import { lookAtEmergencies } from '#agent/glass/watch.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { keysOf, NETWORK, PATIENT } from '#test/core/people.ts'
import { seededRandom } from '#test/seeded-random.ts'

const FIRST = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
const SECOND = '12D3KooWQYV9dGMFoRzNStwpXztXaBUjtPqi6aU76ZgUriHhKust'

describe('what an agent has read of emergencies', () => {
  let seen: Seen
  let peerId: string
  let asked: number[]
  let components: GlassComponents
  /** Answers that a node gives in turn. */
  let answers: { notices: unknown[]; next: number | null }[]

  beforeEach(async () => {
    seen = seenFormat.decode(undefined)
    peerId = FIRST
    asked = []
    answers = []
    const keys = await keysOf(1)
    const patient = { state: { network: NETWORK, patient: PATIENT }, operations: [] }
    const stub = {
      ...{ p, random: seededRandom('watch'), clock: () => 0 },
      chain: { events: async () => Promise.resolve([]) },
      keeper: { state: () => ({ patient, clinician: null }) },
      accounts: { patient: async () => Promise.resolve({ account: patient, keys, evidence: new Uint8Array(8) }) },
      node: {
        status: async () => Promise.resolve({ peerId }),
        queryNotices: async ({ after }: { after: number }) => {
          asked.push(after)
          return Promise.resolve(answers.shift() ?? { notices: [], next: null })
        }
      },
      shelf: {
        seen: {
          read: async () => Promise.resolve(seen),
          update: async (change: (now: Seen) => Seen) =>
            Promise.resolve((seen = seenFormat.decode(seenFormat.encode(change(seen)))))
        },
        preparation: { read: async () => Promise.resolve(null) }
      }
    }
    components = stub as unknown as GlassComponents
  })

  it('is of one node: another one is read from its beginning', async () => {
    answers = [{ notices: [{ position: 7, kind: 'erasure', body: new Uint8Array(1) }], next: null }]
    await lookAtEmergencies(components)
    await lookAtEmergencies(components)
    expect(asked).to.deep.equal([0, 7])
    peerId = SECOND
    await lookAtEmergencies(components)
    await lookAtEmergencies(components)
    expect(asked).to.deep.equal([0, 7, 0, 0])
    expect(seen.peer).to.equal(SECOND)
  })

  it('comes to an end where a node’s pages do not', async () => {
    answers = Array.from({ length: 50 }, () => ({ notices: [], next: 5 }))
    await lookAtEmergencies(components)
    expect(asked).to.deep.equal([0, 5])
  })
})
