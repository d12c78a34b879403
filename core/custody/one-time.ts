/** Sharing out the keys of a one-time grant (docs/specs/custody.md). */
import { SalusError } from '#core/error.ts'
import { decodeSharedKeys, encodeSharedKeys, type EntryKey, type SharedKeys } from '#core/custody/shared-keys.ts'
import { shareOut, type Custodians, type SharedOut, type Sharer, type SharingTools } from '#core/custody/share-out.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import type { CapsuleKey } from '#core/grant/capsule-keys.ts'
import { unpackTerms } from '#core/grant/terms.ts'
import type { GranteeState } from '#core/agent/grantee-state.ts'
import { decodeGrantDocument, grantIdOf, grantScope } from '#core/grant/document.ts'

/**
 * Shares out the keys of a one-time grant. No capsule of such a grant is ever published: only custodians together give its keys.
 *
 * @param grant - canonical bytes of the grant document, and when the grant expires (seconds since 1970)
 * @throws SalusError `SHARES_RANGE`, `CAPSULE_SUITE`, `KEY_BUNDLE_*`, `HPKE_PUBLIC_KEY`
 */
export async function shareOneTime(
  tools: SharingTools,
  { state, keys }: Sharer,
  grant: { readonly document: Uint8Array; readonly expiresAtS: number },
  given: { readonly keys: readonly CapsuleKey[]; readonly entries: readonly EntryKey[] },
  { keepers, threshold }: Custodians
): Promise<SharedOut> {
  const { network, patient } = state
  return await shareOut(tools, {
    network,
    patient,
    rule: 'claim',
    subject: grantIdOf(patient, grantScope(grant.document)),
    revision: 1,
    threshold,
    notAfterS: grant.expiresAtS,
    payload: encodeSharedKeys({ document: grant.document, ...given }),
    keepers,
    patientKeys: keys
  })
}

/**
 * Takes what custodians gave together for a one-time grant as keys that are held.
 *
 * @param of - the grant, and its terms on the chain
 * @throws SalusError as {@link readOneTimeKeys}; `SHARED_KEYS_GRANT` if the grant is somebody else's, or its entries' parts cannot be told
 */
export function holdOneTimeKeys(
  state: GranteeState,
  payload: Uint8Array,
  of: { readonly patient: Uint8Array; readonly grant: Uint8Array; readonly terms: bigint }
): GranteeState {
  const { document, keys, entries: single } = readOneTimeKeys(payload, of)
  const { grantee, rights } = unpackTerms(of.terms)
  const { grantee: named, compartments } = decodeGrantDocument(document, of)
  const [compartment] = compartments
  const isWhole = single.length === 0 || compartments.length === 1
  if (!equalBytes(grantee, state.address) || !equalBytes(named, state.address) || compartment == null || !isWhole) {
    throw new SalusError('SHARED_KEYS_GRANT', 'Refused: these keys were shared out for another grant.')
  }
  const entries = single.map(({ entry: name, contentKey: key }) => ({ compartment, name, key }))
  const { grant: grantId, patient } = of
  const held = { grantId, patient, rights, revision: 1, document, keys, ...(entries.length === 0 ? {} : { entries }) }
  return { ...state, grants: [...state.grants.filter(each => !equalBytes(each.grantId, grantId)), held] }
}

/**
 * Reads what custodians of a one-time grant gave together, and checks that it is of this grant.
 *
 * @throws SalusError `SHARED_KEYS_*`, `GRANT_*`; `SHARED_KEYS_GRANT` if the document is not the one that was hashed to the grant's id
 */
export function readOneTimeKeys(
  payload: Uint8Array,
  of: { readonly patient: Uint8Array; readonly grant: Uint8Array }
): SharedKeys & { readonly document: Uint8Array } {
  const shared = decodeSharedKeys(payload)
  const { document } = shared
  const isOfGrant = document != null && equalBytes(grantIdOf(of.patient, grantScope(document)), of.grant)
  if (!isOfGrant) throw new SalusError('SHARED_KEYS_GRANT', 'Refused: these keys were shared out for another grant.')
  const { compartments } = decodeGrantDocument(document, { patient: of.patient })
  if (!shared.keys.every(({ compartment }) => compartments.includes(compartment))) {
    throw new SalusError(
      'SHARED_KEYS_GRANT',
      'Refused: the custodians gave keys of compartments that were not granted.'
    )
  }
  return { ...shared, document }
}
