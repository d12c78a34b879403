/** Sharing out what an emergency opens (docs/specs/custody.md, docs/specs/break-glass.md). */
import type { Primitives } from '#core/crypto/primitives.ts'
import { encodeSharedKeys } from '#core/custody/shared-keys.ts'
import { shareOut, type Custodians, type SharedOut, type Sharer, type SharingTools } from '#core/custody/share-out.ts'
import type { CapsuleKey } from '#core/grant/capsule-keys.ts'
import type { Compartment } from '#core/record/compartment.ts'
import { coverOf } from '#core/record/day-tree.ts'
import { compartmentTag } from '#core/record/generation.ts'

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
