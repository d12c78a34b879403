import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { keccak256 } from 'ethers'
import type { ChainEvent, Hex } from '#core/chain/events.ts'
import { deriveCustodianKeys } from '#core/custody/custodian-card.ts'
import { decodeSealedShare } from '#core/custody/sealed-share.ts'
import { shareOut } from '#core/custody/share-out.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { createDemoPatient, osRandom, type DemoPatient } from '#scripts/story/people.ts'
import { expectCode } from '#test/error-code.ts'
import { tools } from '#test/core/custody/circle.ts'
import { NOON_S, paperDeployment } from '#test/core/network/accept-world.ts'
import {
  PEER_SEED,
  openPaperCustodian,
  type PaperCustodian,
  type PaperCustodianInit
} from '#test/node/custody/paper-custodian.ts'

const { p } = tools

describe('a custodian that several speak to at once', () => {
  let folder: string
  let patient: DemoPatient
  let paper: PaperCustodian
  /** Parts of the store as the sweeper sees it. */
  let overrides: NonNullable<PaperCustodianInit['overrides']>

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'salus-races-'))
    patient = await createDemoPatient(paperDeployment())
    const registered: ChainEvent = {
      name: 'PatientRegistered',
      patient: toHex(patient.state.patient),
      signer: toHex(patient.state.signer),
      keyBundle: keccak256(patient.keys.bundleBytes) as Hex
    }
    overrides = {}
    paper = await openPaperCustodian(folder, { events: [registered], timeS: NOON_S, random: osRandom, overrides })
  })

  afterEach(async () => {
    await paper.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** Hands all in so that the disk gets them in one write: they come while it is busy. */
  async function keepTogether(...shares: Uint8Array[]): Promise<PromiseSettledResult<Uint8Array>[]> {
    const other = await shareOf(1, NOON_S + 9_000, osRandom(32))
    const batch = paper.db.batch.bind(paper.db) as (...args: unknown[]) => Promise<void>
    const begun = Promise.withResolvers<undefined>()
    const slow = async (...args: unknown[]): Promise<void> => {
      Object.assign(paper.db, { batch })
      begun.resolve(undefined)
      await new Promise(done => setTimeout(done, 500))
      return batch(...args)
    }
    Object.assign(paper.db, { batch: slow })
    const first = paper.custodian.keep(other)
    await begun.promise
    const outcomes = await Promise.allSettled(shares.map(async share => paper.custodian.keep(share)))
    await first
    return outcomes
  }

  async function shareOf(revision: number, notAfterS: number, subject: Uint8Array | null = null): Promise<Uint8Array> {
    const { bundleBytes: bundle } = await deriveCustodianKeys(p, PEER_SEED)
    const { shares } = await shareOut(tools, {
      ...{
        network: patient.state.network,
        patient: patient.state.patient,
        rule: subject == null ? 'glass' : 'claim',
        subject
      },
      ...{ revision, threshold: 2, notAfterS, payload: osRandom(32), patientKeys: patient.keys },
      keepers: [{ bundle }, { bundle }]
    })
    return shares[0]!
  }

  const kept = async () => paper.store.get(paper.store.keyOf({ ...patient.state, rule: 'glass', subject: null }))

  it('keeps the newer of two shares, whichever comes first', async () => {
    const [older, newer] = [await shareOf(1, NOON_S + 9_000), await shareOf(2, NOON_S + 9_000)]
    const outcomes = await keepTogether(newer, older)
    expect(outcomes.filter(({ status }) => status === 'rejected').length).to.be.at.most(1)
    const { revision, sealed } = (await kept())!
    expect(revision).to.equal(2)
    expect(sealed).to.deep.equal(newer)
  })

  it('confirms no share that another one of the same write takes the place of', async () => {
    const [one, other] = [await shareOf(1, NOON_S + 9_000), await shareOf(1, NOON_S + 9_000)]
    const outcomes = await keepTogether(one, other)
    expect(outcomes.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected'])
    const winner = outcomes[0]?.status === 'fulfilled' ? one : other
    expect((await kept())?.sealed).to.deep.equal(winner)
  })

  it('does not sweep a share that took the place of the one whose time is over', async () => {
    const [older, newer] = [await shareOf(1, NOON_S + 10), await shareOf(2, NOON_S + 9_000)]
    await paper.custodian.keep(older)
    paper.chain.timeS = NOON_S + 20
    overrides.held = async function* () {
      for await (const each of paper.store.held()) {
        await paper.custodian.keep(newer)
        yield each
      }
    }
    expect(await paper.sweep()).to.equal(0)
    expect(decodeSealedShare((await kept())!.sealed!).plan.revision).to.equal(2)
    await expectCode('CUSTODY_REVISION', async () => paper.custodian.keep(older))
  })

  it('takes what was deleted out of the files after all, where that failed before', async () => {
    await paper.custodian.keep(await shareOf(1, NOON_S + 10))
    paper.chain.timeS = NOON_S + 20
    let compactions = 0
    overrides.compact = async () => {
      if (++compactions === 1) throw new Error('busy')
      await paper.store.compact()
    }
    const failed = await paper.sweep().then(
      () => false,
      () => true
    )
    expect(failed).to.equal(true)
    await paper.sweep()
    await paper.sweep()
    expect(compactions).to.equal(2)
  })
})
