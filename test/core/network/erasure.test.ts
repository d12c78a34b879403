import { expect } from 'chai'
import { signErasure } from '#core/custody/erasure.ts'
import { acceptedOf, judge, type Judgement } from '#core/network/accept.ts'
import type { ErasureMessage, Message } from '#core/network/envelope.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { osRandom, type DemoPatient } from '#scripts/story/people.ts'
import { DAY, createAcceptWorld, doctorEntry, patientEntry, type AcceptWorld } from '#test/core/network/accept-world.ts'

describe('acceptance of erasures', () => {
  let world: AcceptWorld

  beforeEach(async () => {
    world = await createAcceptWorld()
  })

  function told(message: Message): string {
    const { deployment, store } = world
    const context = { p, deployment, chain: world.chain.view(), store, provenance: 'live' as const }
    const judgement: Judgement = judge(message, context)
    if (judgement.verdict !== 'accept') return judgement.code
    expect(acceptedOf(message)).to.deep.equal(judgement.accepted)
    store.take(judgement.accepted)
    return judgement.verdict
  }

  function erasureOf(of: Uint8Array, by: Pick<DemoPatient, 'keys'> = world.patient, day = DAY): ErasureMessage {
    const { network } = world
    const about = { network, patient: world.patient.state.patient, day, nonce: osRandom(16) }
    return {
      kind: 'erasure',
      network,
      erasure: signErasure(p, { ...about, entries: [decodeEntry(of).cid] }, by.keys)
    }
  }

  it('takes the patient’s, and from then on no entry that it names, whoever wrote it', () => {
    const [own, doctors] = [patientEntry(world), doctorEntry(world)]
    expect(told(own)).to.equal('accept')
    expect(told(erasureOf(own.header))).to.equal('accept')
    expect(told(own)).to.equal('ENTRY_ERASED')
    expect(told(doctors)).to.equal('accept')
    expect(told(erasureOf(doctors.header))).to.equal('accept')
    expect(told(doctors)).to.equal('ENTRY_ERASED')
  })

  it('takes nobody else’s, and none of a day to come', () => {
    const { header } = patientEntry(world)
    expect(told(erasureOf(header, world.doctor))).to.equal('PATIENT_KEYS')
    expect(told(erasureOf(header, world.patient, DAY + 2))).to.equal('ERASURE_DAY_FUTURE')
    const unsigned = erasureOf(header)
    unsigned.erasure[unsigned.erasure.length - 1]! ^= 1
    expect(told(unsigned)).to.equal('ERASURE_SIGNATURE')
  })

  it('keeps no entry of one patient out by the word of another', () => {
    const own = patientEntry(world)
    const names = [decodeEntry(own.header).cid.toString()]
    world.store.take({ kind: 'erasure', patient: osRandom(32), names })
    expect(told(own)).to.equal('accept')
  })
})
