/** What an alarm opens for a crew: one-time grants of the emergency compartment and of the last vitals, and their end. */
import type { StandingCrew } from '#core/consent/standing.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { decodeGrantDocument } from '#core/grant/document.ts'
import { RIGHT_HISTORY, RIGHT_READ } from '#core/grant/terms.ts'
import type { Compartment } from '#core/record/compartment.ts'
import { dayOf } from '#core/record/day.ts'
import type { GlassComponents } from '#agent/glass/glass.ts'
import type { JudgedAlarm } from '#agent/glass/standing-shelf.ts'
import { endAccess, giveUnasked } from '#agent/patient/grants.ts'

/** Each by its own grant: the one with all its past, the other for some days. */
const PARTS: readonly Compartment[] = ['emergency', 'vitals']
/** Chain and device need not agree to the second. */
const BACK_S = 60

/**
 * Gives the crew what an alarm opens; what was given before a crash is not given again.
 *
 * @returns ids of the grants
 * @throws SalusError as `giveUnasked`
 */
export async function openAlarm(
  components: GlassComponents,
  { entry, atS, untilS }: JudgedAlarm,
  { crew, vitalsS }: { readonly crew: StandingCrew; readonly vitalsS: number }
): Promise<Uint8Array[]> {
  const days = { fromDay: dayOf((atS - vitalsS) * 1000), toDay: dayOf(untilS * 1000) }
  const grants: Uint8Array[] = []
  for (const compartment of PARTS) {
    const purpose = `alarm ${toHex(entry)}: ${compartment}`
    const wish = {
      ...{ grantee: crew.address, bundle: crew.bundle, rights: RIGHT_READ | RIGHT_HISTORY, uses: 1 },
      ...{ notBefore: atS - BACK_S, expiresAt: untilS, compartments: [compartment], purpose, nowS: atS },
      ...(compartment === 'vitals' ? { days } : {})
    }
    const made = await givenFor(components, purpose)
    grants.push(made ?? (await giveUnasked(components, wish)).grantId)
  }
  return grants
}

/** A grant of this purpose that was made already. */
async function givenFor({ accounts }: GlassComponents, purpose: string): Promise<Uint8Array | undefined> {
  const { account } = await accounts.patient()
  const found = account.state.grants.find(({ document }) => decodeGrantDocument(document).purpose === purpose)
  return found?.grantId
}

/**
 * Ends what an alarm opened; keys are replaced with it.
 *
 * @throws SalusError as `endAccess`
 */
export async function closeAlarm(components: GlassComponents, { entry }: JudgedAlarm): Promise<void> {
  for (const compartment of PARTS) {
    const grantId = await givenFor(components, `alarm ${toHex(entry)}: ${compartment}`)
    const { account } = await components.accounts.patient()
    const given = account.state.grants.find(each => grantId != null && equalBytes(each.grantId, grantId))
    if (given != null && !given.isRevoked) await endAccess(components, given.grantId)
  }
}
