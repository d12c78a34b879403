import { expect } from 'chai'
import type { TestChain } from '#test/contracts/chain.ts'
import { DAY, reviewByCredential, type Emergency } from '#test/contracts/emergency-requests.ts'
import { LIMITS, inEmergencyWorld, type EmergencyWorld } from '#test/contracts/emergency-world.ts'

describe('EmergencyAccess: what awaits review', () => {
  let chain: TestChain
  let world: EmergencyWorld
  const { open, wait, standing } = inEmergencyWorld((openedChain, openedWorld) => {
    ;[chain, world] = [openedChain, openedWorld]
  })
  const review = (emergency: Emergency) => reviewByCredential(chain, world.rita, emergency, world.ritas)

  it('stays in the order in which it began when the newest were reviewed, and others follow', async () => {
    const [, second, third] = [await open('first'), await open('second'), await open('third')]
    await wait(DAY)
    for (const emergency of [second, third]) await review(emergency)
    for (const salt of ['fourth', 'fifth']) await open(salt)
    const begun = await chain.now()
    expect(await standing(world.ada)).to.deep.equal([0n, 3n, false])
    await chain.moveTo(begun + LIMITS.reviewWithin - 1)
    expect(await standing(world.ada)).to.deep.equal([0n, 3n, false])
    await chain.moveTo(begun + LIMITS.reviewWithin)
    expect(await standing(world.ada)).to.deep.equal([0n, 3n, true])
  })
})
