import { expect } from 'chai'
import { failsItsDuty } from '#core/placement/conduct.ts'

describe('placement: who does not hold what it should', () => {
  it('is who proves next to nothing, not who fetches still, refuses some, or was asked nothing', () => {
    const fails = (proven: number, failed: number): boolean => failsItsDuty({ proven, failed })
    expect([fails(0, 1), fails(0, 500), fails(9, 91)]).to.deep.equal([true, true, true])
    expect([fails(0, 0), fails(5, 0), fails(10, 90), fails(50, 50)]).to.deep.equal([false, false, false, false])
  })
})
