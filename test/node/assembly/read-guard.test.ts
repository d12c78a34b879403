import { expect } from 'chai'
import { signReadRequest } from '#core/grant/read-request.ts'
import { createReadGuard, type ReadGuard } from '#node/assembly/read-guard.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { osRandom, type DemoClinician, type DemoPatient } from '#scripts/story/people.ts'
import { createAcceptWorld, NOON_S, type AcceptWorld } from '#test/core/network/accept-world.ts'
import { expectCode } from '#test/error-code.ts'

describe('the guard of reads', () => {
  const audience = Uint8Array.of(1, 2, 3, 4)
  let world: AcceptWorld
  let nowMs: number
  let guard: ReadGuard

  beforeEach(async () => {
    world = await createAcceptWorld()
    nowMs = NOON_S * 1000
    const { deployment, chain } = world
    guard = createReadGuard({ p, deployment, chain: () => chain.view(), clock: () => nowMs, audience })
  })

  function read(who: DemoPatient | DemoClinician, grant: Uint8Array | null): void {
    const { network, patient } = world
    const about = { network, patient: patient.state.patient, grant, audience, evidence: who.evidence }
    const request = { ...about, issuedAtMs: nowMs, nonce: osRandom(16), author: who.keys.bundle.sign }
    guard.admit(signReadRequest(p, request, who.keys.signSeed))
  }

  it('lets no author use up what is remembered for all', async () => {
    for (let i = 0; i < 256; i++) read(world.patient, null)
    await expectCode('READ_BUSY', () => read(world.patient, null))
    read(world.doctor, world.grantId)
    nowMs += 4 * 60_000
    read(world.patient, null)
  })

  it('ends grants by its own clock while the chain stands still', async () => {
    read(world.doctor, world.grantId)
    nowMs += 11 * 86_400_000
    await expectCode('READ_EXPIRED', () => read(world.doctor, world.grantId))
    expect(world.chain.view().blockTimeS).to.equal(NOON_S)
  })

  it('ends grants by the chain where its own clock is late', async () => {
    world.chain.timeS += 11 * 86_400
    await expectCode('READ_EXPIRED', () => read(world.doctor, world.grantId))
  })
})
