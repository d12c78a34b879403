/** The records of the followed chain, and their keys (docs/specs/chain-index.md). */
import type { Hex } from '#core/chain/events.ts'

/** The state so far: text by key, `undefined` where there is none. */
export interface StateView {
  get(key: string): string | undefined
}

/** One write; `null` deletes the key. */
export interface Change {
  readonly key: string
  readonly value: string | null
}

/** A key bundle that was replaced. */
export interface PastKeyBundle {
  /** keccak256 of the bundle. */
  readonly digest: Hex
  /** Time of the block that replaced it, seconds since 1970. */
  readonly untilS: number
}

/** A registered patient. */
export interface PatientRecord {
  /** ERC-7913 signer. */
  readonly signer: Hex
  /** keccak256 of the current key bundle. */
  readonly keyBundle: Hex
  /** Earlier key bundles, newest first: what was written under them in their time stays valid. */
  readonly pastKeyBundles: readonly PastKeyBundle[]
  readonly epoch: number
}

/** A grant, or the tombstone of one that was revoked before it was opened (`terms` 0). */
export interface GrantRecord {
  readonly patient: Hex
  /** The packed word (core/grant/terms.ts) in hexadecimal. */
  readonly terms: Hex
  readonly usesLeft: number
  /** Times of the blocks with its claims, seconds since 1970, oldest first; fewer than 255, as the contract counts. */
  readonly claimsS: readonly number[]
  /** Time of the block that revoked it, seconds since 1970. */
  readonly revokedAtS: number | null
}

/** The newest recovery of a patient. */
export interface RecoveryRecord {
  /** ERC-7913 signer that will control the record. */
  readonly newSigner: Hex
  /** From when on it can be completed, seconds since 1970. */
  readonly readyAtS: number
  /** From when on it cannot be completed any more, seconds since 1970. */
  readonly expiresAtS: number
  /** `void`: the patient's signer did something meanwhile, a veto for example. */
  readonly state: 'open' | 'void' | 'completed'
  /** Time of the block that completed it, seconds since 1970. */
  readonly completedAtS: number | null
}

/** An emergency that was declared. */
export interface EmergencyRecord {
  readonly patient: Hex
  /** Credential of the responder. */
  readonly credential: Hex
  /** Credential of the second responder; 0 if there is none. */
  readonly secondCredential: Hex
  /** Time of the block that declared it, seconds since 1970. */
  readonly beganAtS: number
  /** Seconds since 1970; brought forward where it was ended. */
  readonly expiresAtS: number
}

/** Who holds a credential. */
export interface CredentialRecord {
  /** Address that stands for the holder's signer, 20 bytes. */
  readonly holder: Hex
}

/** A gateway and its newest anchor; `sequence` 0 before the first. */
export interface GatewayRecord {
  readonly signer: Hex
  readonly certificate: Hex
  readonly sequence: number
  readonly treeSize: number
  readonly root: Hex | null
  readonly anchoredAtS: number | null
  /** Whether it was retired by its signer, for ever. */
  readonly isRetired: boolean
}

/** Who may sign and who may stop a maker's releases. */
export interface MakerKeys {
  readonly releaseSigners: readonly Hex[]
  readonly threshold: number
  readonly guards: readonly Hex[]
}

/** A maker's keys, and those that may come in force next. */
export interface ManufacturerRecord extends MakerKeys {
  readonly proposed: MakerKeys | null
}

/** A device model; numbers of releases are 0 for none. */
export interface ModelRecord {
  readonly manufacturer: Hex
  readonly modelClass: Hex
  /** Newest published release. */
  readonly latest: number
  /** Newest release for all devices that was not taken back; it may be held. */
  readonly active: number
  /** Release offered to a share of the devices, in hundredths of a per cent; it may be held. */
  readonly staged: number
  readonly rolloutBps: number
  readonly minimum: number
}

/** A firmware release. */
export interface ReleaseRecord {
  readonly imageSha256: Hex
  readonly securityCounter: number
  readonly sizeBytes: number
  readonly manifestDigest: Hex
  readonly manifest: Hex
  /** Seconds since 1970 until which it is held; 0 for never. */
  readonly heldUntilS: number
  /** Whether it reached all devices and was not taken back. */
  readonly live: boolean
  readonly yanked: boolean
}

/** Which release an image is. */
export interface ImageRecord {
  readonly model: Hex
  readonly sequence: number
}

/** A model's image that was withdrawn for ever, whichever of its numbers the chain has been told of. */
export interface WithdrawnRecord {
  /** Time of the block, seconds since 1970. */
  readonly sinceS: number
}

/** An organisation, as far as peers are admitted by it. */
export interface OrganisationRecord {
  /** Whether governance vouches for it now. */
  readonly isAccredited: boolean
}

/** What one organisation says of a peer. */
export interface NodeListingRecord {
  readonly organisation: Hex
  /** Decimal: 64 bits do not fit a number. */
  readonly pledgedBytes: string
  /** Seconds since 1970. */
  readonly validUntilS: number
  /** The peer's own word, which the chain did not check. */
  readonly proof: Hex
  /** Whether the organisation took it off its list, for ever. */
  readonly isRetired: boolean
}

/** A peer, and the organisations that list it. */
export interface NodeRecord {
  /** Ed25519 public key, 32 bytes. */
  readonly peerKey: Hex
  /** One of each organisation, in the order of their first listing. */
  readonly listings: readonly NodeListingRecord[]
}

/** Record type by the first part of its key. */
export interface RecordTypes {
  readonly patient: PatientRecord
  readonly recovery: RecoveryRecord
  readonly emergency: EmergencyRecord
  readonly credential: CredentialRecord
  readonly grant: GrantRecord
  readonly gateway: GatewayRecord
  readonly manufacturer: ManufacturerRecord
  readonly model: ModelRecord
  readonly release: ReleaseRecord
  readonly image: ImageRecord
  readonly withdrawn: WithdrawnRecord
  readonly organisation: OrganisationRecord
  readonly node: NodeRecord
}

/** Key of a record; releases take `<model>/<sequence>` as their id, withdrawn images `<model>/<sha256>`. */
export function recordKey(kind: keyof RecordTypes, id: string): string {
  return `${kind}/${id}`
}

/** Id of a release within {@link recordKey}. */
export function releaseId(model: Hex, sequence: number): string {
  return `${model}/${String(sequence)}`
}

/** Id of a withdrawn image within {@link recordKey}. */
export function withdrawnId(model: Hex, imageSha256: Hex): string {
  return `${model}/${imageSha256}`
}

/** Reads one record of the state. */
export function readRecord<K extends keyof RecordTypes>(
  state: StateView,
  kind: K,
  id: string
): RecordTypes[K] | undefined {
  const text = state.get(recordKey(kind, id))
  return text == null ? undefined : (JSON.parse(text) as RecordTypes[K])
}
