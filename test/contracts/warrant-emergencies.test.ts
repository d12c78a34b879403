import { expect } from 'chai'
import { id } from 'ethers'
import type { TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { REASON } from '#test/contracts/research-contracts.ts'
import { auditorsOf, warrantFixture } from '#test/contracts/warrant-fixture.ts'
import { openWarrantDesk, warrantIdOf, type WarrantDesk } from '#test/contracts/warrant-requests.ts'

const [HOUR, DAY] = [3600, 86_400]

describe('EscrowWarrant: emergencies', () => {
  const auditors = auditorsOf('court', 'court', 'ministry', 'ministry', 'university', 'hospital')
  let chain: TestChain
  let desk: WarrantDesk
  let warrant: string
  const { refuse, wait } = warrantFixture(auditors, async (opened, its) => {
    ;[chain, desk] = [opened, its]
    warrant = warrantIdOf(await desk.terms())
  })

  const terms = (name: string) => desk.terms({ isEmergency: true, caseDigest: id(name) })
  const openEmergency = async (name: string): Promise<string> => {
    await desk.open(await terms(name))
    return warrantIdOf(await terms(name))
  }

  it('waits one hour and takes a threshold of auditors', async () => {
    await refuse(desk.open(await terms('a'), [0, 1]), 'ApprovalsTooFew', 2, 3)
    const emergency = await openEmergency('a')
    const { unlocksAt } = await desk.warrants.warrantOf(emergency)
    expect(unlocksAt).to.equal(BigInt((await chain.now()) + HOUR))
    await chain.moveTo(Number(unlocksAt) - 2)
    await refuse(desk.share(emergency, 0), 'WarrantNotInTime')
    await chain.moveTo(Number(unlocksAt) - 1)
    for (const index of [0, 2, 4]) await desk.share(emergency, index)
    await desk.execute(emergency)
  })

  it('comes three times in 30 days at most', async () => {
    expect([...(await desk.warrants.emergencies())]).to.deep.equal([true, 0n])
    let first = 0
    for (const name of ['a', 'b', 'c']) {
      const emergency = await openEmergency(name)
      first ||= await chain.now()
      await desk.cancelByCourt(emergency)
      await desk.review(emergency, [3, 5])
    }
    expect([...(await desk.warrants.emergencies())]).to.deep.equal([false, 0n])
    await refuse(desk.open(await terms('d')), 'EmergenciesExhausted')
    await desk.open(await desk.terms())
    await chain.moveTo(first + 30 * DAY - 2)
    await refuse(desk.open(await terms('d')), 'EmergenciesExhausted')
    await chain.moveTo(first + 30 * DAY - 1)
    await openEmergency('d')
  })

  it('is reviewed by auditors who did not open it, once; without reviews there is no fourth', async () => {
    const [first, ...others] = [await openEmergency('a'), await openEmergency('b'), await openEmergency('c')]
    await wait(31 * DAY)
    await refuse(desk.open(await terms('d')), 'EmergenciesExhausted')
    await refuse(desk.review(first, [3]), 'ApprovalsTooFew', 1, 2)
    await refuse(desk.review(first, [2, 3]), 'ReviewUnfit')
    await desk.warrants.pause()
    await expect(desk.review(first, [3, 5]))
      .to.emit(desk.warrants, 'WarrantReviewed')
      .withArgs(first, REASON)
    await desk.warrants.unpause()
    await refuse(desk.review(first, [3, 5]), 'ReviewUnfit')
    expect([...(await desk.warrants.emergencies())]).to.deep.equal([true, 2n])
    await openEmergency('d')
    await refuse(desk.open(await terms('e')), 'EmergenciesExhausted')
    for (const each of others) await desk.review(each, [1, 3])
  })

  it('is reviewed from the moment when it can no longer be used', async () => {
    const emergency = await openEmergency('a')
    const { expiresAt } = await desk.warrants.warrantOf(emergency)
    await chain.moveTo(Number(expiresAt) - 2)
    await refuse(desk.review(emergency, [3, 5]), 'ReviewUnfit')
    await chain.moveTo(Number(expiresAt) - 1)
    await desk.review(emergency, [3, 5])
  })

  it('is the only warrant that is reviewed', async () => {
    await desk.open(await desk.terms())
    await refuse(desk.review(warrant, [3, 4]), 'ReviewUnfit')
    await refuse(desk.review(id('none'), [3, 4]), 'ReviewUnfit')
    await refuse(desk.warrants.review(warrant, REASON, 1, desk.set, desk.set, []), 'RequestExpired', 1)
    const emergency = await openEmergency('a')
    await desk.cancelByCourt(emergency)
    const loose = { ...desk.set, objectors: 1 }
    const deadline = await chain.deadline()
    await refuse(desk.warrants.review(emergency, REASON, deadline, loose, desk.set, []), 'SignerSetMismatch')
    await refuse(desk.warrants.review(emergency, REASON, deadline, desk.set, loose, []), 'SignerSetMismatch')
  })

  describe('after other auditors were named', () => {
    /** Opened by 0, 2 and 4 of the first set. */
    let emergency: string
    beforeEach(async () => {
      emergency = await openEmergency('a')
    })
    const rename = async (...order: readonly number[]): Promise<WarrantDesk> => {
      const later = openWarrantDesk(
        chain,
        order.map(index => auditors[index] ?? { key: accountKey(`new ${String(index)}`), organisation: id('new') })
      )
      await later.name()
      return later
    }

    it('nobody who opened it reviews it, whatever place it has now', async () => {
      const later = await rename(1, 0, 3, 2, 5, 4)
      for (const [opener, other] of [
        [1, 0],
        [3, 0],
        [5, 0]
      ] as const)
        await refuse(later.review(emergency, [other, opener], desk.set), 'ReviewUnfit')
      await later.review(emergency, [0, 2], desk.set)
    })

    it('who opened nothing reviews it from an opener’s place', async () => {
      const later = await rename(1, 6, 3, 7, 5, 8)
      await later.review(emergency, [0, 2], desk.set)
      expect((await later.warrants.warrantOf(emergency)).isReviewed).to.equal(true)
    })

    it('needs the set under which it was opened, and the one in force', async () => {
      const later = await rename(1, 6, 3, 7, 5, 8)
      await refuse(later.review(emergency, [0, 2]), 'SignerSetMismatch')
      await refuse(desk.review(emergency, [1, 3]), 'SignerSetMismatch')
      await later.name()
      await refuse(later.review(emergency, [0, 2]), 'SignerSetMismatch')
      await later.review(emergency, [0, 2], desk.set)
    })
  })
})
