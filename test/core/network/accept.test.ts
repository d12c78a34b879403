import { expect } from 'chai'
import { keccak256 } from 'ethers'
import { prepareRevocation } from '#core/agent/patient-revocation.ts'
import type { Hex } from '#core/chain/events.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { signRotation } from '#core/grant/rotation.ts'
import { acceptedOf, judge, type AcceptContext, type Judgement } from '#core/network/accept.ts'
import { decodeMessage, encodeMessage, type Message } from '#core/network/envelope.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { sealEntry } from '#core/record/seal-entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createDemoClinician, createDemoPatient, osRandom } from '#scripts/story/people.ts'
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

    it('refuses a grantee whose grant ended, was spent, has not begun or gives no such right', async () => {
      const message = doctorEntry(world)
      world.chain.timeS = NOON_S + 11 * 86_400
      expect(verdict(message)).to.equal('ignore GRANT_EXPIRED')
      world.chain.timeS = NOON_S - 2 * 86_400
      expect(verdict(doctorEntry(world, { day: DAY - 1 }))).to.equal('ignore GRANT_NOT_YET')
      world.chain.timeS = NOON_S
      world.chain.add({ name: 'Claimed', grantId: toHex(world.grantId), usesLeft: 0 })
      expect(verdict(message)).to.equal('ignore GRANT_SPENT')
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

    it('rejects a capsule that is not of its grant or not signed', () => {
      const grantId = toHex(world.grantId)
      const grant = world.chain.view().grant(grantId)
      const patient = toHex(world.patient.state.patient)
      const end = world.capsule.length - 1
      const broken: Message = { kind: 'capsule', network: world.network, capsule: replaceByte(world.capsule, end) }
      expect(verdict(broken)).to.equal('reject CAPSULE_SIGNATURE')
      const scope = keccak256('0x01') as Hex
      world.chain.add({ name: 'Granted', patient, grantId, terms: grant?.terms ?? 0n, scope })
      expect(verdict(capsuleMessage())).to.equal('reject CAPSULE_GRANT')
      const contracts = { ...world.deployment.contracts, AccessGrants: world.deployment.contracts.BatchAnchors }
      expect(verdict(capsuleMessage(), { deployment: { ...world.deployment, contracts } })).to.equal(
        'reject CAPSULE_CONTRACT'
      )
    })

    it('takes rotations in rising order and ignores entries under retired tags afterwards', async () => {
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

    it('does not believe another’s rotation', async () => {
      const { network, patient, deployment } = world
      const other = await createDemoPatient(deployment)
      const forged = signRotation(
        p,
        { network, patient: patient.state.patient, revision: 1, retired: [new Uint8Array(16)] },
        other.keys
      )
      expect(verdict({ kind: 'rotation', network, rotation: forged })).to.equal('ignore PATIENT_KEYS')
      const broken = replaceByte(forged, forged.length - 1)
      expect(verdict({ kind: 'rotation', network, rotation: broken })).to.equal('reject ROTATION_SIGNATURE')
    })
  })

  it('survives mutated messages without an uncaught error', async function () {
    this.timeout(120_000)
    const { network, capsule } = world
    const messages: Message[] = [doctorEntry(world), patientEntry(world), { kind: 'capsule', network, capsule }]
    for (const [i, message] of messages.entries()) {
      const { refused } = await survivesMutations(
        encodeMessage(message),
        { seed: `accept ${String(i)}`, count: 1_500 },
        bytes => ask(decodeMessage(bytes, network))
      )
      expect(refused).to.include.keys('MESSAGE_TRUNCATED', 'MESSAGE_TRAILING')
    }
  })

  it('survives messages whose parts are mutated', async function () {
    this.timeout(120_000)
    const message = doctorEntry(world)
    for (const part of ['header', 'slot', 'evidence'] as const) {
      let accepted = 0
      await survivesMutations(message[part], { seed: part, count: 1_000 }, bytes => {
        if (ask({ ...message, [part]: bytes }).verdict === 'accept') accepted++
      })
      // A mutation that changes nothing is no mutation.
      expect(accepted).to.be.below(20)
    }
  })
})
