import { expect } from 'chai'
import { encodeMessage } from '#core/network/envelope.ts'
import type { ReadRequest } from '#core/grant/read-request.ts'
import { decodeReceipt, openReceipt } from '#core/receipts/receipt.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createReadReceipts } from '#node/custody/read-receipts.ts'
import type { ReceiptLog } from '#node/custody/receipt-log.ts'
import { osRandom } from '#scripts/story/people.ts'
import {
  NOON_S,
  createAcceptWorld,
  doctorEntry,
  patientEntry,
  type AcceptWorld
} from '#test/core/network/accept-world.ts'
import { keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'

describe('receipts of reading', () => {
  let world: AcceptWorld
  let written: Uint8Array[]
  const digest = osRandom(10)

  beforeEach(async () => {
    world = await createAcceptWorld()
    written = []
  })

  /** A writer over a node that has these messages of the patient. */
  function writer(messages: readonly Uint8Array[], auditor?: Uint8Array) {
    const receipts = { append: async (bytes: Uint8Array) => Promise.resolve(written.push(bytes)) }
    const records = messages.map((bytes, i) => ({ position: i + 1, bytes }))
    return createReadReceipts({
      ...{ p, random: osRandom, clock: () => NOON_S * 1000, chain: () => world.chain.view() },
      index: { capsulePosition: () => undefined },
      messages: { read: async () => Promise.resolve([]), byPatient: async () => Promise.resolve(records) },
      receipts: receipts as unknown as ReceiptLog,
      auditor
    })
  }

  const request = (grant: Uint8Array | null): ReadRequest => ({
    ...{ network: world.network, patient: world.patient.state.patient, grant, audience: new Uint8Array(4) },
    ...{ issuedAtMs: NOON_S * 1000, nonce: osRandom(16), author: world.doctor.keys.bundle.sign },
    evidence: world.doctor.evidence
  })

  it('are sealed with the keys that the patient’s own messages show', async () => {
    const [ofDoctor, ofPatient] = [doctorEntry(world), patientEntry(world)]
    await writer([ofDoctor, ofPatient].map(encodeMessage))(request(world.grantId), digest)
    const content = await openReceipt(p, decodeReceipt(written[0]!), world.patient.keys)
    expect(content).to.deep.include({ kind: 'entries', subject: world.grantId, address: world.doctor.address })
  })

  it('are not written of the patient’s own reading', async () => {
    await writer([])(request(null), digest)
    expect(written).to.deep.equal([])
  })

  it('are demanded: without keys to seal them to there is no reading, unless there is an auditor', async () => {
    await expectCode('RECEIPT_READER_UNKNOWN', async () => writer([])(request(world.grantId), digest))
    const auditor = await keysOf(9)
    await writer([], auditor.bundleBytes)(request(world.grantId), digest)
    expect(await openReceipt(p, decodeReceipt(written[0]!), auditor)).to.deep.include({ request: p.sha256(digest) })
    expect(await openReceipt(p, decodeReceipt(written[0]!), world.patient.keys)).to.equal(undefined)
  })
})
