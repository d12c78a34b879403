/**
 * Who wrote an entry. A key that opens an entry also seals one, so a reader believes no author that the chain does not tie
 * to the record (docs/specs/entry.md). Nodes check the same before they store; a reader does not take their word.
 */
import type { RecordOnChain } from '#core/agent/record-on-chain.ts'
import { SalusError } from '#core/error.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { decodeGrantDocument } from '#core/grant/document.ts'
import { RIGHT_WRITE, unpackTerms } from '#core/grant/terms.ts'
import { decodeEvidence, type Evidence } from '#core/identity/evidence.ts'
import { checkBinding, keyBindingDomain } from '#core/identity/key-binding.ts'
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

/**
 * Proves who wrote an entry whose header's signature is, or will be, checked against the key that the header names.
 *
 * @param entry - `compartment`: where the entry lies, as the reader's keys tell
 * @param known - the reader's own grants: an entry under one of them must lie in one of its compartments
 * @throws SalusError `EVIDENCE_AUTHOR` (evidence of another key), `ENTRY_AUTHOR_UNPROVEN` (not the patient's key, or no grant of
 * this patient), `GRANT_NO_RIGHT` (may not write), `ENTRY_DAY_OUTSIDE_GRANT`, `ENTRY_COMPARTMENT`, `BINDING_*`, `EVIDENCE_*`,
 * `KEY_BUNDLE_*`
 */
export function proveAuthor(
  entry: { readonly header: EntryHeader; readonly evidenceBytes: Uint8Array; readonly compartment: Compartment },
  record: RecordOnChain,
  known: readonly KnownGrant[]
): Author {
  const { header, compartment } = entry
  const evidence = decodeEvidence(entry.evidenceBytes)
  const signs = decodeKeyBundle(evidence.bundle).sign
  refuseUnless(equalBytes(signs, header.author), 'EVIDENCE_AUTHOR', 'the evidence is of another key than the entry')
  const isOfRecord = equalBytes(header.patient, record.patient)
  refuseUnless(isOfRecord, 'ENTRY_AUTHOR_UNPROVEN', 'the facts of the chain are of another patient')
  if (header.grant == null) return provePatient(header, evidence, record)
  const author = proveGrantee(header, header.grant, evidence, record)
  const held = known.find(({ grantId }) => equalBytes(grantId, author.grantId))
  const covers = held == null || decodeGrantDocument(held.document).compartments.includes(compartment)
  refuseUnless(covers, 'ENTRY_COMPARTMENT', 'the grant does not allow writing into this part of the record')
  return author
}

function provePatient({ day }: EntryHeader, { bundle }: Evidence, { keyBundles }: RecordOnChain): Author {
  const digest = keyBundleDigest(bundle)
  // Peers take what is dated one day ahead, so the day of the last honest entry may be the one after the replacement.
  const isPatients = keyBundles.some(
    each => equalBytes(each.digest, digest) && (each.replacedAtS == null || (day - 1) * DAY_S <= each.replacedAtS)
  )
  refuseUnless(isPatients, 'ENTRY_AUTHOR_UNPROVEN', 'the patient had no such key on that day')
  return { kind: 'patient' }
}

function proveGrantee(
  { day }: EntryHeader,
  grantId: Uint8Array,
  evidence: Evidence,
  { target, grants }: RecordOnChain
): Extract<Author, { kind: 'grantee' }> {
  const grant = grants.find(each => equalBytes(each.grantId, grantId))
  if (grant == null) {
    throw new SalusError('ENTRY_AUTHOR_UNPROVEN', 'Refused: the patient gave no such grant, as far as the chain says.')
  }
  const { grantee, rights, notBefore, expiresAt } = unpackTerms(grant.terms)
  refuseUnless((rights & RIGHT_WRITE) !== 0, 'GRANT_NO_RIGHT', 'the grant that the entry names does not allow writing')
  const isWithin = (day + 1) * DAY_S > notBefore && day * DAY_S < expiresAt
  refuseUnless(isWithin, 'ENTRY_DAY_OUTSIDE_GRANT', 'the entry’s day lies outside the grant that it names')
  const domain = keyBindingDomain(target.chainId, target.contracts.AccessGrants.address)
  checkBinding(domain, evidence, { address: toHex(grantee), nowS: day * DAY_S })
  return { kind: 'grantee', address: grantee, grantId }
}

function refuseUnless(holds: boolean, code: string, why: string): void {
  if (!holds) throw new SalusError(code, `Refused: ${why}.`)
}
