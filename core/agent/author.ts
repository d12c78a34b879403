/**
 * Who wrote an entry. A key that opens an entry also seals one, so a reader believes no author that the chain does not tie
 * to the record (docs/specs/entry.md). Nodes check the same before they store; a reader does not take their word.
 */
import type { SigningTarget } from '#core/agent/chain-call.ts'
import type { RecordOnChain } from '#core/agent/record-on-chain.ts'
import { SalusError, isSalusError } from '#core/error.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { decodeGrantDocument, type GrantDocument } from '#core/grant/document.ts'
import { RIGHT_WRITE, unpackTerms } from '#core/grant/terms.ts'
import { decodeEvidence } from '#core/identity/evidence.ts'
import { keyBindingDomain, recoverBindingAddress } from '#core/identity/key-binding.ts'
import { decodeKeyBundle, keyBundleDigest } from '#core/identity/key-bundle.ts'
import { DAY_S } from '#core/network/author-right.ts'
import type { Compartment } from '#core/record/compartment.ts'
import type { EntryHeader } from '#core/record/entry.ts'
import type { SealedEntry } from '#core/record/seal-entry.ts'

/** An entry as a node hands it out: its three parts and what its author sent along. */
export interface ReceivedEntry extends Pick<SealedEntry, 'headerBytes' | 'slotBytes' | 'blob'> {
  /** Encoded evidence (docs/specs/identity.md). */
  readonly evidenceBytes: Uint8Array
}

/** A proven author; `address` has 20 bytes, `grantId` 32. */
export type Author =
  | { readonly kind: 'patient' }
  | { readonly kind: 'grantee'; readonly address: Uint8Array; readonly grantId: Uint8Array }

/** A grant whose document the reader holds. */
interface KnownGrant {
  readonly grantId: Uint8Array
  readonly document: Uint8Array
}

/** What evidence says, read once: to find the address that signed a binding costs more than all other checks together. */
export interface AuthorEvidence {
  /** The signing key of its bundle, 32 bytes. */
  readonly sign: Uint8Array
  /** Digest of its bundle, 32 bytes. */
  readonly bundleDigest: Uint8Array
  /** The address, lower-case, that bound the bundle, until when (seconds since 1970-01-01); or why there is none. */
  readonly binding: { readonly address: string; readonly notAfterS: number } | { readonly refused: SalusError }
}

/**
 * Reads evidence for the chain and contracts that bindings must be made for.
 *
 * @throws SalusError `EVIDENCE_*`, `KEY_BUNDLE_*`; a bad binding is no error until one is needed
 */
export function readAuthorEvidence(bytes: Uint8Array, { chainId, contracts }: SigningTarget): AuthorEvidence {
  const evidence = decodeEvidence(bytes)
  const { sign } = decodeKeyBundle(evidence.bundle)
  const read = { sign, bundleDigest: keyBundleDigest(evidence.bundle) }
  try {
    const address = recoverBindingAddress(keyBindingDomain(chainId, contracts.AccessGrants.address), evidence)
    return { ...read, binding: { address, notAfterS: evidence.binding?.notAfter ?? 0 } }
  } catch (refused) {
    if (isSalusError(refused)) return { ...read, binding: { refused } }
    throw refused
  }
}

/**
 * Proves who wrote an entry whose header's signature is, or will be, checked against the key that the header names.
 *
 * @param entry - `compartment`: where the entry lies, as the reader's keys tell
 * @param known - the reader's own grants: an entry under one of them must lie in one of its compartments
 * @throws SalusError `EVIDENCE_AUTHOR` (evidence of another key), `ENTRY_AUTHOR_UNPROVEN` (not the patient's key, or no grant of
 * this patient), `GRANT_NO_RIGHT` (may not write), `ENTRY_DAY_OUTSIDE_GRANT`, `GRANT_REVOKED`, `ENTRY_COMPARTMENT`, `BINDING_*`, `EVIDENCE_*`,
 * `KEY_BUNDLE_*`
 */
export function proveAuthor(
  entry: { readonly header: EntryHeader; readonly evidenceBytes: Uint8Array; readonly compartment: Compartment },
  record: RecordOnChain,
  known: readonly KnownGrant[]
): Author {
  return proveAuthorBy(entry, readAuthorEvidence(entry.evidenceBytes, record.target), record, known)
}

/**
 * {@link proveAuthor} by evidence that was read before.
 *
 * @param entry - `compartment`: null where the reader has no keys that tell it
 * @throws SalusError as {@link proveAuthor}
 */
export function proveAuthorBy(
  entry: { readonly header: AuthoredHeader; readonly compartment: Compartment | null },
  evidence: AuthorEvidence,
  record: RecordOnChain,
  known: readonly KnownGrant[]
): Author {
  const { header, compartment } = entry
  refuseUnless(
    equalBytes(evidence.sign, header.author),
    'EVIDENCE_AUTHOR',
    'the evidence is of another key than the entry'
  )
  const isOfRecord = equalBytes(header.patient, record.patient)
  refuseUnless(isOfRecord, 'ENTRY_AUTHOR_UNPROVEN', 'the facts of the chain are of another patient')
  if (header.grant == null) return provePatient(header, evidence, record)
  const author = proveGrantee(header, header.grant, evidence, record)
  const held = known.find(({ grantId }) => equalBytes(grantId, author.grantId))
  if (held != null) checkDocument(decodeGrantDocument(held.document), header.day, compartment)
  return author
}

/** What only the grant's document says: where its grantee may write, and of which days. */
function checkDocument({ compartments, days }: GrantDocument, day: number, compartment: Compartment | null): void {
  const covers = compartment == null || compartments.includes(compartment)
  refuseUnless(covers, 'ENTRY_COMPARTMENT', 'the grant does not allow writing into this part of the record')
  const isWithin = days == null || (days.fromDay <= day && day <= days.toDay)
  refuseUnless(isWithin, 'ENTRY_DAY_OUTSIDE_GRANT', 'the grant that the entry names does not name its day')
}

/** The fields of a header that tell who may have written it. */
type AuthoredHeader = Pick<EntryHeader, 'patient' | 'author' | 'grant' | 'day'>

function provePatient(
  { day }: AuthoredHeader,
  { bundleDigest }: AuthorEvidence,
  { keyBundles }: RecordOnChain
): Author {
  // Peers take what is dated one day ahead, so the day of the last honest entry may be the one after the replacement.
  const isPatients = keyBundles.some(
    each => equalBytes(each.digest, bundleDigest) && (each.replacedAtS == null || (day - 1) * DAY_S <= each.replacedAtS)
  )
  refuseUnless(isPatients, 'ENTRY_AUTHOR_UNPROVEN', 'the patient had no such key on that day')
  return { kind: 'patient' }
}

function proveGrantee(
  { day }: AuthoredHeader,
  grantId: Uint8Array,
  { binding }: AuthorEvidence,
  { grants }: RecordOnChain
): Extract<Author, { kind: 'grantee' }> {
  const grant = grants.find(each => equalBytes(each.grantId, grantId))
  if (grant == null) {
    throw new SalusError('ENTRY_AUTHOR_UNPROVEN', 'Refused: the patient gave no such grant, as far as the chain says.')
  }
  const { grantee, rights, notBefore, expiresAt } = unpackTerms(grant.terms)
  refuseUnless((rights & RIGHT_WRITE) !== 0, 'GRANT_NO_RIGHT', 'the grant that the entry names does not allow writing')
  const isWithin = (day + 1) * DAY_S > notBefore && day * DAY_S < expiresAt
  refuseUnless(isWithin, 'ENTRY_DAY_OUTSIDE_GRANT', 'the entry’s day lies outside the grant that it names')
  // As for the patient's own keys: the day of the last honest entry may be the one after the revocation.
  const isLive = grant.revokedAtS == null || (day - 1) * DAY_S <= grant.revokedAtS
  refuseUnless(isLive, 'GRANT_REVOKED', 'the grant was revoked before the entry’s day')
  if ('refused' in binding) throw binding.refused
  refuseUnless(binding.address === toHex(grantee), 'BINDING_ADDRESS', 'the key binding was signed by another address')
  refuseUnless(binding.notAfterS >= day * DAY_S, 'BINDING_EXPIRED', 'the key binding had expired on the entry’s day')
  return { kind: 'grantee', address: grantee, grantId }
}

function refuseUnless(holds: boolean, code: string, why: string): void {
  if (!holds) throw new SalusError(code, `Refused: ${why}.`)
}
