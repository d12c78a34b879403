import { expect } from 'chai'
import { keccak256 } from 'ethers'
import { capsuleOf } from '#core/agent/patient-capsule.ts'
import { prepareRevocation } from '#core/agent/patient-revocation.ts'
import type { Hex } from '#core/chain/events.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { MAX_ROTATION_REVISION, signRotation, type Rotation } from '#core/grant/rotation.ts'
import { decodeEvidence, encodeEvidence } from '#core/identity/evidence.ts'
import { acceptedOf, judge, type AcceptContext, type Judgement } from '#core/network/accept.ts'
import { decodeMessage, encodeMessage, type Message } from '#core/network/envelope.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { sealEntry } from '#core/record/seal-entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createDemoClinician, createDemoPatient, osRandom, type DemoPatient } from '#scripts/story/people.ts'
import {
  createAcceptWorld,
  DAY,
  doctorEntry,
  entryMessage,
  NOON_S,
  patientEntry,
  type AcceptWorld
} from '#test/core/network/accept-world.ts'
import { survivesMutations } from '#test/mutations.ts'

describe('acceptance of messages', () => {
  let world: AcceptWorld

  beforeEach(async () => {
    world = await createAcceptWorld()
  })

  function ask(message: Message, change: Partial<AcceptContext> = {}): Judgement {
    const { deployment, chain, store } = world
    return judge(message, { p, deployment, chain: chain.view(), store, provenance: 'live', ...change })
  }

  /** Verdict and code in one word. */
  function verdict(message: Message, change: Partial<AcceptContext> = {}): string {
    const judgement = ask(message, change)
    return judgement.verdict === 'accept' ? 'accept' : `${judgement.verdict} ${judgement.code}`
  }

  function revoke(): void {
    const { patient, grantId, chain } = world
    chain.add({ name: 'Revoked', patient: toHex(patient.state.patient), grantId: toHex(grantId) })
  }

  /** Judges, and keeps what is taken. */
  function take(message: Message, change: Partial<AcceptContext> = {}): string {
    const judgement = ask(message, change)
    if (judgement.verdict === 'accept') world.store.take(judgement.accepted)
    return judgement.verdict === 'accept' ? 'accept' : `${judgement.verdict} ${judgement.code}`
  }

  /** Puts other keys of the patient on the chain. */
  async function replaceKeys(atS: number): Promise<DemoPatient> {
    const fresh = await createDemoPatient(world.deployment)
    const keyBundle = keccak256(fresh.keys.bundleBytes) as Hex
    world.chain.timeS = atS
    world.chain.add({ name: 'KeyBundleUpdated', patient: toHex(world.patient.state.patient), keyBundle })
    return fresh
  }

  function rotation(change: Partial<Rotation>, keys: DemoPatient['keys'] = world.patient.keys): Message {
    const { network, patient } = world
    const whole = { network, patient: patient.state.patient, revision: 1, day: DAY, retired: [], ...change }
    return { kind: 'rotation', network, rotation: signRotation(p, whole, keys) }
  }

  function replaceByte(bytes: Uint8Array, at: number): Uint8Array {
    const out = bytes.slice()
    out[at] = (out[at] ?? 0) ^ 1
    return out
  }

  describe('of entries', () => {
    it('takes the patient’s own and a grantee’s with the right to write', () => {
      expect(verdict(patientEntry(world))).to.equal('accept')
      expect(verdict(doctorEntry(world))).to.equal('accept')
      expect(verdict({ ...patientEntry(world), blob: null })).to.equal('accept')
    })

    it('remembers of a taken message what can be read from it again', () => {
      const message = doctorEntry(world)
      const judgement = ask(message)
      expect(judgement.verdict === 'accept' && judgement.accepted).to.deep.equal(acceptedOf(message))
    })

    it('rejects one whose header, slot or blob is not its author’s', () => {
      const message = patientEntry(world)
      const other = patientEntry(world)
      const end = message.header.length - 1
      expect(verdict({ ...message, header: replaceByte(message.header, end) })).to.equal('reject ENTRY_SIGNATURE')
      expect(verdict({ ...message, slot: other.slot })).to.equal('reject SLOT_ENTRY')
      expect(verdict({ ...message, slot: replaceByte(message.slot, message.slot.length - 1) })).to.equal(
        'reject SLOT_SIGNATURE'
      )
      expect(verdict({ ...message, blob: other.blob })).to.equal('reject BLOB_DIGEST')
      expect(verdict({ ...message, blob: Uint8Array.of(1) })).to.equal('reject BLOB_SIZE')
      expect(verdict({ ...message, evidence: world.doctor.evidence })).to.equal('reject EVIDENCE_AUTHOR')
    })

    it('waits for a patient, keys or a grant that the chain does not have yet', async () => {
      const message = patientEntry(world)
      const byDoctor = doctorEntry(world)
      const rows = new Map(world.chain.rows)
      world.chain.rows.clear()
      expect(ask(message)).to.include({ verdict: 'ignore', code: 'PATIENT_UNKNOWN', retry: true })
      expect(ask(byDoctor)).to.include({ verdict: 'ignore', code: 'GRANT_UNKNOWN', retry: true })
      for (const [key, value] of rows) world.chain.rows.set(key, value)
      const stranger = await createDemoPatient(world.deployment)
      const keyBundle = keccak256(stranger.keys.bundleBytes) as Hex
      world.chain.add({ name: 'KeyBundleUpdated', patient: toHex(world.patient.state.patient), keyBundle })
      expect(ask(message)).to.include({ verdict: 'ignore', code: 'PATIENT_KEYS', retry: true })
      // Out of another peer's log it may be of the time before.
      expect(verdict(message, { provenance: 'replicated' })).to.equal('accept')
    })

    it('takes nothing dated after the day on which the patient’s keys were replaced, by whatever way it comes', async () => {
      const fresh = await replaceKeys(NOON_S + 86_400)
      world.chain.timeS = NOON_S + 30 * 86_400
      const dated = (day: number): string => verdict(patientEntry(world, { day }), { provenance: 'replicated' })
      expect(verdict(patientEntry(world, { day: DAY + 30 }))).to.equal('ignore PATIENT_KEYS')
      expect(dated(DAY + 30)).to.equal('ignore PATIENT_KEYS')
      expect(dated(DAY + 2)).to.equal('ignore PATIENT_KEYS')
      expect(dated(DAY + 1)).to.equal('accept')
      const { keys, evidence } = fresh
      const next = patientEntry({ ...world, patient: { ...world.patient, keys, evidence } }, { day: DAY + 30 })
      expect(verdict(next)).to.equal('accept')
    })

    it('opens a counted grant for ten minutes of the chain’s time after each claim', async () => {
      world = await createAcceptWorld(7, 2)
      const claim = (usesLeft: number): void =>
        world.chain.add({ name: 'Claimed', grantId: toHex(world.grantId), usesLeft })
      const message = doctorEntry(world)
      const past = { provenance: 'replicated' } as const
      expect(ask(message)).to.include({ verdict: 'ignore', code: 'GRANT_UNCLAIMED', retry: true })
      expect(verdict(message, past)).to.equal('ignore GRANT_UNCLAIMED')
      claim(1)
      expect(verdict(message)).to.equal('accept')
      world.chain.timeS = NOON_S + 599
      expect(verdict(message)).to.equal('accept')
      world.chain.timeS = NOON_S + 600
      expect(verdict(message)).to.equal('ignore GRANT_UNCLAIMED')
      claim(0)
      expect(verdict(message)).to.equal('accept')
      world.chain.timeS = NOON_S + 1_200
      expect(verdict(message)).to.equal('ignore GRANT_SPENT')
      world.chain.timeS = NOON_S + 3 * 86_400
      expect(verdict(message, past)).to.equal('accept')
      expect(verdict(doctorEntry(world, { day: DAY + 1 }), past)).to.equal('ignore GRANT_SPENT')
    })

    it('refuses a grantee whose grant ended, has not begun or gives no such right', async () => {
      const message = doctorEntry(world)
      world.chain.timeS = NOON_S + 11 * 86_400
      expect(verdict(message)).to.equal('ignore GRANT_EXPIRED')
      world.chain.timeS = NOON_S - 2 * 86_400
      expect(verdict(doctorEntry(world, { day: DAY - 1 }))).to.equal('ignore GRANT_NOT_YET')
      world.chain.timeS = NOON_S
      revoke()
      expect(verdict(message)).to.equal('ignore GRANT_REVOKED')
      const sealed = doctorEntry(world)
      world = await createAcceptWorld(1)
      expect(verdict(sealed)).to.equal('ignore GRANT_UNKNOWN')
    })

    it('takes out of another log what was written before the grant ended, and nothing later', () => {
      const before = doctorEntry(world)
      const after = doctorEntry(world, { day: DAY + 2 })
      world.chain.timeS = NOON_S + 86_400
      revoke()
      world.chain.timeS = NOON_S + 5 * 86_400
      expect(verdict(before)).to.equal('ignore GRANT_REVOKED')
      expect(verdict(before, { provenance: 'replicated' })).to.equal('accept')
      expect(verdict(after, { provenance: 'replicated' })).to.equal('ignore GRANT_REVOKED')
    })

    it('rejects a day outside the grant and waits for one that has not come', () => {
      expect(verdict(doctorEntry(world, { day: DAY + 3 }))).to.equal('ignore ENTRY_DAY_FUTURE')
      // No cover reaches that day: the author makes up a leaf key, which a node cannot see.
      const { header } = decodeEntry(doctorEntry(world).header)
      const { network, patient, tag, generation } = header
      const place = { network, patient, tag, generation, grant: world.grantId, day: DAY + 11, leafKey: osRandom(32) }
      const content = { type: 'text/plain', recordedAtMs: NOON_S * 1000, body: new Uint8Array(1) }
      const sealed = sealEntry(p, osRandom, { ...place, author: world.doctor.keys, content })
      world.chain.timeS = NOON_S + 9.9 * 86_400
      expect(verdict(entryMessage(network, sealed, world.doctor.evidence))).to.equal('reject ENTRY_DAY_OUTSIDE_GRANT')
    })

    it('rejects another’s key binding', async () => {
      const other = await createDemoClinician(world.deployment)
      const { keys } = world.doctor
      const message = doctorEntry({ ...world, doctor: { ...world.doctor, keys: other.keys, evidence: other.evidence } })
      expect(verdict(message)).to.equal('reject BINDING_ADDRESS')
      expect(keys).to.not.equal(other.keys)
      expect(verdict({ ...doctorEntry(world), evidence: world.patient.evidence })).to.equal('reject EVIDENCE_AUTHOR')
    })

    it('refuses a second header for one revision, and a revision that follows nothing', () => {
      const first = patientEntry(world)
      const judgement = ask(first)
      if (judgement.verdict === 'accept') world.store.take(judgement.accepted)
      expect(verdict(first)).to.equal('accept')
      const { header, cid } = decodeEntry(first.header)
      expect(verdict(patientEntry(world, { entry: header.entry }))).to.equal('ignore ENTRY_REVISION_USED')
      expect(verdict(patientEntry(world, { entry: header.entry, revision: 2 }))).to.equal('reject ENTRY_REVISION')
      const next = patientEntry(world, { entry: header.entry, revision: 2, parents: [cid] })
      expect(verdict(next)).to.equal('accept')
    })

    it('takes another header for a revision that was erased, and the erased one no more', () => {
      const first = patientEntry(world)
      const judgement = ask(first)
      if (judgement.verdict === 'accept') world.store.take(judgement.accepted)
      const { header, cid } = decodeEntry(first.header)
      world.store.take({ kind: 'erasure', patient: header.patient, names: [cid.toString()] })
      expect(verdict(patientEntry(world, { entry: header.entry }))).to.equal('accept')
      expect(verdict(first)).to.equal('ignore ENTRY_ERASED')
    })

    it('rejects another network', () => {
      const deployment = { ...world.deployment, chainId: 2 }
      expect(verdict(patientEntry(world), { deployment })).to.equal('reject ENTRY_NETWORK')
    })
  })

  describe('of capsules and rotations', () => {
    const capsuleMessage = (): Message => ({ kind: 'capsule', network: world.network, capsule: world.capsule })

    it('takes a capsule once and only while its grant lives', () => {
      const judgement = ask(capsuleMessage())
      expect(judgement.verdict).to.equal('accept')
      if (judgement.verdict === 'accept') world.store.take(judgement.accepted)
      expect(verdict(capsuleMessage())).to.equal('ignore CAPSULE_STALE')
      revoke()
      expect(verdict(capsuleMessage())).to.equal('ignore GRANT_REVOKED')
      world.chain.rows.delete(`grant/${toHex(world.grantId)}`)
      expect(ask(capsuleMessage())).to.include({ code: 'GRANT_UNKNOWN', retry: true })
    })

    it('rejects a capsule that is not of its grant or not signed', async () => {
      const grantId = toHex(world.grantId)
      const grant = world.chain.view().grant(grantId)
      const patient = toHex(world.patient.state.patient)
      const end = world.capsule.length - 1
      const broken: Message = { kind: 'capsule', network: world.network, capsule: replaceByte(world.capsule, end) }
      expect(verdict(broken)).to.equal('reject CAPSULE_SIGNATURE')
      world.chain.add({ name: 'Granted', patient, grantId, terms: (grant?.terms ?? 0n) ^ (1n << 240n) })
      expect(verdict(capsuleMessage())).to.equal('reject CAPSULE_GRANT')
      const target = { chainId: 1, contracts: { AccessGrants: world.deployment.contracts.BatchAnchors } }
      const from = { ...world.patient, target }
      const elsewhere = await capsuleOf(p, osRandom, from, world.patient.state.grants[0]!)
      expect(verdict({ kind: 'capsule', network: world.network, capsule: elsewhere })).to.equal(
        'reject CAPSULE_CONTRACT'
      )
    })

    it('takes each rotation once and ignores entries under retired tags afterwards', async () => {
      const message = patientEntry(world)
      const { patient, deployment, grantId, network } = world
      const signing = { ...patient, target: deployment, deadlineS: NOON_S + 3600 }
      const prepared = await prepareRevocation(p, osRandom, signing, { grantId, nowS: NOON_S })
      const rotation: Message = { kind: 'rotation', network, rotation: prepared.rotationBytes }
      const judgement = ask(rotation)
      expect(judgement.verdict === 'accept' && judgement.accepted).to.deep.equal(acceptedOf(rotation))
      if (judgement.verdict === 'accept') world.store.take(judgement.accepted)
      expect(verdict(rotation)).to.equal('ignore ROTATION_STALE')
      expect(verdict(message)).to.equal('ignore ENTRY_RETIRED')
      patient.state = prepared.state
      expect(verdict(patientEntry(world))).to.equal('accept')
    })

    it('keeps the history under a retired tag, though the rotation came first', () => {
      const { tag } = decodeEntry(patientEntry(world).header).header
      world.chain.timeS = NOON_S + 5 * 86_400
      expect(take(rotation({ day: DAY + 2, retired: [tag] }))).to.equal('accept')
      const replicated = (day: number): string => verdict(patientEntry(world, { day }), { provenance: 'replicated' })
      expect(replicated(DAY)).to.equal('accept')
      expect(replicated(DAY + 2)).to.equal('accept')
      expect(replicated(DAY + 3)).to.equal('ignore ENTRY_RETIRED')
      expect(verdict(patientEntry(world))).to.equal('ignore ENTRY_RETIRED')
      // Another rotation with the tag: the earlier day counts.
      expect(take(rotation({ revision: 2, day: DAY + 4, retired: [tag] }))).to.equal('accept')
      expect(replicated(DAY + 3)).to.equal('ignore ENTRY_RETIRED')
      expect(take(rotation({ revision: 3, day: DAY + 1, retired: [tag] }))).to.equal('accept')
      expect(replicated(DAY + 2)).to.equal('ignore ENTRY_RETIRED')
    })

    it('takes rotations in any order, but none of a day to come', () => {
      const { tag } = decodeEntry(patientEntry(world).header).header
      expect(take(rotation({ revision: 2, retired: [new Uint8Array(16)] }))).to.equal('accept')
      expect(verdict(patientEntry(world))).to.equal('accept')
      expect(take(rotation({ revision: 1, retired: [tag] }))).to.equal('accept')
      expect(verdict(patientEntry(world))).to.equal('ignore ENTRY_RETIRED')
      expect(take(rotation({ revision: 1, retired: [] }))).to.equal('ignore ROTATION_STALE')
      const early = rotation({ revision: 3, day: DAY + 2 })
      expect(ask(early)).to.include({ verdict: 'ignore', code: 'ROTATION_DAY_FUTURE', retry: true })
    })

    it('takes a rotation under replaced keys only out of another log, dated no later than the keys', async () => {
      const revision = MAX_ROTATION_REVISION
      const live = rotation({ revision, day: DAY + 1 })
      const late = rotation({ revision, day: DAY + 2 })
      const { keys } = await replaceKeys(NOON_S + 86_400)
      world.chain.timeS = NOON_S + 30 * 86_400
      expect(verdict(live)).to.equal('ignore PATIENT_KEYS')
      expect(verdict(late, { provenance: 'replicated' })).to.equal('ignore PATIENT_KEYS')
      expect(take(live, { provenance: 'replicated' })).to.equal('accept')
      // Numbers that were used under the old keys are free under the new ones.
      expect(take(rotation({ revision: 1 }, keys))).to.equal('accept')
      expect(take(rotation({ revision }, keys))).to.equal('accept')
      expect(take(rotation({ revision }, keys))).to.equal('ignore ROTATION_STALE')
      expect(verdict(capsuleMessage(), { provenance: 'replicated' })).to.equal('ignore PATIENT_KEYS')
    })

    it('does not believe another’s rotation', async () => {
      const { network, patient, deployment } = world
      const other = await createDemoPatient(deployment)
      const forged = signRotation(
        p,
        { network, patient: patient.state.patient, revision: 3, day: DAY, retired: [new Uint8Array(16)] },
        other.keys
      )
      expect(verdict({ kind: 'rotation', network, rotation: forged })).to.equal('ignore PATIENT_KEYS')
      const broken = replaceByte(forged, forged.length - 1)
      expect(verdict({ kind: 'rotation', network, rotation: broken })).to.equal('reject ROTATION_SIGNATURE')
    })
  })

  /** Judges mutations of a valid part, and makes sure that no other bytes than the valid ones are taken. */
  async function takesNoOther(
    valid: Uint8Array,
    options: { readonly seed: string; readonly count: number },
    judgeBytes: (bytes: Uint8Array) => Judgement
  ): Promise<Record<string, number>> {
    expect(judgeBytes(valid).verdict).to.equal('accept')
    const { refused } = await survivesMutations(valid, options, bytes => {
      if (judgeBytes(bytes).verdict !== 'accept' || equalBytes(bytes, valid)) return
      throw new Error('a forged message was taken')
    })
    return refused
  }

  it('takes no mutated message, and none makes an uncaught error', async function () {
    this.timeout(240_000)
    const { network, capsule } = world
    const messages: Message[] = [
      doctorEntry(world),
      patientEntry(world),
      { kind: 'capsule', network, capsule },
      rotation({ retired: [new Uint8Array(16)] })
    ]
    for (const [i, message] of messages.entries()) {
      const options = { seed: `accept ${String(i)}`, count: 5_000 }
      const refused = await takesNoOther(encodeMessage(message), options, bytes => ask(decodeMessage(bytes, network)))
      expect(refused).to.include.keys('MESSAGE_TRUNCATED', 'MESSAGE_TRAILING')
    }
  })

  it('takes no message with a mutated part', async function () {
    this.timeout(240_000)
    const message = doctorEntry(world)
    for (const part of ['header', 'slot', 'evidence'] as const) {
      await takesNoOther(message[part], { seed: part, count: 4_000 }, bytes => ask({ ...message, [part]: bytes }))
    }
  })

  it('takes a key binding in one form only', () => {
    const message = doctorEntry(world)
    const { bundle, binding } = decodeEvidence(message.evidence)
    const forms = [0, 1, 27, 28, 29, 35, 36, 37, 38].map(v => {
      const signature = binding?.signature.slice() ?? new Uint8Array(65)
      signature[64] = v
      return { ...message, evidence: encodeEvidence({ bundle, binding: { notAfter: 0, ...binding, signature } }) }
    })
    expect(forms.filter(each => verdict(each) === 'accept')).to.have.length(1)
  })
})
