import { expect } from 'chai'
import { ZeroHash, id } from 'ethers'
import {
  warrantCancellationTypes,
  warrantNoticeTypes,
  warrantObjectionTypes,
  warrantOpeningTypes,
  warrantShareTypes
} from '#core/abi/typed-data/warrants.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { REASON, hashOf, otherDomains, withHighS } from '#test/contracts/research-contracts.ts'
import { auditorsOf, warrantFixture } from '#test/contracts/warrant-fixture.ts'
import { warrantIdOf, type WarrantDesk } from '#test/contracts/warrant-requests.ts'

const [OPEN, CANCELLED, EXECUTED] = [1n, 2n, 3n]
const DAY = 86_400

describe('EscrowWarrant', () => {
  const auditors = auditorsOf('court', 'court', 'ministry', 'ministry', 'university', 'hospital')
  const signers = auditors.map(({ key }) => key.signer)
  const organisations = auditors.map(({ organisation }) => organisation)
  const stranger = accountKey('stranger')
  let chain: TestChain
  let desk: WarrantDesk
  let warrant: string
  const { refuse, wait } = warrantFixture(auditors, async (opened, its) => {
    ;[chain, desk] = [opened, its]
    warrant = warrantIdOf(await desk.terms())
  })

  const statusOf = async (of = warrant): Promise<bigint> => (await desk.warrants.warrantOf(of)).status

  describe('setAuditors', () => {
    it('keeps a digest and numbers the sets', async () => {
      const digest = hashOf(['address[]', 'bytes32[]', 'uint8', 'uint8'], [desk.set.ids, organisations, 3, 2])
      expect([...(await desk.warrants.auditors())]).to.deep.equal([1n, digest])
      await expect(desk.name()).to.emit(desk.warrants, 'AuditorsSet').withArgs(2, digest, signers, organisations, 3, 2)
    })

    it('refuses fewer than three organisations, and numbers that do not fit', async () => {
      const { warrants } = desk
      const two = organisations.map((_, index) => id(String(index % 2)))
      const none = [...organisations.slice(1), ZeroHash]
      for (const [orgs, threshold, objectors] of [
        [two, 3, 2],
        [none, 3, 2],
        [organisations.slice(1), 3, 2],
        [organisations, 2, 2],
        [organisations, 3, 0],
        [organisations, 4, 3],
        [organisations, 255, 255]
      ] as const)
        await refuse(warrants.setAuditors(signers, orgs, threshold, objectors), 'AuditorsMalformed')
      await refuse(warrants.setAuditors([...signers.slice(1), signers[1]!], organisations, 3, 2), 'SignerSetDuplicate')
      await refuse(warrants.setAuditors([], [], 3, 2), 'SignerSetSizeInvalid', 0)
      await warrants.setAuditors(signers, organisations, 4, 2)
    })

    it('takes three organisations wherever they stand, and numbers that just fit', async () => {
      const { warrants } = desk
      const [a = '', b = '', c = ''] = ['a', 'b', 'c'].map(id)
      await warrants.setAuditors(signers, [a, b, b, b, c, c], 3, 3)
      const many = Array.from({ length: 16 }, (_, index) => accountKey(String(index)).signer)
      await warrants.setAuditors(many, [a, ...Array<string>(14).fill(b), c], 15, 1)
    })

    it('belongs to governance alone, as does pausing', async () => {
      const plain = desk.warrants.connect(chain.provider)
      const from = { from: stranger.id }
      for (const call of [
        () => plain.setAuditors.staticCall(signers, organisations, 3, 2, from),
        () => plain.pause.staticCall(from),
        () => plain.unpause.staticCall(from)
      ])
        await refuse(call(), 'AccessManagedUnauthorized', stranger.id)
    })

    it('ends the warrants that others opened', async () => {
      await desk.open(await desk.terms({ notice: ZeroHash, delayOrder: id('order') }))
      await wait(3 * DAY)
      await desk.name()
      for (const step of [
        () => desk.share(warrant, 0),
        () => desk.execute(warrant),
        () => desk.object(warrant, 1),
        () => desk.cancelByCourt(warrant)
      ])
        await refuse(step(), 'WarrantNotOpen', warrant)
      await desk.notify(warrant)
    })
  })

  describe('openWarrant', () => {
    it('opens one row for one case, after 72 hours, and posts the patient’s notice', async () => {
      const terms = await desk.terms()
      const sent = await desk.open(terms)
      const now = BigInt(await chain.now())
      const unlocksAt = now + 259_200n
      await expect(sent)
        .to.emit(desk.warrants, 'WarrantOpened')
        .withArgs(warrant, terms.row, terms.legalBasis, terms.caseDigest, ZeroHash, false, unlocksAt)
      await expect(sent).to.emit(desk.warrants, 'WarrantNoticed').withArgs(warrant, terms.notice)
      expect([...(await desk.warrants.warrantOf(warrant))]).to.deep.equal([
        OPEN,
        1n,
        1n,
        0n,
        0n,
        false,
        true,
        false,
        unlocksAt,
        unlocksAt + 1_209_600n
      ])
      await refuse(desk.open(terms), 'WarrantAlreadyOpened', warrant)
    })

    it('refuses a warrant without row, basis, case, or either a notice or a court’s order to delay it', async () => {
      const wrong = [{ row: ZeroHash }, { legalBasis: ZeroHash }, { caseDigest: ZeroHash }, { notice: ZeroHash }]
      for (const special of [...wrong, { delayOrder: id('order') }])
        await refuse(desk.open(await desk.terms(special)), 'WarrantMalformed')
      await refuse(desk.open(await desk.terms({ deadline: 1 })), 'RequestExpired', 1)
    })

    it('refuses whoever is no auditor, and signatures for anything else', async () => {
      const terms = await desk.terms()
      const open = (approvals: Awaited<ReturnType<WarrantDesk['sign']>>, special: object = {}): Promise<unknown> =>
        desk.warrants.openWarrant({ ...terms, ...special }, desk.set, approvals)
      const [good] = await desk.sign(warrantOpeningTypes, terms, [1])
      await refuse(open([]), 'ApprovalsTooFew', 0, 1)
      await refuse(open([{ ...good!, signer: stranger.signer }]), 'ApprovalSignerUnknown', 1)
      await refuse(open([{ ...good!, signature: withHighS(good!.signature as string) }]), 'ApprovalSignatureInvalid', 1)
      for (const where of otherDomains(chain, 'EscrowWarrant')) {
        const signature = await auditors[1]!.key.sign(where, warrantOpeningTypes, { ...terms })
        await refuse(open([{ ...good!, signature }]), 'ApprovalSignatureInvalid', 1)
      }
      for (const field of ['row', 'legalBasis', 'caseDigest', 'notice'])
        await refuse(open([good!], { [field]: id('x') }), 'ApprovalSignatureInvalid', 1)
      await refuse(open([good!], { deadline: Number(terms.deadline) + 1 }), 'ApprovalSignatureInvalid', 1)
      await refuse(open([good!], { notice: ZeroHash, delayOrder: id('x') }), 'ApprovalSignatureInvalid', 1)
      const loose = { ...desk.set, threshold: 1 }
      await refuse(desk.warrants.openWarrant(terms, loose, [good!]), 'SignerSetMismatch')
      await open([good!])
    })

    it('does not open while the contract is paused', async () => {
      await desk.warrants.pause()
      await refuse(desk.open(await desk.terms()), 'EnforcedPause')
    })
  })

  describe('an open warrant', () => {
    beforeEach(async () => {
      await desk.open(await desk.terms())
    })

    it('takes shares after its wait and no earlier, one of each auditor', async () => {
      const { unlocksAt, expiresAt } = await desk.warrants.warrantOf(warrant)
      await refuse(desk.share(warrant, 0), 'WarrantNotInTime', unlocksAt, expiresAt)
      await refuse(desk.execute(warrant), 'WarrantNotInTime', unlocksAt, expiresAt)
      await chain.moveTo(Number(unlocksAt) - 2)
      await refuse(desk.share(warrant, 0), 'WarrantNotInTime', unlocksAt, expiresAt)
      await chain.moveTo(Number(unlocksAt) - 1)
      await expect(desk.share(warrant, 1, '0x1234'))
        .to.emit(desk.warrants, 'WarrantShared')
        .withArgs(warrant, 1, '0x1234')
      await refuse(desk.share(warrant, 1), 'AuditorActedBefore', 1)
      expect((await desk.warrants.warrantOf(warrant)).shares).to.equal(2n)
    })

    it('is executed with enough shares of three organisations, by anybody, once', async () => {
      await wait(3 * DAY)
      for (const index of [0, 1]) await desk.share(warrant, index)
      await refuse(desk.execute(warrant), 'SharesInsufficient', 3)
      await desk.share(warrant, 2)
      await refuse(desk.execute(warrant), 'SharesInsufficient', 7)
      await desk.share(warrant, 4)
      await expect(desk.execute(warrant)).to.emit(desk.warrants, 'WarrantExecuted').withArgs(warrant)
      expect(await statusOf()).to.equal(EXECUTED)
      for (const step of [
        () => desk.execute(warrant),
        () => desk.share(warrant, 5),
        () => desk.object(warrant, 5),
        () => desk.cancelByCourt(warrant)
      ])
        await refuse(step(), 'WarrantNotOpen', warrant)
      await refuse(desk.open(await desk.terms()), 'WarrantAlreadyOpened', warrant)
    })

    it('lapses 14 days after its wait', async () => {
      await wait(3 * DAY)
      for (const index of [0, 2, 4]) await desk.share(warrant, index)
      await wait(14 * DAY)
      await refuse(desk.share(warrant, 5), 'WarrantNotInTime')
      await refuse(desk.execute(warrant), 'WarrantNotInTime')
    })

    it('can be used to the last second', async () => {
      const { expiresAt } = await desk.warrants.warrantOf(warrant)
      await wait(3 * DAY)
      for (const index of [0, 2]) await desk.share(warrant, index)
      await chain.moveTo(Number(expiresAt) - 3)
      await desk.share(warrant, 4)
      await desk.execute(warrant)
      expect(await chain.now()).to.equal(Number(expiresAt) - 1)
    })

    it('cannot be used a second later', async () => {
      const { expiresAt } = await desk.warrants.warrantOf(warrant)
      await wait(3 * DAY)
      for (const index of [0, 2, 4]) await desk.share(warrant, index)
      await chain.moveTo(Number(expiresAt) - 1)
      await refuse(desk.execute(warrant), 'WarrantNotInTime')
      await refuse(desk.share(warrant, 5), 'WarrantNotInTime')
    })

    it('refuses shares that are empty or too large, late, changed or another’s', async () => {
      await wait(3 * DAY)
      await refuse(desk.share(warrant, 0, '0x'), 'ShareSizeInvalid', 0)
      await refuse(desk.share(warrant, 0, `0x${'00'.repeat(257)}`), 'ShareSizeInvalid', 257)
      const deadline = await chain.deadline()
      const [good] = await desk.sign(warrantShareTypes, { warrant, share: '0x01', deadline }, [0])
      const post = (share: string, until: number, approval = good!): Promise<unknown> =>
        desk.warrants.postShare(warrant, share, until, desk.set, approval)
      await refuse(post('0x02', deadline), 'ApprovalSignatureInvalid', 0)
      await refuse(post('0x01', 1), 'RequestExpired', 1)
      await refuse(post('0x01', deadline, { ...good!, index: 1 }), 'ApprovalSignerUnknown', 1)
      await desk.share(warrant, 0, `0x${'00'.repeat(256)}`)
    })

    it('is stopped for ever by enough objections, also while paused and after its wait', async () => {
      await desk.warrants.pause()
      await expect(desk.object(warrant, 3)).to.emit(desk.warrants, 'WarrantObjected').withArgs(warrant, 3, REASON)
      await refuse(desk.object(warrant, 3), 'AuditorActedBefore', 3)
      expect(await statusOf()).to.equal(OPEN)
      await wait(3 * DAY)
      await expect(desk.object(warrant, 5)).to.emit(desk.warrants, 'WarrantCancelled').withArgs(warrant, ZeroHash)
      expect(await statusOf()).to.equal(CANCELLED)
      await desk.warrants.unpause()
      await refuse(desk.share(warrant, 0), 'WarrantNotOpen', warrant)
      await refuse(desk.execute(warrant), 'WarrantNotOpen', warrant)
      await refuse(desk.object(warrant, 4), 'WarrantNotOpen', warrant)
      await refuse(desk.open(await desk.terms()), 'WarrantAlreadyOpened', warrant)
    })

    it('is stopped for ever by a court’s order that one auditor brings', async () => {
      await desk.warrants.pause()
      await expect(desk.cancelByCourt(warrant, 3))
        .to.emit(desk.warrants, 'WarrantCancelled')
        .withArgs(warrant, id('order'))
      await refuse(desk.cancelByCourt(warrant), 'WarrantNotOpen', warrant)
      const approval = { index: 0, signer: signers[0]!, signature: '0x' }
      const deadline = await chain.deadline()
      await refuse(desk.warrants.cancelByCourt(warrant, ZeroHash, deadline, desk.set, approval), 'WarrantMalformed')
      await refuse(desk.warrants.cancelByCourt(warrant, REASON, 1, desk.set, approval), 'RequestExpired', 1)
      await refuse(desk.warrants.objectTo(warrant, REASON, 1, desk.set, approval), 'RequestExpired', 1)
    })

    it('is stopped, told of and shared by auditors alone, each by a signature for just that', async () => {
      await desk.open(await desk.terms({ caseDigest: id('delayed'), notice: ZeroHash, delayOrder: id('order') }))
      const delayed = warrantIdOf(await desk.terms({ caseDigest: id('delayed') }))
      await wait(3 * DAY)
      const deadline = await chain.deadline()
      const { warrants, set } = desk
      const steps = [
        { types: warrantObjectionTypes, field: 'reason', call: warrants.objectTo.bind(warrants) },
        { types: warrantCancellationTypes, field: 'courtOrder', call: warrants.cancelByCourt.bind(warrants) },
        { types: warrantNoticeTypes, field: 'notice', call: warrants.postNotice.bind(warrants) },
        { types: warrantShareTypes, field: 'share', call: warrants.postShare.bind(warrants) }
      ]
      for (const { types, field, call } of steps) {
        const [good] = await desk.sign(types, { warrant: delayed, [field]: REASON, deadline }, [0])
        const submit = (special: object, loose = set): Promise<unknown> =>
          call(delayed, REASON, deadline, loose, { ...good!, ...special })
        await refuse(call(delayed, id('x'), deadline, set, good!), 'ApprovalSignatureInvalid', 0)
        await refuse(
          call(warrant, REASON, deadline, set, good!),
          field === 'notice' ? 'NoticeUnfit' : 'ApprovalSignatureInvalid'
        )
        await refuse(call(delayed, REASON, deadline + 1, set, good!), 'ApprovalSignatureInvalid', 0)
        await refuse(submit({ signature: withHighS(good!.signature as string) }), 'ApprovalSignatureInvalid', 0)
        await refuse(submit({ signer: stranger.signer }), 'ApprovalSignerUnknown', 0)
        await refuse(submit({ index: 6 }), 'ApprovalSignerUnknown', 6)
        await refuse(submit({}, { ...set, objectors: 1 }), 'SignerSetMismatch')
        for (const where of otherDomains(chain, 'EscrowWarrant')) {
          const value = { warrant: delayed, [field]: REASON, deadline }
          const signature = await auditors[0]!.key.sign(where, types, value)
          await refuse(submit({ signature }), 'ApprovalSignatureInvalid', 0)
        }
      }
      await refuse(warrants.execute(warrant, { ...set, threshold: 0 }), 'SignerSetMismatch')
    })

    it('is used by nobody while the contract is paused', async () => {
      await wait(3 * DAY)
      for (const index of [0, 2, 4]) await desk.share(warrant, index)
      await desk.warrants.pause()
      await refuse(desk.share(warrant, 5), 'EnforcedPause')
      await refuse(desk.execute(warrant), 'EnforcedPause')
      await desk.warrants.unpause()
      await desk.execute(warrant)
    })

    it('has the patient told once', async () => {
      await refuse(desk.notify(warrant), 'NoticeUnfit')
      await refuse(desk.notify(id('none')), 'NoticeUnfit')
      const delayed = await desk.terms({ caseDigest: id('delayed'), notice: ZeroHash, delayOrder: id('order') })
      await desk.open(delayed)
      expect((await desk.warrants.warrantOf(warrantIdOf(delayed))).isNoticed).to.equal(false)
      await refuse(desk.notify(warrantIdOf(delayed), ZeroHash), 'NoticeUnfit')
      await desk.cancelByCourt(warrantIdOf(delayed))
      await desk.warrants.pause()
      await expect(desk.notify(warrantIdOf(delayed), id('told')))
        .to.emit(desk.warrants, 'WarrantNoticed')
        .withArgs(warrantIdOf(delayed), id('told'))
      await refuse(desk.notify(warrantIdOf(delayed)), 'NoticeUnfit')
      const approval = { index: 0, signer: signers[0]!, signature: '0x' }
      await refuse(desk.warrants.postNotice(warrant, REASON, 1, desk.set, approval), 'RequestExpired', 1)
    })
  })
})
