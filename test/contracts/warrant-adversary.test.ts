import { expect } from 'chai'
import { id } from 'ethers'
import type { TestChain } from '#test/contracts/chain.ts'
import { auditorsOf, warrantFixture } from '#test/contracts/warrant-fixture.ts'
import { warrantIdOf, type WarrantDesk } from '#test/contracts/warrant-requests.ts'

describe('EscrowWarrant against its auditors', () => {
  /** Four of one organisation, who are a threshold between them. */
  const auditors = auditorsOf('a', 'a', 'a', 'a', 'b', 'c', 'd')
  let chain: TestChain
  let desk: WarrantDesk
  const { refuse } = warrantFixture(auditors, (opened, its) => {
    ;[chain, desk] = [opened, its]
  })

  const terms = (name: string) => desk.terms({ isEmergency: true, caseDigest: id(name) })

  it('auditors of one organisation, or of two, do not shorten the wait', async () => {
    await refuse(desk.open(await terms('one'), [0, 1, 2]), 'OpenersUnfit', 0b111)
    await refuse(desk.open(await terms('two'), [0, 1, 2, 3, 4]), 'OpenersUnfit', 0b11111)
    await desk.open(await terms('three'), [0, 4, 5])
  })

  it('openers leave as many others as a review takes', async () => {
    await refuse(desk.open(await terms('all'), [0, 1, 2, 3, 4, 5, 6]), 'OpenersUnfit', 0b1111111)
    await refuse(desk.open(await terms('most'), [0, 1, 2, 3, 4, 5]), 'OpenersUnfit', 0b111111)
    await desk.open(await terms('some'), [0, 1, 2, 4, 5])
  })

  it('nobody reviews an emergency while the row may still be opened', async () => {
    const [open, stopped, used] = [await terms('open'), await terms('stopped'), await terms('used')]
    for (const each of [open, stopped, used]) await desk.open(each, [0, 4, 5])
    const early = desk.review(warrantIdOf(open), [1, 2])
    await expect(early).to.be.revertedWithCustomError(desk.warrants, 'ReviewUnfit')
    await desk.cancelByCourt(warrantIdOf(stopped))
    await desk.review(warrantIdOf(stopped), [1, 2])
    const { unlocksAt, expiresAt } = await desk.warrants.warrantOf(warrantIdOf(used))
    await chain.moveTo(Number(unlocksAt))
    for (const index of [0, 4, 5]) await desk.share(warrantIdOf(used), index)
    await desk.execute(warrantIdOf(used))
    await desk.review(warrantIdOf(used), [1, 2])
    await chain.moveTo(Number(expiresAt))
    await desk.review(warrantIdOf(open), [1, 2])
  })
})
