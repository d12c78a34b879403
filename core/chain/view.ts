/** What the followed chain says, as the rules of acceptance and the HTTP API ask it (docs/specs/chain-index.md). */
import type { Hex } from '#core/chain/events.ts'
import {
  readRecord,
  releaseId,
  withdrawnId,
  type CredentialRecord,
  type EmergencyRecord,
  type GatewayRecord,
  type GrantRecord,
  type ImageRecord,
  type ManufacturerRecord,
  type ModelRecord,
  type NodeRecord,
  type PatientRecord,
  type RecoveryRecord,
  type ReleaseRecord,
  type StateView
} from '#core/chain/records.ts'

/** A registered patient. */
export type PatientOnChain = PatientRecord

/** A grant, with its terms as the contract's word. */
export interface GrantOnChain extends Omit<GrantRecord, 'terms'> {
  readonly terms: bigint
}

/** A device model; what is held at the block's time is neither active nor staged. */
export type ModelOnChain = ModelRecord

/** The block up to which the chain was followed. */
export interface FollowedBlock {
  readonly blockNumber: number
  /** Time of that block, seconds since 1970. */
  readonly blockTimeS: number
}

/** The chain at one followed block; ids are lower-case hexadecimal with `0x`. */
export interface ChainView extends FollowedBlock {
  patient(id: Hex): PatientOnChain | undefined
  grant(id: Hex): GrantOnChain | undefined
  /** The newest recovery of a patient. */
  recovery(patient: Hex): RecoveryRecord | undefined
  emergency(id: Hex): EmergencyRecord | undefined
  credential(id: Hex): CredentialRecord | undefined
  gateway(id: Hex): GatewayRecord | undefined
  manufacturer(id: Hex): ManufacturerRecord | undefined
  model(id: Hex): ModelOnChain | undefined
  release(model: Hex, sequence: number): ReleaseRecord | undefined
  /** Whether a model's image was withdrawn for ever, under whichever number. */
  isWithdrawn(model: Hex, imageSha256: Hex): boolean
  /** The release that an image with this SHA-256 is. */
  image(sha256: Hex): ImageRecord | undefined
  /** A peer of a consortium by its id in the registry, with what every organisation says of it. */
  node(id: Hex): NodeRecord | undefined
  /** Whether governance vouches for an organisation. */
  isAccredited(organisation: Hex): boolean
}

/** A view of a state that stays what it is while the view is used. */
export function createChainView(state: StateView, block: FollowedBlock): ChainView {
  return {
    blockNumber: block.blockNumber,
    blockTimeS: block.blockTimeS,
    patient: id => readRecord(state, 'patient', id),
    grant: id => {
      const record = readRecord(state, 'grant', id)
      return record == null ? undefined : { ...record, terms: BigInt(record.terms) }
    },
    recovery: patient => readRecord(state, 'recovery', patient),
    emergency: id => readRecord(state, 'emergency', id),
    credential: id => readRecord(state, 'credential', id),
    gateway: id => readRecord(state, 'gateway', id),
    manufacturer: id => readRecord(state, 'manufacturer', id),
    model: id => {
      const record = readRecord(state, 'model', id)
      return record == null ? undefined : withoutHeld(state, id, record, block.blockTimeS)
    },
    release: (model, sequence) => readRecord(state, 'release', releaseId(model, sequence)),
    isWithdrawn: (model, imageSha256) => readRecord(state, 'withdrawn', withdrawnId(model, imageSha256)) != null,
    image: sha256 => readRecord(state, 'image', sha256),
    node: id => readRecord(state, 'node', id),
    isAccredited: organisation => readRecord(state, 'organisation', organisation)?.isAccredited === true
  }
}

function withoutHeld(state: StateView, model: Hex, record: ModelRecord, timeS: number): ModelRecord {
  const release = (sequence: number): ReleaseRecord | undefined =>
    readRecord(state, 'release', releaseId(model, sequence))
  const isHeld = (sequence: number): boolean => (release(sequence)?.heldUntilS ?? 0) > timeS
  let { active } = record
  while (active > 0 && (isHeld(active) || release(active)?.live !== true || active < record.minimum)) active--
  // What closes fewer holes than what is held does not take its place.
  if ((release(active)?.securityCounter ?? 0) < (release(record.active)?.securityCounter ?? 0)) active = 0
  return isHeld(record.staged) ? { ...record, active, staged: 0, rolloutBps: 0 } : { ...record, active }
}
