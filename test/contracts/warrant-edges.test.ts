import { expect } from 'chai'
import { ZeroHash, id } from 'ethers'
import { auditorsOf, warrantFixture } from '#test/contracts/warrant-fixture.ts'
import type { WarrantDesk } from '#test/contracts/warrant-requests.ts'

describe('EscrowWarrant at its edges', () => {
  const auditors = auditorsOf('court', 'ministry', 'university', 'hospital', 'chamber')
  let desk: WarrantDesk
  const { refuse } = warrantFixture(auditors, (_chain, its) => {
    desk = its
  })

  it('takes one auditor for a set, of which it says that the organisations are too few', async () => {
    const [{ key, organisation } = auditors[0]!] = auditors
    await refuse(desk.warrants.setAuditors([key.signer], [organisation], 3, 1), 'AuditorsMalformed')
  })

  it('tells of no notice to the patient where a court delays it', async () => {
    const sent = await desk.open(await desk.terms({ notice: ZeroHash, delayOrder: id('order') }))
    await expect(sent).to.emit(desk.warrants, 'WarrantOpened')
    await expect(sent).not.to.emit(desk.warrants, 'WarrantNoticed')
  })
})
