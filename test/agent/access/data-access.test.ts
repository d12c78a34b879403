import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import { createPatient } from '#core/agent/patient-state.ts'
import { patientKeys } from '#core/agent/patient-registration.ts'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { SalusError } from '#core/error.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { createDataAccess, type DataAccess, type DataAccessComponents } from '#agent/access/data-access.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { osRandom } from '#scripts/story/people.ts'
import { paperDeployment } from '#test/core/network/accept-world.ts'
import { expectCode } from '#test/error-code.ts'
import { silentLog } from '#test/node/chain/test-chain.ts'

const PEER = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp'
const GRANT = new Uint8Array(32).fill(7)
const page = { after: 0, limit: 100 }

/** A record at a node, and a copy of it, on paper. */
async function paper(skewMs = 0) {
  const state = createPatient(osRandom, paperDeployment(), osRandom(20))
  const keys = await patientKeys(p, state)
  const write = (): Uint8Array => {
    const content = { type: 'text/plain', recordedAtMs: 0, body: utf8('seen') }
    return sealAsPatient(p, osRandom, { state, keys }, { compartment: 'vitals', day: 20_000, content }).headerBytes
  }
  const nowMs = Date.now() + skewMs
  const count = { heads: 0, refreshes: 0 }
  const at = {
    /** At the node. */
    log: [] as Uint8Array[],
    /** In the copy. */
    copied: 0,
    refusal: undefined as string | undefined,
    failing: false,
    head: () => (at.log.length === 0 ? null : { position: at.log.length, header: at.log.at(-1)! }),
    nowMs
  }
  const cidAt = (index: number) => decodeEntry(at.log[index]!).cid
  const index = {
    load: async () => Promise.resolve(),
    async refresh() {
      count.refreshes++
      await pause(20)
      if (at.failing) throw new SalusError('NODE_UNREACHABLE', 'No node answers.')
      at.copied = at.log.length
    },
    peek: () => ({
      entries: at.log.slice(0, at.copied).map((header, i) => ({ position: i + 1, header })),
      next: null,
      asOf: at.copied === 0 ? null : { position: at.copied, header: cidAt(at.copied - 1) }
    }),
    has: (cid: { toString(): string }) =>
      at.log.slice(0, at.copied).some(each => decodeEntry(each).cid.toString() === cid.toString())
  }
  const account = { state: { network: state.network, grants: [{ grantId: GRANT, patient: state.patient }] } }
  const refuseIfTold = (): void => {
    if (at.refusal != null) throw new SalusError(at.refusal, 'Refused.')
  }
  const access: DataAccess = createDataAccess({
    p,
    random: osRandom,
    clock: () => at.nowMs,
    log: silentLog,
    keeper: { hold: async <T>(use: () => Promise<T>) => use(), onChange: () => undefined },
    accounts: { clinician: async () => Promise.resolve({ account, keys, evidence: utf8('evidence') }) },
    granted: { copyOf: async () => Promise.resolve(index) },
    node: {
      status: async () => Promise.resolve({ peerId: PEER }),
      queryCapsules: async () => Promise.resolve([]),
      async queryHead({ after = 0, waitMs = 0 }: { after?: number; waitMs?: number }) {
        count.heads++
        await pause(5)
        refuseIfTold()
        for (let left = waitMs; left > 0 && at.log.length <= after; left -= 10) await pause(10)
        return at.head()
      }
    }
  } as unknown as DataAccessComponents)
  const settled = async (): Promise<void> => {
    while ((await access.answer(GRANT, page)).isRefreshing) await pause(5)
  }
  return { access, at, count, write, settled }
}

describe('data access under a grant', () => {
  it('answers a hundred at once with what is there, and refreshes once', async () => {
    const { access, at, count, write, settled } = await paper()
    at.log.push(write(), write())
    await settled()
    at.log.push(write())
    const before = count.refreshes
    const answers = await Promise.all(Array.from({ length: 100 }, async () => access.answer(GRANT, page)))
    for (const { freshness, entries, asOf, masterAsOf, isRefreshing } of answers) {
      expect({ freshness, isRefreshing }).to.deep.equal({ freshness: 'stale', isRefreshing: true })
      expect(entries).to.have.lengthOf(2)
      expect([asOf?.position, masterAsOf?.position]).to.deep.equal([2, 3])
    }
    await settled()
    expect(count.refreshes).to.equal(before + 1)
    const fresh = await access.answer(GRANT, page)
    expect(fresh).to.include({ freshness: 'current', isRefreshing: false, failure: null })
    expect(fresh.entries).to.have.lengthOf(3)
  })

  it('asks for the head once for all who ask together', async () => {
    const { access, at, count, write, settled } = await paper()
    at.log.push(write())
    await settled()
    const before = count.heads
    await Promise.all(Array.from({ length: 100 }, async () => access.answer(GRANT, page)))
    expect(count.heads).to.equal(before + 1)
  })

  it('says current if and only if it has the newest signed header, whatever any clock says', async () => {
    const years = fc.integer({ min: -20, max: 20 }).map(n => n * 31_536_000_000)
    await fc.assert(
      fc.asyncProperty(years, fc.array(fc.boolean(), { maxLength: 4 }), async (skewMs, steps) => {
        const { access, at, write, settled } = await paper(skewMs)
        for (const isWrite of steps) {
          if (isWrite) at.log.push(write())
          else await settled()
          at.nowMs += skewMs
          const expected = at.copied === at.log.length ? 'current' : 'stale'
          expect((await access.answer(GRANT, page)).freshness).to.equal(expected)
          await settled()
        }
      }),
      { numRuns: 12 }
    )
  })

  it('goes on answering while refreshes fail, without beginning one for each who asks', async () => {
    const { access, at, count, write, settled } = await paper()
    at.log.push(write())
    await settled()
    at.log.push(write())
    at.failing = true
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(Array.from({ length: 100 }, async () => access.answer(GRANT, page)))
      expect(answers.every(({ freshness, entries }) => freshness === 'stale' && entries.length === 1)).to.equal(true)
      await settled()
    }
    expect((await access.answer(GRANT, page)).failure).to.equal('NODE_UNREACHABLE')
    expect(count.refreshes).to.equal(2)
    at.failing = false
    at.nowMs += 2_000
    await access.answer(GRANT, page)
    await settled()
    expect(await access.answer(GRANT, page)).to.include({ freshness: 'current', failure: null })
  })

  it('answers as stale while the node is away, and not at all once the grant has ended', async () => {
    const { access, at, write, settled } = await paper()
    at.log.push(write())
    await settled()
    at.refusal = 'NODE_UNREACHABLE'
    const away = await access.answer(GRANT, page)
    expect(away).to.include({ freshness: 'stale', masterAsOf: null })
    expect(away.entries).to.have.lengthOf(1)
    at.refusal = 'READ_REVOKED'
    await expectCode('READ_REVOKED', async () => access.answer(GRANT, page))
  })

  it('tells who waits when there is something new, and after a time that there is not', async () => {
    const { access, at, count, write, settled } = await paper()
    at.log.push(write())
    await settled()
    const before = count.refreshes
    const waiting = Array.from({ length: 20 }, async () => access.whenFresh(GRANT, { after: 1, waitMs: 5_000 }))
    await pause(50)
    at.log.push(write())
    for (const { asOf, freshness } of await Promise.all(waiting)) {
      expect([asOf?.position, freshness]).to.deep.equal([2, 'current'])
    }
    expect(count.refreshes).to.equal(before + 1)
    expect((await access.whenFresh(GRANT, { after: 2, waitMs: 100 })).asOf?.position).to.equal(2)
  })

  it('believes no head that nobody signed, or of another record', async () => {
    const { access, at, write, settled } = await paper()
    at.log.push(write())
    await settled()
    const genuine = at.head
    const other = await paper()
    other.at.log.push(other.write())
    for (const header of [other.at.log[0]!, altered(at.log[0]!), utf8('no header')]) {
      at.head = () => ({ position: 9, header })
      expect(await access.answer(GRANT, page)).to.include({ freshness: 'stale', masterAsOf: null })
    }
    at.head = genuine
    expect((await access.answer(GRANT, page)).freshness).to.equal('current')
  })
})

function altered(header: Uint8Array): Uint8Array {
  const bytes = header.slice()
  bytes[bytes.length - 1]! ^= 1
  return bytes
}
