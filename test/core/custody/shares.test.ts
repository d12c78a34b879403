import { expect } from 'chai'
import { combine } from 'shamir-secret-sharing'
import { combineReleases, openPayload } from '#core/custody/combine.ts'
import { readConfirmation, signConfirmation } from '#core/custody/confirmation.ts'
import { MAX_SHARE_PLAN_BYTES, decodeSharePlan, verifySharePlan } from '#core/custody/plan.ts'
import { MAX_SHARE_RELEASE_BYTES, decodeShareRelease, sealRelease } from '#core/custody/release.ts'
import { MAX_SEALED_SHARE_BYTES, decodeSealedShare, openShare, type SealedShare } from '#core/custody/sealed-share.ts'
import { shareOut, type ShareOutInput, type SharedOut } from '#core/custody/share-out.ts'
import { preferredKemKey } from '#core/grant/capsule.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { tools } from '#test/core/custody/circle.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { NETWORK, PATIENT, keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'

const { p, random } = tools

describe('a secret that is shared out', () => {
  const payload = random(32)
  let patient: AgentKeys
  let keepers: AgentKeys[]
  let asker: AgentKeys
  let input: ShareOutInput
  let shared: SharedOut

  before(async () => {
    patient = await keysOf(1)
    asker = await keysOf(9)
    keepers = await Promise.all([2, 3, 4, 5, 6].map(async person => keysOf(person)))
    input = {
      network: NETWORK,
      patient: PATIENT,
      rule: 'recovery',
      subject: null,
      revision: 1,
      threshold: 3,
      notAfterS: null,
      payload,
      keepers: keepers.map(({ bundleBytes }) => ({ bundle: bundleBytes })),
      patientKeys: patient
    }
    shared = await shareOut(tools, input)
  })

  const held = (of: SharedOut, index: number): SealedShare => decodeSealedShare(of.shares[index]!)
  const shareOf = async (of: SharedOut, index: number): Promise<Uint8Array> =>
    (await openShare(p, held(of, index), keepers[index]!)).share

  /** The release of a share, true or not, by a keeper. */
  async function release(of: SharedOut, index: number, share?: Uint8Array, keeper = keepers[index]!) {
    return await sealRelease(p, random, {
      header: { plan: p.sha256(of.planBytes), index, request: new Uint8Array(32), receipt: null },
      share: share ?? (await shareOf(of, index)),
      to: preferredKemKey(asker.bundle),
      keeper
    })
  }

  const combined = async (of: SharedOut, releases: readonly Uint8Array[]) =>
    combineReleases(tools, decodeSharePlan(of.planBytes), releases, asker)

  it('is given back by any three of five', async () => {
    for (const chosen of [
      [0, 1, 2],
      [4, 2, 0],
      [0, 1, 2, 3, 4]
    ]) {
      const releases = await Promise.all(chosen.map(async index => release(shared, index)))
      expect(await combined(shared, releases)).to.deep.equal({ payload, missing: 0, wrong: [] })
    }
  })

  it('is not given back by fewer, and says how many are missing', async () => {
    const releases = [await release(shared, 0), await release(shared, 1), await release(shared, 1)]
    expect(await combined(shared, releases)).to.deep.equal({ payload: null, missing: 1, wrong: [] })
  })

  it('is as likely to be any other one, to whoever has one share less than it takes', async () => {
    // For every value that the third share might have there is exactly one secret: two shares exclude none.
    const [first, second, third] = await Promise.all([0, 1, 2].map(async index => shareOf(shared, index)))
    const secrets = new Set<number>()
    for (let value = 0; value < 256; value++) {
      const guess = Uint8Array.from(third!)
      guess[0] = value
      secrets.add((await combine([first!, second!, guess]))[0]!)
    }
    expect(secrets.size).to.equal(256)
  })

  it('shows one keeper a share that is no part of it', async () => {
    // Five hundred sharings of one key: the byte that a keeper sees takes any value, whatever the key's is.
    const seen = new Map<number, number>()
    for (let i = 0; i < 500; i++) {
      const [share] = await tools.sharing.split(new Uint8Array(32).fill(7), 5, 3)
      seen.set(share![0]!, (seen.get(share![0]!) ?? 0) + 1)
    }
    expect(seen.size).to.be.at.least(180)
    expect(seen.get(7) ?? 0).to.be.at.most(20)
  })

  it('names a forged share instead of combining it', async () => {
    const forged = random(33)
    const releases = [await release(shared, 0), await release(shared, 1, forged), await release(shared, 2)]
    const few = await combined(shared, releases)
    expect(few).to.deep.include({ payload: null, missing: 1 })
    expect(few.wrong).to.deep.equal([{ at: 1, keeper: keepers[1]!.bundle.sign, index: 1, code: 'SHARE_WRONG' }])
    const enough = await combined(shared, [...releases, await release(shared, 3)])
    expect(enough.payload).to.deep.equal(payload)
    expect(enough.wrong).to.have.length(1)
  })

  it('names what is unreadable, unsigned, of another plan or for somebody else', async () => {
    const other = await shareOut(tools, { ...input, revision: 2 })
    const unsigned = Uint8Array.from(await release(shared, 1))
    unsigned[unsigned.length - 1]! ^= 1
    const toMe = await sealRelease(p, random, {
      header: { plan: p.sha256(shared.planBytes), index: 3, request: new Uint8Array(32), receipt: null },
      share: await shareOf(shared, 3),
      to: preferredKemKey(keepers[0]!.bundle),
      keeper: keepers[3]!
    })
    const { wrong } = await combined(shared, [Uint8Array.of(1, 2), unsigned, await release(other, 2), toMe])
    expect(wrong.map(({ code }) => code)).to.deep.equal([
      'SHARE_RELEASE_TRAILING',
      'SHARE_RELEASE_SIGNATURE',
      'SHARE_RELEASE_PLAN',
      'SHARE_RELEASE_RECIPIENT'
    ])
  })

  it('is not given back by shares of two revisions', async () => {
    const next = await shareOut(tools, { ...input, revision: 2 })
    const mixed = await Promise.all([shareOf(shared, 0), shareOf(shared, 1), shareOf(next, 2)])
    const { payload: got, wrong } = await combined(next, [
      await release(next, 0, mixed[0]),
      await release(next, 1, mixed[1]),
      await release(next, 2)
    ])
    expect(got).to.equal(null)
    expect(wrong.map(({ code }) => code)).to.deep.equal(['SHARE_WRONG', 'SHARE_WRONG'])
    // Nor to whoever combines them all the same: two old ones and a new one are points of different polynomials.
    const plan = decodeSharePlan(next.planBytes)
    await expectCode('SHARED_SECRET', async () => openPayload(tools, plan, mixed))
  })

  it('opens a share for its keeper alone, and only as it was committed to', async () => {
    await expectCode('SEALED_SHARE_RECIPIENT', async () => openShare(p, held(shared, 0), keepers[1]!))
    const swapped = { ...held(shared, 0), index: 1 }
    await expectCode('HPKE_OPEN', async () => openShare(p, swapped, keepers[0]!))
    const plan = decodeSharePlan(shared.planBytes)
    const unsigned = { ...held(shared, 0), plan: { ...plan, threshold: 2 } }
    await expectCode('SHARE_PLAN_SIGNATURE', async () => openShare(p, unsigned, keepers[0]!))
    expect(verifySharePlan(p, plan)).to.equal(true)
  })

  it('refuses thresholds that protect nothing or that nobody can meet', async () => {
    const few = input.keepers.slice(0, 2)
    for (const threshold of [0, 1, 6, 2.5]) {
      await expectCode('SHARES_RANGE', async () => shareOut(tools, { ...input, threshold }))
    }
    await expectCode('SHARES_RANGE', async () => shareOut(tools, { ...input, keepers: few }))
    await expectCode('SHARES_RANGE', async () => shareOut(tools, { ...input, payload: new Uint8Array(60_000) }))
  })

  it('is confirmed by its keepers, each for its own share', async () => {
    const bytes = signConfirmation(p, held(shared, 1), 1_795_000_000_000, keepers[1]!)
    const expected = { planBytes: shared.planBytes, index: 1, keeper: keepers[1]!.bundle.sign }
    expect(readConfirmation(p, bytes, expected).atMs).to.equal(1_795_000_000_000)
    const forged = signConfirmation(p, held(shared, 1), 1, {
      signSeed: keepers[2]!.signSeed,
      bundle: keepers[1]!.bundle
    })
    await expectCode('SHARE_CONFIRMATION_SIGNATURE', () => readConfirmation(p, forged, expected))
    await expectCode('SHARE_CONFIRMATION_OTHER', () => readConfirmation(p, bytes, { ...expected, index: 2 }))
    await expectCode('SHARE_CONFIRMATION_OTHER', () =>
      readConfirmation(p, bytes, { ...expected, keeper: keepers[2]!.bundle.sign })
    )
  })

  describe('in its plan', () => {
    itRefusesBadInput({
      area: 'SHARE_PLAN',
      maxBytes: MAX_SHARE_PLAN_BYTES,
      valid: () => shared.planBytes,
      decode: decodeSharePlan,
      elsewhere: decodeSharePlan
    })
  })

  describe('in a sealed share', () => {
    itRefusesBadInput({
      area: 'SEALED_SHARE',
      maxBytes: MAX_SEALED_SHARE_BYTES,
      valid: () => shared.shares[0]!,
      decode: decodeSealedShare
    })
  })

  describe('in a release', () => {
    let bytes: Uint8Array

    before(async () => {
      bytes = await release(shared, 0)
    })

    itRefusesBadInput({
      area: 'SHARE_RELEASE',
      maxBytes: MAX_SHARE_RELEASE_BYTES,
      valid: () => bytes,
      decode: decodeShareRelease
    })
  })
})
