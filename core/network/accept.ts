/**
 * Which messages a node takes (docs/specs/acceptance.md): pure, over what the chain says and what the node already has. Each
 * check is headed by the sentence of the specification that asks for it.
 */
import type { Deployment } from '#core/chain/deployment.ts'
import { networkIdOfDeployment } from '#core/chain/deployment.ts'
import type { Hex } from '#core/chain/events.ts'
import type { ChainView } from '#core/chain/view.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { decodeGlassRecord, verifyGlassRecord } from '#core/custody/break-glass.ts'
import { decodeErasure, verifyErasure, type DecodedErasure } from '#core/custody/erasure.ts'
import { concat, equalBytes, fromHex, toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { decodeCapsule, verifyCapsule } from '#core/grant/capsule.ts'
import { grantIdOf } from '#core/grant/document.ts'
import { decodeRotation, verifyRotation, type DecodedRotation } from '#core/grant/rotation.ts'
import { RIGHT_WRITE, termsBytes } from '#core/grant/terms.ts'
import {
  checkPatient,
  checkRight,
  DAY_S,
  ignore,
  notYet,
  reject,
  type Refusal,
  type Span
} from '#core/network/author-right.ts'
import type {
  CapsuleMessage,
  EntryMessage,
  ErasureMessage,
  GlassMessage,
  Message,
  RotationMessage
} from '#core/network/envelope.ts'
import { decodeEvidence } from '#core/identity/evidence.ts'
import { keyBindingDomain, recoverBindingAddress } from '#core/identity/key-binding.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { blobCid } from '#core/record/blob-cid.ts'
import { decodeEntry, verifyEntry, type EntryHeader } from '#core/record/entry.ts'
import { decodeSlot, verifySlot } from '#core/record/slot.ts'

/** What clocks of responders may be ahead, seconds. */
const CLOCK_SKEW_S = 300

/** What the node already has. */
export interface AcceptView {
  /** Name of the header with which this author took this revision of the entry, if any. */
  revisionOf(header: EntryHeader): string | undefined
  /** Earliest day on which the patient says to have replaced the tag, if any rotation does. */
  retiredDay(patient: Uint8Array, tag: Uint8Array): number | undefined
  /** Newest capsule of the grant, 0 if none. */
  capsuleRevision(grantId: Uint8Array): number
  /** Whether the patient said that its entry of this name is to be erased. */
  isErased(patient: Uint8Array, name: string): boolean
  /** Whether there is a rotation of this {@link rotationKey}. */
  hasRotation(rotation: RotationName): boolean
}

/** What tells a patient's rotations apart: each of the patient's key bundles counts for itself, so a stolen one fills no numbers. */
export interface RotationName {
  readonly patient: Uint8Array
  /** Digest of the key bundle that signed it, 32 bytes. */
  readonly bundleDigest: Uint8Array
  readonly revision: number
}

/** What messages are judged by. */
export interface AcceptContext {
  readonly p: Primitives
  readonly deployment: Deployment
  readonly chain: ChainView
  readonly store: AcceptView
  /** `live`: fresh from its author, by gossip or submission. `replicated`: out of another peer's log, perhaps years old. */
  readonly provenance: 'live' | 'replicated'
}

/** What the node must remember of a message it takes. */
export type Accepted =
  | { readonly kind: 'entry'; readonly patient: Uint8Array; readonly header: EntryHeader; readonly name: string }
  | { readonly kind: 'capsule'; readonly patient: Uint8Array; readonly grantId: Uint8Array; readonly revision: number }
  | { readonly kind: 'erasure'; readonly patient: Uint8Array; readonly names: readonly string[] }
  | { readonly kind: 'glass'; readonly patient: Uint8Array }
  | (RotationName & {
      readonly kind: 'rotation'
      /** Day on which the tags were replaced. */
      readonly day: number
      readonly retired: readonly Uint8Array[]
    })

/** Taken, or why not. */
export type Judgement = { readonly verdict: 'accept'; readonly accepted: Accepted } | Refusal

/** Judges a framed message. Never throws for anything that a message holds. */
export function judge(message: Message, context: AcceptContext): Judgement {
  try {
    switch (message.kind) {
      case 'entry':
        return judgeEntry(message, context)
      case 'capsule':
        return judgeCapsule(message, context)
      case 'rotation':
        return judgeRotation(message, context)
      case 'erasure':
        return judgeErasure(message, context)
      case 'glass':
        return judgeGlassRecord(message, context)
    }
  } catch (error) {
    // [REJECT] Every part is the canonical encoding of its format, in its version, for this network.
    if (isSalusError(error)) return reject(error.code)
    throw error
  }
}

function judgeEntry(message: EntryMessage, context: AcceptContext): Judgement {
  const { p, chain, store, provenance } = context
  const network = networkIdOfDeployment(context.deployment)
  const entry = decodeEntry(message.header, { network })
  const { header, cid } = entry
  // [REJECT] The author named in the header signed it.
  if (!verifyEntry(p, entry)) return reject('ENTRY_SIGNATURE')
  // [IGNORE] The patient has not had the entry erased: it never comes back.
  if (store.isErased(header.patient, cid.toString())) return ignore('ENTRY_ERASED')
  // [REJECT] Revisions count from 1, and every one after the first names the headers it follows.
  if (header.revision === 0 || (header.revision > 1 && header.parents.length === 0)) return reject('ENTRY_REVISION')
  const refused = checkSlot(message.slot, entry, context) ?? checkBlob(message.blob, header, p)
  if (refused != null) return refused

  // [IGNORE] The entry's day is not in the future; a day's difference is a matter of clocks and zones.
  if (header.day > Math.floor(chain.blockTimeS / DAY_S) + 1) return notYet('ENTRY_DAY_FUTURE')
  const past = provenance === 'replicated'
  const day = spanOf(header.day)
  const span = judgedAt(header.day, context)
  // [REJECT/IGNORE] The author is the patient, or has a grant with the right to write (core/network/author-right.ts).
  const right = checkRight(header, message.evidence, { ...context, right: RIGHT_WRITE, span, past })
  if ('verdict' in right) return right
  // [REJECT] The entry's day lies within the grant.
  if (right.terms != null) {
    const { notBefore, expiresAt } = right.terms
    if (day.toS < notBefore || day.fromS >= expiresAt) return reject('ENTRY_DAY_OUTSIDE_GRANT')
  }
  // [IGNORE] The patient has not retired the tag; what is old may be of the time before.
  const retiredDay = store.retiredDay(header.patient, header.tag)
  if (retiredDay != null && !(past && header.day <= retiredDay)) return ignore('ENTRY_RETIRED')
  // [IGNORE] The author has not used this revision of the entry for another header, unless the patient had that one erased.
  const taken = store.revisionOf(header)
  const isFree = taken == null || taken === cid.toString() || store.isErased(header.patient, taken)
  if (!isFree) return ignore('ENTRY_REVISION_USED')
  return { verdict: 'accept', accepted: { kind: 'entry', patient: header.patient, header, name: cid.toString() } }
}

function spanOf(day: number): Span {
  return { fromS: day * DAY_S, toS: (day + 1) * DAY_S - 1 }
}

/** What is new is judged by the chain's time; what is old by its own day, which is all that it says of its time. */
function judgedAt(day: number, { provenance, chain }: AcceptContext): Span {
  return provenance === 'replicated' ? spanOf(day) : { fromS: chain.blockTimeS, toS: chain.blockTimeS }
}

function checkSlot(
  bytes: Uint8Array,
  { header, cid }: ReturnType<typeof decodeEntry>,
  { p }: AcceptContext
): Refusal | undefined {
  // [REJECT] The slot is of this entry, of the same author, and signed by it.
  const { network, patient } = header
  const slot = decodeSlot(bytes, { network, patient, entryCid: cid })
  if (!equalBytes(slot.author, header.author)) return reject('SLOT_AUTHOR')
  return verifySlot(p, slot) ? undefined : reject('SLOT_SIGNATURE')
}

function checkBlob(blob: Uint8Array | null, header: EntryHeader, p: Primitives): Refusal | undefined {
  if (blob == null) return undefined
  // [REJECT] A blob inside the message has the size and the CID that the header names.
  if (blob.length !== header.sizeBytes) return reject('BLOB_SIZE')
  return blobCid(p, blob).equals(header.blob) ? undefined : reject('BLOB_DIGEST')
}

function judgeCapsule(message: CapsuleMessage, context: AcceptContext): Judgement {
  const { p, deployment, chain, store } = context
  const capsule = decodeCapsule(message.capsule, { network: networkIdOfDeployment(deployment) })
  // [REJECT] The owner of the capsule's key bundle signed it.
  if (!verifyCapsule(p, capsule)) return reject('CAPSULE_SIGNATURE')
  // [REJECT] The capsule names the network's contract of grants.
  const contract = fromHex(deployment.contracts.AccessGrants.address, 20)
  if (!equalBytes(capsule.contract, contract)) return reject('CAPSULE_CONTRACT')
  const now = { fromS: chain.blockTimeS, toS: chain.blockTimeS }
  const stranger = checkPatient(capsule.patient, capsule.bundle, { chain, past: false, span: now })
  if (stranger != null) return stranger
  // [IGNORE] The grant is on the chain; it may be in a block that this node has not seen.
  const grant = chain.grant(toHex(capsule.grantId))
  if (grant == null) return notYet('GRANT_UNKNOWN')
  // [IGNORE] The grant is not revoked.
  if (grant.revokedAtS != null) return ignore('GRANT_REVOKED')
  // [REJECT] Patient, terms, grantee and scope are those of the grant; its id is a hash of patient and scope.
  const same =
    grant.patient === toHex(capsule.patient) &&
    equalBytes(grantIdOf(capsule.patient, capsule.scope), capsule.grantId) &&
    equalBytes(termsBytes(grant.terms), capsule.terms) &&
    equalBytes(capsule.terms.subarray(12), capsule.grantee)
  if (!same) return reject('CAPSULE_GRANT')
  // [IGNORE] The revision is higher than that of the capsule the node has.
  const { patient, grantId, revision } = capsule
  if (revision <= store.capsuleRevision(grantId)) return ignore('CAPSULE_STALE')
  return { verdict: 'accept', accepted: { kind: 'capsule', patient, grantId, revision } }
}

function judgeRotation(message: RotationMessage, context: AcceptContext): Judgement {
  const { p, deployment, chain, store, provenance } = context
  const rotation = decodeRotation(message.rotation, { network: networkIdOfDeployment(deployment) })
  // [REJECT] The owner of the rotation's key bundle signed it.
  if (!verifyRotation(p, rotation)) return reject('ROTATION_SIGNATURE')
  // [IGNORE] The rotation's day is not in the future.
  if (rotation.day > Math.floor(chain.blockTimeS / DAY_S) + 1) return notYet('ROTATION_DAY_FUTURE')
  const past = provenance === 'replicated'
  const span = judgedAt(rotation.day, context)
  const stranger = checkPatient(rotation.patient, rotation.bundle, { chain, past, span })
  if (stranger != null) return stranger
  // [IGNORE] The node has no other rotation of this revision under this bundle; the order does not matter.
  const accepted = acceptedRotation(rotation)
  if (store.hasRotation(accepted)) return ignore('ROTATION_STALE')
  return { verdict: 'accept', accepted }
}

function judgeErasure(message: ErasureMessage, context: AcceptContext): Judgement {
  const { p, deployment, chain, provenance } = context
  const erasure = decodeErasure(message.erasure, { network: networkIdOfDeployment(deployment) })
  // [REJECT] The owner of the erasure's key bundle signed it.
  if (!verifyErasure(p, erasure)) return reject('ERASURE_SIGNATURE')
  // [IGNORE] The erasure's day is not in the future.
  if (erasure.day > Math.floor(chain.blockTimeS / DAY_S) + 1) return notYet('ERASURE_DAY_FUTURE')
  const past = provenance === 'replicated'
  const span = judgedAt(erasure.day, context)
  const stranger = checkPatient(erasure.patient, erasure.bundle, { chain, past, span })
  if (stranger != null) return stranger
  return { verdict: 'accept', accepted: acceptedErasure(erasure) }
}

function judgeGlassRecord(message: GlassMessage, context: AcceptContext): Judgement {
  const { p, deployment, chain } = context
  const record = decodeGlassRecord(message.record, { network: networkIdOfDeployment(deployment) })
  const { patient, atMs, credential, evidence } = record
  // [REJECT] The responder named in the record signed it, and the evidence is of its key.
  if (!verifyGlassRecord(p, record)) return reject('GLASS_RECORD_SIGNATURE')
  // [IGNORE] The record is not of a time to come; five minutes are a matter of clocks.
  if (atMs / 1000 > chain.blockTimeS + CLOCK_SKEW_S) return notYet('GLASS_RECORD_FUTURE')
  // [IGNORE] The patient and the credential are on the chain; they may be in a block that this node has not seen.
  if (chain.patient(toHex(patient)) == null) return notYet('PATIENT_UNKNOWN')
  const holder = chain.credential(toHex(credential))?.holder
  if (holder == null) return notYet('CREDENTIAL_UNKNOWN')
  // [REJECT] The evidence is bound by the holder of the credential.
  const domain = keyBindingDomain(deployment.chainId, deployment.contracts.AccessGrants.address)
  if (recoverBindingAddress(domain, decodeEvidence(evidence)) !== holder) return reject('BINDING_ADDRESS')
  return { verdict: 'accept', accepted: { kind: 'glass', patient } }
}

function acceptedErasure({ patient, entries }: DecodedErasure): Accepted {
  return { kind: 'erasure', patient, names: entries.map(String) }
}

function acceptedRotation({ patient, revision, day, retired, bundle }: DecodedRotation): Accepted & RotationName {
  return { kind: 'rotation', patient, bundleDigest: keyBundleDigest(bundle), revision, day, retired }
}

/**
 * What is to be remembered of a message that was judged before, read without judging it again.
 *
 * @throws SalusError the codes of the message's format
 */
export function acceptedOf(message: Message): Accepted {
  switch (message.kind) {
    case 'entry': {
      const { header, cid } = decodeEntry(message.header)
      return { kind: 'entry', patient: header.patient, header, name: cid.toString() }
    }
    case 'capsule': {
      const { patient, grantId, revision } = decodeCapsule(message.capsule)
      return { kind: 'capsule', patient, grantId, revision }
    }
    case 'rotation':
      return acceptedRotation(decodeRotation(message.rotation))
    case 'erasure':
      return acceptedErasure(decodeErasure(message.erasure))
    case 'glass':
      return { kind: 'glass', patient: decodeGlassRecord(message.record).patient }
  }
}

/** Identity of an author's revision of an entry, as {@link AcceptView.revisionOf} tells them apart. */
export function revisionKey({ patient, entry, author, revision }: EntryHeader): Hex {
  return toHex(concat(patient, entry, author, uint32(revision)))
}

/** Identity of a rotation, as {@link AcceptView.hasRotation} tells them apart. */
export function rotationKey({ patient, bundleDigest, revision }: RotationName): Hex {
  return toHex(concat(patient, bundleDigest, uint32(revision)))
}

function uint32(number: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}
