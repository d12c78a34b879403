/** Sharing out the keys of a one-time grant, and of the emergency compartment (docs/specs/custody.md). */
import { SalusError } from '#core/error.ts'
import type { PatientState } from '#core/agent/patient-state.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { decodeSharedKeys, encodeSharedKeys, type EntryKey, type SharedKeys } from '#core/custody/shared-keys.ts'
import { shareOut, type Keeper, type SharedOut, type SharingTools } from '#core/custody/share-out.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import type { CapsuleKey } from '#core/grant/capsule-keys.ts'
import { decodeGrantDocument, grantIdOf, grantScope } from '#core/grant/document.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import type { Compartment } from '#core/record/compartment.ts'
import { coverOf } from '#core/record/day-tree.ts'
import { compartmentTag } from '#core/record/generation.ts'

/** Who shares out. */
export interface Sharer {
  readonly state: PatientState
  readonly keys: Pick<AgentKeys, 'signSeed' | 'bundleBytes'>
}

/** Among whom, and how many must meet. */
export interface Custodians {
  readonly keepers: readonly Keeper[]
  readonly threshold: number
}

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
 * Reads what custodians of a one-time grant gave together, and checks that it is of this grant.
 *
 * @throws SalusError `SHARED_KEYS_*`, `GRANT_*`; `SHARED_KEYS_GRANT` if the document is not the one that was hashed to the grant's id
 */
export function readOneTimeKeys(
  payload: Uint8Array,
  of: { readonly patient: Uint8Array; readonly grant: Uint8Array }
): SharedKeys {
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
  return shared
}

/**
 * Shares out what an emergency opens: the emergency compartment with its past, and vitals from some days ago on. The agent does
 * this anew, with the next revision, before `throughDay` is over: shares open nothing later.
 *
 * @param days - vitals from `fromDay`, both compartments up to `throughDay`, days since 1970
 * @param rule - `glass` for custodians, `offline-glass` for a card, a regional service and a guardian
 * @throws SalusError `SHARES_RANGE`, `DAY_RANGE`, `CAPSULE_SUITE`, `KEY_BUNDLE_*`, `HPKE_PUBLIC_KEY`
 */
export async function shareEmergency(
  tools: SharingTools,
  { state, keys }: Sharer,
  how: Custodians & {
    readonly rule: 'glass' | 'offline-glass'
    readonly revision: number
    readonly fromDay: number
    readonly throughDay: number
  }
): Promise<SharedOut> {
  const { network, patient } = state
  const { rule, revision, keepers, threshold, fromDay, throughDay } = how
  const opened = [
    ...state.generations.emergency.map(generation => keyOf(tools.p, 'emergency', generation, 0, throughDay)),
    ...state.generations.vitals
      .filter(({ retiredDay }) => retiredDay == null || retiredDay >= fromDay)
      .map(generation => keyOf(tools.p, 'vitals', generation, fromDay, throughDay))
  ]
  return await shareOut(tools, {
    network,
    patient,
    rule,
    subject: null,
    revision,
    threshold,
    notAfterS: (throughDay + 1) * 86_400,
    payload: encodeSharedKeys({ document: null, keys: opened, entries: [] }),
    keepers,
    patientKeys: keys
  })
}

/** The key of a compartment's generation for a span of days. */
function keyOf(
  p: Primitives,
  compartment: Compartment,
  generation: { readonly number: number; readonly key: Uint8Array },
  fromDay: number,
  toDay: number
): CapsuleKey {
  return {
    compartment,
    tag: compartmentTag(p, generation.key, compartment),
    generation: generation.number,
    cover: coverOf(p, generation.key, fromDay, toDay)
  }
}
