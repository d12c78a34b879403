import { expect } from 'chai'
import type { ChainEvent } from '#core/chain/events.ts'
import { foldRecordOnChain, type DatedEvent } from '#core/agent/record-on-chain.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { verifyLog } from '#core/log/verify.ts'
import { judge, type AcceptContext } from '#core/network/accept.ts'
import type { EntryMessage } from '#core/network/envelope.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import {
  DAY,
  NOON_S,
  createAcceptWorld,
  doctorEntry,
  patientEntry,
  type AcceptWorld
} from '#test/core/network/accept-world.ts'

describe('a log and the peers that carry it', () => {
  let world: AcceptWorld
  let events: DatedEvent[]

  const verdictOfPeer = (message: EntryMessage, provenance: AcceptContext['provenance']): string => {
    const { deployment, chain, store } = world
    const judged = judge(message, { p, deployment, chain: chain.view(), store, provenance })
    return judged.verdict === 'accept' ? 'accept' : judged.code
  }
  const verdictOfLog = (...messages: readonly EntryMessage[]): string => {
    const { deployment, patient, chain } = world
    const record = foldRecordOnChain(deployment, patient.state.patient, events)
    const inputs = messages.map(({ header, evidence }) => ({ headerBytes: header, evidenceBytes: evidence }))
    const { verdicts } = verifyLog(p, inputs, { record, blockTimeS: chain.timeS })
    const name = decodeEntry(messages.at(-1)!.header).cid.toString()
    const { state, code } = verdicts.find(each => each.name === name)!
    return code ?? state
  }
  const happens = (event: ChainEvent, timeS: number): void => {
    world.chain.timeS = timeS
    world.chain.add(event)
    events.push({ event, timeS })
  }

  beforeEach(async () => {
    world = await createAcceptWorld()
    const patient = toHex(world.patient.state.patient)
    const grant = world.chain.view().grant(toHex(world.grantId))!
    const keyBundle = world.chain.view().patient(patient)!.keyBundle
    events = [
      { event: { name: 'PatientRegistered', patient, signer: '0x', keyBundle }, timeS: NOON_S },
      { event: { name: 'Granted', patient, grantId: toHex(world.grantId), terms: grant.terms }, timeS: NOON_S }
    ]
  })

  it('agree on what is new', () => {
    for (const day of [DAY - 1, DAY, DAY + 1]) {
      for (const message of [patientEntry(world, { day }), doctorEntry(world, { day })]) {
        expect(verdictOfPeer(message, 'live')).to.equal('accept')
        expect(verdictOfLog(message)).to.equal('sound')
      }
    }
    const late = patientEntry(world, { day: DAY + 2 })
    expect([verdictOfPeer(late, 'live'), verdictOfLog(late)]).to.deep.equal(['ENTRY_DAY_FUTURE', 'ENTRY_DAY_FUTURE'])
    const first = doctorEntry(world)
    const { header, cid } = decodeEntry(first.header)
    const second = doctorEntry(world, { entry: header.entry, revision: 2, parents: [cid] })
    expect(verdictOfPeer(second, 'live')).to.equal('accept')
    expect(verdictOfLog(first, second)).to.equal('sound')
    const orphan = doctorEntry(world, { revision: 2 })
    expect([verdictOfPeer(orphan, 'live'), verdictOfLog(orphan)]).to.deep.equal(['ENTRY_REVISION', 'LOG_REVISION'])
  })

  it('agree on what is old: a grant’s entries outlive it, but none is dated later than the day after its end', () => {
    const messages = [0, 1, 2, 3].map(ahead => doctorEntry(world, { day: DAY + ahead }))
    const patient = toHex(world.patient.state.patient)
    happens({ name: 'Revoked', patient, grantId: toHex(world.grantId) }, NOON_S + 60)
    world.chain.timeS = NOON_S + 30 * 86_400
    expect(messages.map(message => verdictOfPeer(message, 'replicated'))).to.deep.equal([
      'accept',
      'GRANT_REVOKED',
      'GRANT_REVOKED',
      'GRANT_REVOKED'
    ])
    // A reader lets the day after pass, as peers do with what is new; who wrote it then had the right.
    expect(messages.map(message => verdictOfLog(message))).to.deep.equal([
      'sound',
      'sound',
      'GRANT_REVOKED',
      'GRANT_REVOKED'
    ])
  })
})
