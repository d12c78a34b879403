import { expect } from 'chai'
import { Wallet } from 'ethers'
import { fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import type { ReceivedEntry } from '#core/agent/author.ts'
import { openAsGrantee, openAttributesAsGrantee, sealAsGrantee } from '#core/agent/grantee-entries.ts'
import { patientEvidence } from '#core/agent/grantee-requests.ts'
import { acceptCapsule, createGrantee, decodeGranteeState, encodeGranteeState } from '#core/agent/grantee-state.ts'
import type { GranteeState } from '#core/agent/grantee-state.ts'
import { sealAsPatient, type NewEntry } from '#core/agent/patient-entries.ts'
import { prepareGrant, type GrantWish, type PatientSigning, type PreparedGrant } from '#core/agent/patient-grant.ts'
import { prepareItemGrant, type ItemGrantWish, type ItemWish } from '#core/agent/patient-item-grant.ts'
import { patientKeys } from '#core/agent/patient-registration.ts'
import { prepareRevocation } from '#core/agent/patient-revocation.ts'
import { createPatient, currentGeneration, type PatientState } from '#core/agent/patient-state.ts'
import { decodePatientState, encodePatientState } from '#core/agent/patient-state-codec.ts'
import type { RecordOnChain } from '#core/agent/record-on-chain.ts'
import { decodeCapsule, openCapsule, preferredKemKey, sealCapsule } from '#core/grant/capsule.ts'
import type { CapsuleContent } from '#core/grant/capsule-keys.ts'
import { decodeGrantDocument } from '#core/grant/document.ts'
import { decodeRotation } from '#core/grant/rotation.ts'
import { NO_EXPIRY, RIGHT_HISTORY, RIGHT_READ, RIGHT_WRITE, UNLIMITED_USES } from '#core/grant/terms.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { dayOf } from '#core/record/day.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { openDisclosure, encodeDisclosure } from '#core/record/disclosure.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { chainAgreesWith } from '#test/core/agent/chain-facts.ts'
import { keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

const TARGET = {
  chainId: 31_337,
  contracts: { AccessGrants: { address: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512' } }
}
const NOW_S = 1_795_180_000
const TODAY = dayOf(NOW_S * 1000)
const PULSE = '{"resourceType":"Observation","code":{"text":"pulse"},"valueQuantity":{"value":72,"unit":"/min"}}'
const CONTENT = { type: 'application/fhir+json', recordedAtMs: NOW_S * 1000, body: utf8(PULSE) }

const patientWallet = new Wallet(`0x${'11'.repeat(32)}`)
const doctorAddress = fromHex(new Wallet(`0x${'22'.repeat(32)}`).address, 20)

describe('grants of less than a compartment', () => {
  const random = seededRandom('item-grants')
  let patient: PatientState
  let keys: AgentKeys
  let doctorKeys: AgentKeys

  const by = (state: PatientState): PatientSigning => ({
    state,
    keys,
    target: TARGET,
    deadlineS: NOW_S + 3600,
    signTypedData: (...data) => patientWallet.signTypedData(...data)
  })
  const terms = (): Omit<GrantWish, 'compartments' | 'days'> => ({
    grantee: doctorAddress,
    notBefore: NOW_S,
    expiresAt: NO_EXPIRY,
    rights: RIGHT_READ,
    uses: UNLIMITED_USES,
    bundle: doctorKeys.bundleBytes,
    purpose: 'TREAT',
    nowS: NOW_S
  })
  const seal = (entry: Partial<NewEntry> = {}): ReceivedEntry => {
    const wish = { compartment: 'vitals' as const, day: TODAY, content: CONTENT, attributes: true, ...entry }
    return { ...sealAsPatient(p, random, { state: patient, keys }, wish), evidenceBytes: patientEvidence(keys) }
  }
  const grantItems = (items: readonly ItemWish[], wish: Partial<ItemGrantWish> = {}): Promise<PreparedGrant> =>
    prepareItemGrant(p, random, by(patient), { ...terms(), items, ...wish })
  const accept = ({ capsuleBytes }: Pick<PreparedGrant, 'capsuleBytes'>): Promise<GranteeState> =>
    acceptCapsule(
      p,
      createGrantee(patient.network, doctorAddress),
      doctorKeys,
      capsuleBytes,
      chainAgreesWith(capsuleBytes)
    )
  const record = (): RecordOnChain => ({
    target: TARGET,
    patient: patient.patient,
    keyBundles: [{ digest: keyBundleDigest(keys.bundleBytes), replacedAtS: null }],
    grants: []
  })

  before(async () => {
    doctorKeys = await keysOf(2)
  })

  beforeEach(async () => {
    patient = createPatient(random, TARGET, fromHex(patientWallet.address, 20))
    keys = await patientKeys(p, patient)
  })

  it('of one entry opens that entry in that revision and nothing else', async () => {
    const [one, other] = [seal(), seal()]
    const { header, cid } = decodeEntry(one.headerBytes)
    const revised = seal({ entry: header.entry, revision: 2, parents: [cid] })
    const prepared = await grantItems([{ sealed: one }])
    const doctor = await accept(prepared)
    const opened = openAsGrantee(p, doctor, one, record())
    expect(opened.content).to.deep.equal(CONTENT)
    expect(opened.compartment).to.equal('vitals')
    expect(opened.author).to.deep.equal({ kind: 'patient' })
    for (const sealed of [other, revised]) {
      await expectCode('GRANT_NO_KEY', () => openAsGrantee(p, doctor, sealed, record()))
    }
    await expectCode('GRANT_NO_KEY', () => openAttributesAsGrantee(p, doctor, one, record()))
    const document = decodeGrantDocument(prepared.state.grants[0]!.document)
    expect(document.compartments).to.deep.equal(['vitals'])
    expect(document.items?.map(({ name, paths }) => [name.toString(), paths])).to.deep.equal([[cid.toString(), []]])
  })

  it('of one attribute opens that attribute alone, with proof of its author', async () => {
    const [one, other] = [seal(), seal()]
    const doctor = await accept(await grantItems([{ sealed: one, paths: ['/valueQuantity'] }]))
    const { attributes, compartment } = openAttributesAsGrantee(p, doctor, one, record())
    expect(compartment).to.equal('vitals')
    expect(attributes.map(({ path, value }) => [path, new TextDecoder().decode(value)])).to.deep.equal([
      ['/valueQuantity', '{"value":72,"unit":"/min"}']
    ])
    const disclosed = openDisclosure(p, encodeDisclosure(one.headerBytes, attributes[0]!))
    expect(disclosed.header.author).to.deep.equal(keys.bundle.sign)
    await expectCode('GRANT_NO_KEY', () => openAsGrantee(p, doctor, one, record()))
    await expectCode('GRANT_NO_KEY', () => openAttributesAsGrantee(p, doctor, other, record()))
    const stranger = { ...one, evidenceBytes: patientEvidence(doctorKeys) }
    await expectCode('EVIDENCE_AUTHOR', () => openAttributesAsGrantee(p, doctor, stranger, record()))
  })

  it('survives the encoding of both states', async () => {
    const prepared = await grantItems([{ sealed: seal() }, { sealed: seal(), paths: ['/code', '/valueQuantity'] }])
    expect(decodePatientState(encodePatientState(prepared.state))).to.deep.equal(prepared.state)
    const doctor = await accept(prepared)
    const again = decodeGranteeState(encodeGranteeState(doctor))
    expect(again.grants[0]!.entries).to.have.length(1)
    expect(again.grants[0]!.attributes!.map(({ path }) => path)).to.deep.equal(['/code', '/valueQuantity'])
    expect(encodeGranteeState(again)).to.deep.equal(encodeGranteeState(doctor))
  })

  it('of single entries gives no right to write, begins at once, and names what is there', async () => {
    const sealed = seal()
    await expectCode('GRANT_ITEMS', () => grantItems([{ sealed }], { rights: RIGHT_READ | RIGHT_WRITE }))
    await expectCode('GRANT_ITEMS', () => grantItems([]))
    await expectCode('GRANT_HISTORY_EARLY', () => grantItems([{ sealed }], { notBefore: NOW_S + 1 }))
    await expectCode('ATTRIBUTE_PATH', () => grantItems([{ sealed, paths: ['/none'] }]))
    await expectCode('ATTRIBUTE_NONE', () => grantItems([{ sealed: seal({ attributes: false }), paths: ['/code'] }]))
    await expectCode('GRANT_SHAPE', () => grantItems([{ sealed }, { sealed }]))
    await expectCode('GRANT_SHAPE', () => grantItems(Array.from({ length: 17 }, () => ({ sealed: seal() }))))
    const doctor = await accept(await grantItems([{ sealed }]))
    const writer = { state: doctor, keys: doctorKeys, patient: patient.patient }
    await expectCode('GRANT_NO_WRITE', () =>
      sealAsGrantee(p, random, writer, { compartment: 'vitals', day: TODAY, content: CONTENT })
    )
  })

  it('of single entries ends without new keys for anyone', async () => {
    const first = await prepareGrant(p, random, by(patient), { ...terms(), compartments: ['vitals'] })
    const second = await prepareItemGrant(p, random, by(first.state), { ...terms(), items: [{ sealed: seal() }] })
    const before = currentGeneration(second.state, 'vitals')
    const { state, rotationBytes, capsules } = await prepareRevocation(p, random, by(second.state), {
      grantId: second.grantId,
      nowS: NOW_S
    })
    expect(currentGeneration(state, 'vitals')).to.deep.equal(before)
    expect(decodeRotation(rotationBytes).retired).to.deep.equal([])
    expect(capsules).to.deep.equal([])
    const both = await prepareRevocation(p, random, by(second.state), { grantId: first.grantId, nowS: NOW_S })
    expect(both.capsules).to.deep.equal([])
  })

  it('of a span of days opens those, of every generation, and no other', async () => {
    const days = { fromDay: TODAY - 30, toDay: TODAY - 10 }
    const other = await prepareGrant(p, random, by(patient), { ...terms(), compartments: ['vitals'] })
    const old = [TODAY - 31, TODAY - 30, TODAY - 10, TODAY - 9].map(day => seal({ day }))
    const rotated = await prepareRevocation(p, random, by(other.state), { grantId: other.grantId, nowS: NOW_S })
    patient = rotated.state
    const late = seal({ day: TODAY - 20 })
    const wish = { ...terms(), compartments: ['vitals' as const], days, rights: RIGHT_READ | RIGHT_HISTORY }
    const doctor = await accept(await prepareGrant(p, random, by(patient), wish))
    const [before, first, last, after] = old as [ReceivedEntry, ReceivedEntry, ReceivedEntry, ReceivedEntry]
    for (const sealed of [first, last, late]) {
      expect(openAsGrantee(p, doctor, sealed, record()).content).to.deep.equal(CONTENT)
    }
    for (const sealed of [before, after]) {
      await expectCode('DAY_NOT_COVERED', () => openAsGrantee(p, doctor, sealed, record()))
    }
  })

  it('opens no days that its terms do not allow', async () => {
    const prepare = (wish: Partial<GrantWish>): Promise<unknown> =>
      prepareGrant(p, random, by(patient), { ...terms(), compartments: ['vitals'], ...wish })
    const past = { fromDay: TODAY - 1, toDay: TODAY }
    await expectCode('GRANT_DAYS', () => prepare({ days: past }))
    await expectCode('GRANT_DAYS', () => prepare({ days: { fromDay: TODAY + 2, toDay: TODAY + 1 } }))
    const future = { fromDay: TODAY, toDay: TODAY + 9 }
    await expectCode('GRANT_DAYS', () => prepare({ days: future, expiresAt: NOW_S + 86_400 }))
  })

  it('is refused by its grantee where the capsule holds more than the document names', async () => {
    const sealed = seal()
    const { cid } = decodeEntry(sealed.headerBytes)
    const key = new Uint8Array(32)
    const prepared = await grantItems([{ sealed, paths: ['/code'] }])
    const capsule = decodeCapsule(prepared.capsuleBytes)
    const honest = await openCapsule(capsule, doctorKeys)
    const { document } = honest
    const attribute = honest.attributes![0]!
    const cover = [{ depth: 16, prefix: TODAY, key }]
    const more: CapsuleContent[] = [
      { document, keys: [], entries: [{ compartment: 'vitals', name: cid, key }] },
      { document, keys: [], attributes: [{ ...attribute, path: '/valueQuantity' }] },
      { document, keys: [], attributes: [{ ...attribute, compartment: 'mental' }] },
      { document, keys: [], attributes: [{ ...attribute, name: decodeEntry(seal().headerBytes).cid }] },
      { document, keys: [{ compartment: 'vitals', tag: new Uint8Array(16), generation: 1, cover }] }
    ]
    for (const content of more) {
      const header = { ...capsule, grantId: capsule.grantId }
      const to = preferredKemKey(doctorKeys.bundle)
      const bytes = await sealCapsule(p, random, { header, to, content, patientKeys: keys })
      await expectCode('CAPSULE_SCOPE', () => openCapsule(decodeCapsule(bytes), doctorKeys))
    }
    expect(toHex(attribute.key)).to.have.length(66)
  })
})
