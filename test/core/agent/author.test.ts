import { expect } from 'chai'
import { Wallet } from 'ethers'
import { equalBytes, fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import { proveAuthor, type ReceivedEntry } from '#core/agent/author.ts'
import { openAsGrantee } from '#core/agent/grantee-entries.ts'
import { granteeEvidence, patientEvidence } from '#core/agent/grantee-requests.ts'
import { acceptCapsule, createGrantee, type GranteeState } from '#core/agent/grantee-state.ts'
import { openAsPatient, sealAsPatient } from '#core/agent/patient-entries.ts'
import { prepareGrant, type GrantWish } from '#core/agent/patient-grant.ts'
import { patientKeys } from '#core/agent/patient-registration.ts'
import { createPatient, type PatientState } from '#core/agent/patient-state.ts'
import { foldRecordOnChain, type DatedEvent, type RecordOnChain } from '#core/agent/record-on-chain.ts'
import { decodeGrantDocument, encodeGrantDocument, type DaySpan } from '#core/grant/document.ts'
import { RIGHT_HISTORY, RIGHT_READ, RIGHT_WRITE, UNLIMITED_USES, packTerms } from '#core/grant/terms.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { dayOf } from '#core/record/day.ts'
import { leafFromCover } from '#core/record/day-tree.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { sealEntry } from '#core/record/seal-entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { chainAgreesWith } from '#test/core/agent/chain-facts.ts'
import { keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

const TARGET = {
  chainId: 31_337,
  contracts: {
    AccessGrants: { address: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512' }
  }
}
const DAY_S = 86_400
const NOW_S = 1_795_180_000
const TODAY = dayOf(NOW_S * 1000)
const CONTENT = { type: 'text/plain', recordedAtMs: NOW_S * 1000, body: utf8('no allergies known') }
const WRITABLE = ['vitals', 'documents'] as const

const patientWallet = new Wallet(`0x${'11'.repeat(32)}`)
const readerWallet = new Wallet(`0x${'22'.repeat(32)}`)
const writerWallet = new Wallet(`0x${'33'.repeat(32)}`)
const addressOf = (wallet: Wallet): Uint8Array => fromHex(wallet.address, 20)

interface Forgery {
  readonly author: AgentKeys
  readonly evidenceBytes: Uint8Array
  readonly grant?: Uint8Array | null
  readonly day?: number
  readonly compartment?: 'vitals' | 'documents' | 'labs'
}

describe('the author of an entry', function () {
  const random = seededRandom('authors')
  let state: PatientState
  let keys: AgentKeys
  let strangerKeys: AgentKeys
  let reader: GranteeState
  let readerKeys: AgentKeys
  let readGrant: Uint8Array
  let writerKeys: AgentKeys
  let writeGrant: Uint8Array
  let events: DatedEvent[]

  const at = (event: DatedEvent['event'], timeS = NOW_S): DatedEvent => ({ event, timeS })
  const evidenceOf = (wallet: Wallet, own: AgentKeys, notAfterS = NOW_S + 365 * DAY_S): Promise<Uint8Array> =>
    granteeEvidence(own, { target: TARGET, notAfterS, signTypedData: (...data) => wallet.signTypedData(...data) })
  const record = (more: readonly DatedEvent[] = []): RecordOnChain =>
    foldRecordOnChain(TARGET, state.patient, [...events, ...more])
  const bundleUpdate = (of: AgentKeys): DatedEvent['event'] => ({
    name: 'KeyBundleUpdated',
    patient: toHex(state.patient),
    keyBundle: toHex(keyBundleDigest(of.bundleBytes))
  })

  async function grant(wallet: Wallet, to: AgentKeys, wish: Pick<GrantWish, 'rights' | 'compartments'>) {
    const signTypedData = patientWallet.signTypedData.bind(patientWallet)
    const signing = { state, keys, target: TARGET, deadlineS: NOW_S + 3600, signTypedData }
    const window = { notBefore: NOW_S, expiresAt: NOW_S + 10 * DAY_S, nowS: NOW_S }
    const terms = { grantee: addressOf(wallet), uses: UNLIMITED_USES, ...window, ...wish }
    const prepared = await prepareGrant(p, random, signing, { ...terms, bundle: to.bundleBytes, purpose: 'TREAT' })
    state = prepared.state
    const patient = toHex(state.patient)
    const grantId = toHex(prepared.grantId)
    events.push(at({ name: 'Granted', patient, grantId, terms: packTerms(terms) }))
    return prepared
  }

  /** An entry that fits in every way but, perhaps, its author: made with the keys that the reader was given to read with. */
  function entryBy({
    author,
    evidenceBytes,
    grant = null,
    day = TODAY,
    compartment = 'vitals'
  }: Forgery): ReceivedEntry {
    const key = reader.grants[0]!.keys.find(each => each.compartment === compartment)!
    const { tag, generation, cover } = key
    const place = { network: state.network, patient: state.patient, tag, generation, day, grant }
    const leafKey = leafFromCover(p, cover, day)
    return { ...sealEntry(p, random, { ...place, leafKey, author, content: CONTENT }), evidenceBytes }
  }

  async function expectRefused(code: string, forgery: Forgery, chain: RecordOnChain = record()): Promise<void> {
    const entry = entryBy(forgery)
    await expectCode(code, () => openAsPatient(p, state, entry, chain))
    await expectCode(code, () => openAsGrantee(p, reader, entry, chain))
  }

  beforeEach(async () => {
    state = createPatient(random, TARGET, addressOf(patientWallet))
    keys = await patientKeys(p, state)
    ;[strangerKeys, readerKeys, writerKeys] = await Promise.all([keysOf(9), keysOf(2), keysOf(3)])
    const patient = toHex(state.patient)
    const keyBundle = toHex(keyBundleDigest(keys.bundleBytes))
    events = [at({ name: 'PatientRegistered', patient, signer: patient, keyBundle })]
    const rights = RIGHT_READ | RIGHT_HISTORY
    const forReader = await grant(readerWallet, readerKeys, { rights, compartments: [...WRITABLE, 'labs'] })
    readGrant = forReader.grantId
    const { capsuleBytes } = forReader
    const nobody = createGrantee(state.network, addressOf(readerWallet))
    reader = await acceptCapsule(p, nobody, readerKeys, capsuleBytes, chainAgreesWith(capsuleBytes))
    writeGrant = (await grant(writerWallet, writerKeys, { rights: RIGHT_WRITE, compartments: WRITABLE })).grantId
  })

  it('is the patient, by any bundle that the chain knows of its time', async () => {
    const entry = { compartment: 'vitals', day: TODAY, content: CONTENT } as const
    const evidenceBytes = patientEvidence(keys)
    const own = { ...sealAsPatient(p, random, { state, keys }, entry), evidenceBytes }
    expect(openAsPatient(p, state, own, record()).author).to.deep.equal({ kind: 'patient' })
    const replaced = record([at(bundleUpdate(strangerKeys), NOW_S + 60)])
    expect(openAsGrantee(p, reader, own, replaced).author).to.deep.equal({ kind: 'patient' })
    const later = { author: keys, evidenceBytes, day: TODAY + 2 }
    await expectRefused('ENTRY_AUTHOR_UNPROVEN', later, replaced)
    expect(openAsPatient(p, state, entryBy(later), record()).author).to.deep.equal({ kind: 'patient' })
  })

  it('is not whoever holds a key that opens the entry', async () => {
    const evidenceBytes = patientEvidence(strangerKeys)
    await expectRefused('ENTRY_AUTHOR_UNPROVEN', { author: strangerKeys, evidenceBytes })
    await expectRefused('EVIDENCE_AUTHOR', { author: strangerKeys, evidenceBytes: patientEvidence(keys) })
    await expectRefused('EVIDENCE_MALFORMED', { author: strangerKeys, evidenceBytes: Uint8Array.of(0xff) })
    // The patient's own key, but the chain's word about someone else.
    const stranger = foldRecordOnChain(TARGET, random(32), events)
    await expectRefused('ENTRY_AUTHOR_UNPROVEN', { author: keys, evidenceBytes: patientEvidence(keys) }, stranger)
    expect(stranger.keyBundles).to.deep.equal([])
  })

  it('is a grantee with the right to write, by its address and grant', async () => {
    const evidenceBytes = await evidenceOf(writerWallet, writerKeys)
    const written = entryBy({ author: writerKeys, evidenceBytes, grant: writeGrant })
    const author = { kind: 'grantee', address: addressOf(writerWallet), grantId: writeGrant }
    expect(openAsPatient(p, state, written, record()).author).to.deep.equal(author)
    expect(openAsGrantee(p, reader, written, record()).author).to.deep.equal(author)
  })

  it('is no grantee who may only read, nor one of another grant, address or time', async () => {
    const asReader = { author: readerKeys, evidenceBytes: await evidenceOf(readerWallet, readerKeys) }
    await expectRefused('GRANT_NO_RIGHT', { ...asReader, grant: readGrant })
    await expectRefused('BINDING_ADDRESS', { ...asReader, grant: writeGrant })
    await expectRefused('ENTRY_AUTHOR_UNPROVEN', { ...asReader, grant: random(32) })
    // A grant that another patient, perhaps the forger, gave.
    const foreign = random(32)
    const terms = packTerms({
      grantee: addressOf(readerWallet),
      notBefore: 0,
      expiresAt: 2 ** 39,
      rights: 7,
      uses: 255
    })
    const patient = toHex(random(32))
    const granted = at({ name: 'Granted', patient, grantId: toHex(foreign), terms })
    await expectRefused('ENTRY_AUTHOR_UNPROVEN', { ...asReader, grant: foreign }, record([granted]))

    const asWriter = {
      author: writerKeys,
      evidenceBytes: await evidenceOf(writerWallet, writerKeys),
      grant: writeGrant
    }
    await expectRefused('ENTRY_DAY_OUTSIDE_GRANT', { ...asWriter, day: TODAY - 1 })
    await expectRefused('BINDING_ABSENT', { ...asWriter, evidenceBytes: patientEvidence(writerKeys) })
    const expired = await evidenceOf(writerWallet, writerKeys, TODAY * DAY_S - 1)
    await expectRefused('BINDING_EXPIRED', { ...asWriter, evidenceBytes: expired })
  })

  it('may write into no part of the record but its grant’s, as the patient knows', async () => {
    const evidenceBytes = await evidenceOf(writerWallet, writerKeys)
    const beside = entryBy({ author: writerKeys, evidenceBytes, grant: writeGrant, compartment: 'labs' })
    await expectCode('ENTRY_COMPARTMENT', () => openAsPatient(p, state, beside, record()))
  })

  it('may write of no day but those that its grant names, and of none after its revocation', async () => {
    const evidenceBytes = await evidenceOf(writerWallet, writerKeys)
    const written = entryBy({ author: writerKeys, evidenceBytes, grant: writeGrant })
    const { header } = decodeEntry(written.headerBytes)
    const prove = (days: DaySpan, revokedAtS: number | null = null) => {
      const held = state.grants.find(({ grantId }) => equalBytes(grantId, writeGrant))!
      const document = encodeGrantDocument({ ...decodeGrantDocument(held.document), days })
      const known = [{ grantId: writeGrant, document }]
      const grants = record().grants.map(grant => ({ ...grant, revokedAtS }))
      return proveAuthor({ header, evidenceBytes, compartment: 'vitals' }, { ...record(), grants }, known)
    }
    expect(prove({ fromDay: header.day, toDay: header.day }).kind).to.equal('grantee')
    await expectCode('ENTRY_DAY_OUTSIDE_GRANT', () => prove({ fromDay: header.day + 1, toDay: header.day + 9 }))
    const always = { fromDay: 0, toDay: 65_535 }
    expect(prove(always, (header.day - 1) * DAY_S).kind).to.equal('grantee')
    await expectCode('GRANT_REVOKED', () => prove(always, (header.day - 1) * DAY_S - 1))
  })
})
