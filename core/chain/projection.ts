/**
 * The chain's events folded into a small key-value state, with the changes that take each block back again
 * (docs/specs/chain-index.md). Pure: the follower keeps the state on disk, tests keep it in a map.
 */
import type { ChainEvent, Hex } from '#core/chain/events.ts'

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

/** Most earlier key bundles that a patient's record remembers. */
export const MAX_PAST_KEY_BUNDLES: number = 32

const ZERO: Hex = `0x${'00'.repeat(32)}`

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

/**
 * What a block's events change, in the order of the keys' first change; one change a key.
 *
 * @param blockTimeS - the block's time, seconds since 1970
 */
export function projectEvents(state: StateView, events: readonly ChainEvent[], blockTimeS: number): Change[] {
  const changes = new Map<string, string>()
  const overlay: StateView = { get: key => changes.get(key) ?? state.get(key) }
  const write = <K extends keyof RecordTypes>(kind: K, id: string, record: RecordTypes[K]): void => {
    changes.set(recordKey(kind, id), JSON.stringify(record))
  }
  for (const event of events) applyEvent(overlay, event, blockTimeS, write)
  return Array.from(changes, ([key, value]) => ({ key, value }))
}

/** The changes that take `changes` back, to be computed before they are written. */
export function undoOf(state: StateView, changes: readonly Change[]): Change[] {
  return changes.map(({ key }) => ({ key, value: state.get(key) ?? null }))
}

type Write = <K extends keyof RecordTypes>(kind: K, id: string, record: RecordTypes[K]) => void

function applyEvent(state: StateView, event: ChainEvent, blockTimeS: number, write: Write): void {
  /** Changes an existing record; the contracts emit no event about a thing before the one that makes it. */
  const update = <K extends keyof RecordTypes>(kind: K, id: string, change: Partial<RecordTypes[K]>): void => {
    const record = readRecord(state, kind, id)
    if (record != null) write(kind, id, { ...record, ...change })
  }
  /** Whatever the present signer does with a nonce voids the recovery under way. */
  const voidRecovery = (patient: Hex): void => {
    if (readRecord(state, 'recovery', patient)?.state === 'open') update('recovery', patient, { state: 'void' })
  }
  switch (event.name) {
    case 'PatientRegistered': {
      const { signer, keyBundle } = event
      write('patient', event.patient, { signer, keyBundle, pastKeyBundles: [], epoch: 0 })
      break
    }
    case 'KeyBundleUpdated': {
      voidRecovery(event.patient)
      const record = readRecord(state, 'patient', event.patient)
      if (record == null) break
      const replaced = { digest: record.keyBundle, untilS: blockTimeS }
      const pastKeyBundles = [replaced, ...record.pastKeyBundles].slice(0, MAX_PAST_KEY_BUNDLES)
      write('patient', event.patient, { ...record, keyBundle: event.keyBundle, pastKeyBundles })
      break
    }
    case 'SignerRotated': {
      const recovery = readRecord(state, 'recovery', event.patient)
      const isRecovered =
        recovery?.state === 'open' &&
        recovery.newSigner === event.newSigner &&
        blockTimeS >= recovery.readyAtS &&
        blockTimeS < recovery.expiresAtS
      if (isRecovered) update('recovery', event.patient, { state: 'completed', completedAtS: blockTimeS })
      else voidRecovery(event.patient)
      update('patient', event.patient, { signer: event.newSigner, epoch: event.epoch })
      break
    }
    case 'GuardiansSet':
    case 'RecoveryVetoed':
      voidRecovery(event.patient)
      break
    case 'RecoveryOpened': {
      const { newSigner, readyAt, expiresAt } = event
      const times = { readyAtS: readyAt, expiresAtS: expiresAt, completedAtS: null }
      write('recovery', event.patient, { newSigner, ...times, state: 'open' })
      break
    }
    case 'GlassBroken': {
      const { patient, credential, secondCredential, expiresAt } = event
      const times = { beganAtS: blockTimeS, expiresAtS: expiresAt }
      write('emergency', event.emergency, { patient, credential, secondCredential, ...times })
      break
    }
    case 'EmergencyEnded': {
      const expiresAtS = readRecord(state, 'emergency', event.emergency)?.expiresAtS ?? blockTimeS
      update('emergency', event.emergency, { expiresAtS: Math.min(expiresAtS, blockTimeS) })
      break
    }
    case 'EmergencyDisputed':
    case 'EmergencyReviewed':
      // No rule asks for them; agents read them themselves.
      break
    case 'CredentialIssued':
      write('credential', event.credential, { holder: addressOf(event.terms) })
      break
    case 'Granted': {
      const { patient } = event
      const usesLeft = Number(event.terms >> 248n)
      write('grant', event.grantId, {
        patient,
        terms: hexWord(event.terms),
        usesLeft,
        claimsS: [],
        // An id is granted once: what says so again, after its end, is no honest chain's.
        revokedAtS: readRecord(state, 'grant', event.grantId)?.revokedAtS ?? null
      })
      break
    }
    case 'Revoked': {
      const record = readRecord(state, 'grant', event.grantId)
      const tombstone = { patient: event.patient, terms: ZERO, usesLeft: 0, claimsS: [] }
      write('grant', event.grantId, { ...(record ?? tombstone), revokedAtS: blockTimeS })
      break
    }
    case 'Claimed': {
      const claimsS = readRecord(state, 'grant', event.grantId)?.claimsS ?? []
      update('grant', event.grantId, { usesLeft: event.usesLeft, claimsS: [...claimsS, blockTimeS] })
      break
    }
    case 'GatewayRegistered': {
      const { signer, certificate } = event
      // As with grants: an end is for ever.
      const isRetired = readRecord(state, 'gateway', event.gateway)?.isRetired ?? false
      const start = { sequence: 0, treeSize: 0, root: null, anchoredAtS: null, isRetired }
      write('gateway', event.gateway, { signer, certificate, ...start })
      break
    }
    case 'GatewayRotated':
      update('gateway', event.gateway, { signer: event.newSigner, certificate: event.certificate })
      break
    case 'GatewayRetired':
      update('gateway', event.gateway, { isRetired: true })
      break
    case 'Anchored': {
      const { sequence, treeSize, root } = event
      update('gateway', event.gateway, { sequence, treeSize, root, anchoredAtS: blockTimeS })
      break
    }
    case 'ManufacturerRegistered': {
      const { releaseSigners, threshold, guards } = event
      write('manufacturer', event.manufacturer, { releaseSigners, threshold, guards, proposed: null })
      break
    }
    case 'RotationProposed': {
      const { releaseSigners, threshold, guards } = event
      update('manufacturer', event.manufacturer, { proposed: { releaseSigners, threshold, guards } })
      break
    }
    case 'RotationCancelled':
      update('manufacturer', event.manufacturer, { proposed: null })
      break
    case 'KeysetsRotated': {
      const proposed = readRecord(state, 'manufacturer', event.manufacturer)?.proposed
      update('manufacturer', event.manufacturer, { ...proposed, proposed: null })
      break
    }
    case 'ModelRegistered': {
      const { manufacturer, modelClass } = event
      write('model', event.model, {
        manufacturer,
        modelClass,
        latest: 0,
        active: 0,
        staged: 0,
        rolloutBps: 0,
        minimum: 0
      })
      break
    }
    case 'ReleasePublished': {
      const { model, sequence, imageSha256, securityCounter, sizeBytes, manifestDigest, manifest } = event
      const release = { imageSha256, securityCounter, sizeBytes, manifestDigest, manifest }
      write('release', releaseId(model, sequence), { ...release, heldUntilS: 0, live: false, yanked: false })
      write('image', imageSha256, { model, sequence })
      update('model', model, { latest: sequence })
      break
    }
    case 'ReleaseHeld':
    case 'ReleaseUnheld':
      update('release', releaseId(event.model, event.sequence), { heldUntilS: event.heldUntil })
      break
    case 'ImageYanked':
      write('withdrawn', withdrawnId(event.model, event.imageSha256), { sinceS: blockTimeS })
      break
    case 'ReleaseYanked':
      update('release', releaseId(event.model, event.sequence), { yanked: true, live: false })
      break
    case 'RolloutChanged': {
      // A share of nought is a rollout cut to nobody, or the end of one that was yanked just before.
      const yanked = readRecord(state, 'release', releaseId(event.model, event.sequence))?.yanked
      const isPartial = event.bps < 10_000 && yanked !== true
      const staged = isPartial ? { staged: event.sequence, rolloutBps: event.bps } : { staged: 0, rolloutBps: 0 }
      update('model', event.model, staged)
      break
    }
    case 'ActiveChanged': {
      const before = readRecord(state, 'model', event.model)?.active ?? 0
      // Falling back to an older one means that the newer one was taken back.
      if (event.sequence < before) update('release', releaseId(event.model, before), { live: false })
      if (event.sequence > 0) update('release', releaseId(event.model, event.sequence), { live: true })
      update('model', event.model, { active: event.sequence })
      break
    }
    case 'MinimumRaised':
      update('model', event.model, { minimum: event.minimumSequence })
      break
    case 'OrganisationAccredited':
    case 'OrganisationReinstated':
      write('organisation', event.organisation, { isAccredited: true })
      break
    case 'OrganisationSuspended':
    case 'OrganisationExcluded':
      write('organisation', event.organisation, { isAccredited: false })
      break
    case 'NodeListed': {
      const { organisation, node, peerKey, pledgedBytes, validUntil, nodeProof } = event
      const listing = { organisation, pledgedBytes: String(pledgedBytes), validUntilS: validUntil, proof: nodeProof }
      const others = readRecord(state, 'node', node)?.listings ?? []
      const isRetired = others.find(one => one.organisation === organisation)?.isRetired ?? false
      write('node', node, { peerKey, listings: withListing(others, { ...listing, isRetired }) })
      break
    }
    case 'NodePledgeChanged':
    case 'NodeRetired': {
      const record = readRecord(state, 'node', event.node)
      const listing = record?.listings.find(({ organisation }) => organisation === event.organisation)
      if (record == null || listing == null) break
      const change = event.name === 'NodeRetired' ? { isRetired: true } : { pledgedBytes: String(event.pledgedBytes) }
      write('node', event.node, { ...record, listings: withListing(record.listings, { ...listing, ...change }) })
      break
    }
  }
}

/** The listings with one of them replaced, or added at the end. */
function withListing(listings: readonly NodeListingRecord[], listing: NodeListingRecord): NodeListingRecord[] {
  const at = listings.findIndex(({ organisation }) => organisation === listing.organisation)
  return at < 0 ? [...listings, listing] : listings.with(at, listing)
}

/** The low 160 bits of packed terms. */
function addressOf(terms: bigint): Hex {
  return `0x${hexWord(terms).slice(-40)}`
}

function hexWord(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`
}
