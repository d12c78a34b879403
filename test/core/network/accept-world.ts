import { id, keccak256 } from 'ethers'
import { byContract, networkIdOfDeployment, type Deployment } from '#core/chain/deployment.ts'
import type { ChainEvent, Hex } from '#core/chain/events.ts'
import { projectEvents } from '#core/chain/projection.ts'
import type { StateView } from '#core/chain/records.ts'
import { createChainView, type ChainView } from '#core/chain/view.ts'
import { prepareGrant } from '#core/agent/patient-grant.ts'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { acceptCapsule } from '#core/agent/grantee-state.ts'
import { sealAsGrantee } from '#core/agent/grantee-entries.ts'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { revisionKey, rotationKey, type Accepted, type AcceptView, type RotationName } from '#core/network/accept.ts'
import type { EntryMessage } from '#core/network/envelope.ts'
import type { EntryInput, SealedEntry } from '#core/record/seal-entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import {
  createDemoClinician,
  createDemoPatient,
  osRandom,
  type DemoClinician,
  type DemoPatient
} from '#scripts/story/people.ts'
import { chainAgreesWith } from '#test/core/agent/chain-facts.ts'

/** Day of everything in these tests, and its noon in seconds. */
export const DAY = 20_000
export const NOON_S: number = DAY * 86_400 + 43_200

/** A deployment that is on no chain. */
export function paperDeployment(): Deployment {
  const contract = (name: string) => ({
    address: id(name).slice(0, 42) as Hex,
    codeHash: keccak256('0x') as Hex
  })
  const contracts = byContract(name => contract(name))
  const networkId = toHex(networkIdOf(1, contracts.AccessGrants.address))
  return { chainId: 1, networkId, blockNumber: 1, contracts }
}

/** A chain in a map. */
export class PaperChain {
  readonly rows: Map<string, string> = new Map()
  timeS: number = NOON_S

  get state(): StateView {
    return { get: key => this.rows.get(key) }
  }

  add(...events: ChainEvent[]): void {
    for (const { key, value } of projectEvents(this.state, events, this.timeS)) {
      if (value == null) this.rows.delete(key)
      else this.rows.set(key, value)
    }
  }

  view(): ChainView {
    return createChainView(this.state, { blockNumber: 1, blockTimeS: this.timeS })
  }
}

/** What a node already has, in maps. */
export class PaperStore implements AcceptView {
  readonly revisions: Map<string, string> = new Map()
  readonly retired: Map<string, number> = new Map()
  readonly capsules: Map<string, number> = new Map()
  readonly rotations: Set<string> = new Set()
  readonly erased: Set<string> = new Set()

  revisionOf(header: Parameters<AcceptView['revisionOf']>[0]): string | undefined {
    return this.revisions.get(revisionKey(header))
  }

  retiredDay(patient: Uint8Array, tag: Uint8Array): number | undefined {
    return this.retired.get(toHex(patient) + toHex(tag))
  }

  capsuleRevision(grantId: Uint8Array): number {
    return this.capsules.get(toHex(grantId)) ?? 0
  }

  isErased(patient: Uint8Array, name: string): boolean {
    return this.erased.has(toHex(patient) + name)
  }

  hasRotation(rotation: RotationName): boolean {
    return this.rotations.has(rotationKey(rotation))
  }

  take(accepted: Accepted): void {
    if (accepted.kind === 'entry') this.revisions.set(revisionKey(accepted.header), accepted.name)
    if (accepted.kind === 'capsule') this.capsules.set(toHex(accepted.grantId), accepted.revision)
    if (accepted.kind === 'erasure') {
      for (const name of accepted.names) this.erased.add(toHex(accepted.patient) + name)
    }
    if (accepted.kind === 'rotation') {
      const { patient, day, retired } = accepted
      this.rotations.add(rotationKey(accepted))
      for (const tag of retired) {
        const known = this.retiredDay(patient, tag) ?? day
        this.retired.set(toHex(patient) + toHex(tag), Math.min(known, day))
      }
    }
  }
}

/** A patient and a doctor who may write vitals, on a paper chain. */
export interface AcceptWorld {
  readonly deployment: Deployment
  readonly network: Uint8Array
  readonly chain: PaperChain
  readonly store: PaperStore
  readonly patient: DemoPatient
  readonly doctor: DemoClinician
  readonly grantId: Uint8Array
  readonly capsule: Uint8Array
}

/** Makes the world. */
export async function createAcceptWorld(rights = 7, uses = 255): Promise<AcceptWorld> {
  const deployment = paperDeployment()
  const chain = new PaperChain()
  const patient = await createDemoPatient(deployment)
  const doctor = await createDemoClinician(deployment)
  const id = toHex(patient.state.patient)
  chain.add({
    name: 'PatientRegistered',
    patient: id,
    signer: '0x',
    keyBundle: keccak256(patient.keys.bundleBytes) as Hex
  })
  const signing = { ...patient, target: deployment, deadlineS: NOON_S + 3600 }
  const prepared = await prepareGrant(p, osRandom, signing, {
    grantee: doctor.address,
    bundle: doctor.keys.bundleBytes,
    rights,
    uses,
    notBefore: NOON_S - 86_400,
    expiresAt: NOON_S + 10 * 86_400,
    compartments: ['vitals'],
    purpose: 'treatment',
    nowS: NOON_S
  })
  patient.state = prepared.state
  chain.add(grantedEvent(id, prepared.grantId, prepared.call.args))
  const onChain = chainAgreesWith(prepared.capsuleBytes)
  doctor.state = await acceptCapsule(p, doctor.state, doctor.keys, prepared.capsuleBytes, onChain)
  const network = networkIdOfDeployment(deployment)
  const { grantId, capsuleBytes: capsule } = prepared
  return { deployment, network, chain, store: new PaperStore(), patient, doctor, grantId, capsule }
}

/** The event that the contract emits for a grant's call. */
export function grantedEvent(patient: Hex, grantId: Uint8Array, args: readonly unknown[]): ChainEvent {
  const [, terms] = args
  return { name: 'Granted', patient, grantId: toHex(grantId), terms: BigInt(terms as string) }
}

/** The message of a sealed entry. */
export function entryMessage(network: Uint8Array, sealed: SealedEntry, evidence: Uint8Array): EntryMessage {
  const { headerBytes: header, slotBytes: slot, blob } = sealed
  return { kind: 'entry', network, header, slot, evidence, blob }
}

type Wish = Partial<Pick<EntryInput, 'day' | 'entry' | 'revision' | 'parents'>>

/** A note by the patient. */
export function patientEntry(world: AcceptWorld, wish: Wish = {}): EntryMessage {
  const sealed = sealAsPatient(p, osRandom, world.patient, { ...note(), ...wish })
  return entryMessage(world.network, sealed, world.patient.evidence)
}

/** A note by the doctor, under the grant. */
export function doctorEntry(world: AcceptWorld, wish: Wish = {}): EntryMessage {
  const by = { state: world.doctor.state, keys: world.doctor.keys, patient: world.patient.state.patient }
  const sealed = sealAsGrantee(p, osRandom, by, { ...note(), ...wish })
  return entryMessage(world.network, sealed, world.doctor.evidence)
}

function note() {
  const content = { type: 'text/plain', recordedAtMs: NOON_S * 1000, body: utf8('seventy-two') }
  return { compartment: 'vitals', day: DAY, content } as const
}
