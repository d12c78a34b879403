/** Breaking the glass without a network: keeping packages while there is one, and two shares and a signed record when there is none. */
import { encodeSharedKeys } from '#core/custody/shared-keys.ts'
import {
  encodeShareCard,
  openOffline,
  readShareCard,
  signGlassRecord,
  type OpenShare
} from '#core/custody/break-glass.ts'
import { decodePackage } from '#core/custody/emergency-package.ts'
import { requirePatientsPlan } from '#core/custody/guardians.ts'
import { checkReason, commitReason, sealReason } from '#core/custody/sealed-reason.ts'
import { decodeSealedShare, isShareOf, openShare, type SealedShare } from '#core/custody/sealed-share.ts'
import { auditedSharing } from '#core/crypto/secret-sharing.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { encodeMessage } from '#core/network/envelope.ts'
import { secondsOf } from '#agent/components.ts'
import { heldOf, ownCredential, type EmergencyWish } from '#agent/glass/declare.ts'
import type { GlassComponents } from '#agent/glass/glass.ts'
import { changeHeld, withEmergency, type HeldEmergency } from '#agent/glass/held-emergencies.ts'
import type { KeptPackage } from '#agent/glass/kept-packages.ts'

/** What a responder declares without a network; `cards` are texts of cards, besides this agent's own share. */
export type OfflineWish = Omit<EmergencyWish, 'custodians'> & { readonly cards: readonly string[] }

/**
 * Keeps a package, once its share opened and the chain knows whose it is. An older one of the same patient is deleted.
 *
 * @returns the patient, and until when the shares open anything, seconds since 1970
 * @throws SalusError `EMERGENCY_PACKAGE_*`, `SEALED_SHARE_*`, `SHARE_PLAN_*`, `SHARE_WRONG`, `SHARE_RULE`, `SHARE_STALE`, `SHARE_PLAN_STRANGER`,
 * `CHAIN_*`
 */
export async function keepPackage(
  components: GlassComponents,
  bytes: Uint8Array
): Promise<{ readonly patient: Uint8Array; readonly untilS: number }> {
  const { p, chain, accounts, keeper, shelf } = components
  const sealed = decodeSealedShare(decodePackage(bytes).share, { network: keeper.state().network })
  const { plan } = sealed
  if (plan.rule !== 'offline-glass') {
    throw new SalusError('SHARE_RULE', 'Refused: these shares are not for an emergency without a network.')
  }
  await openShare(p, sealed, (await accounts.clinician()).keys)
  requirePatientsPlan(await chain.viewOf(plan.patient, 0), plan)
  const { keyBundles, grants } = await chain.recordOf(plan.patient)
  const credential = await ownCredential(components).catch((error: unknown) => {
    if (isSalusError(error, 'CREDENTIAL_NONE')) return new Uint8Array()
    throw error
  })
  const kept: KeptPackage = { patient: plan.patient, bytes, credential, keyBundles, grants }
  await shelf.packages.update(all => {
    const before = all.find(({ patient }) => equalBytes(patient, plan.patient))
    const isNewer = before == null || shareIn(before).plan.revision < plan.revision
    if (!isNewer && !equalBytes(before.bytes, bytes)) {
      throw new SalusError('SHARE_STALE', 'Refused: a share as new as this one is kept already.')
    }
    return [...all.filter(each => each !== before), kept]
  })
  return { patient: plan.patient, untilS: plan.notAfterS ?? 0 }
}

/**
 * This agent's share as the text of a card, for a crew that stands beside its owner.
 *
 * @throws SalusError `SHARE_UNKNOWN`, and as `openShare`
 */
export async function handShare(components: GlassComponents, patient: Uint8Array): Promise<string> {
  return encodeShareCard(await ownShare(components, shareIn(await packageOf(components, patient))))
}

/**
 * Declares an emergency without a network. The signed record is on this disk, in the outbox, before shares are put together; it is
 * handed in when there is a network.
 *
 * @throws SalusError `SHARE_UNKNOWN`, `REASON_LENGTH`, `CREDENTIAL_NONE`, `SHARE_CARD_*`, and as `openOffline`
 */
export async function declareOffline(components: GlassComponents, wish: OfflineWish): Promise<HeldEmergency> {
  const { p, random, clock, keeper, accounts, shelf, outbox, operations } = components
  checkReason(wish.reason)
  const kept = await packageOf(components, wish.patient)
  const sealed = shareIn(kept)
  const { plan } = sealed
  const credential = wish.credential ?? kept.credential
  if (credential.length === 0) {
    throw new SalusError('CREDENTIAL_NONE', 'No credential was known when the package was kept; name one.')
  }
  const shares = [await ownShare(components, sealed), ...wish.cards.map(readShareCard)]
  refuseUseless(components, sealed, shares)
  const { account, keys, evidence } = await accounts.clinician()
  const { network } = account.state
  const reason = { salt: random(32), text: wish.reason }
  const sinceS = secondsOf(clock)
  const record = signGlassRecord(
    p,
    {
      ...{ network, patient: wish.patient, plan: p.sha256(plan.bytes), credential, reason: commitReason(reason) },
      sealedReason: await sealReason(random, reason, [plan.bundle, ...(wish.reviewers ?? [])]),
      ...{ atMs: sinceS * 1000, durationS: wish.durationS, nonce: random(16), author: keys.bundle.sign, evidence }
    },
    keys.signSeed
  )
  const id = p.sha256(record)
  const message = encodeMessage({ kind: 'glass', network, record })
  await outbox.put(keeper.state().deviceSeed, { message, blob: null })
  const held: HeldEmergency = {
    ...{ id, patient: wish.patient, credential, salt: new Uint8Array(32) },
    ...{ reasonSalt: reason.salt, reasonText: reason.text, sinceS, untilS: sinceS + wish.durationS },
    ...{ isOffline: true, custodians: [], keys: new Uint8Array() }
  }
  await shelf.emergencies.update(all => withEmergency(all, held, sinceS))
  const opened = await openOffline({ p, sharing: auditedSharing }, plan, record, shares, clock())
  await changeHeld(shelf.emergencies, id, now => ({ ...now, keys: encodeSharedKeys(opened) }))
  await operations.resume()
  return heldOf(components, id)
}

/**
 * The package of a patient.
 *
 * @throws SalusError `SHARE_UNKNOWN`
 */
export async function packageOf({ shelf }: GlassComponents, patient: Uint8Array): Promise<KeptPackage> {
  const kept = (await shelf.packages.read()).find(each => equalBytes(each.patient, patient))
  if (kept == null) throw new SalusError('SHARE_UNKNOWN', 'This agent keeps no share for that patient.')
  return kept
}

function shareIn({ bytes }: KeptPackage): SealedShare {
  return decodeSealedShare(decodePackage(bytes).share)
}

async function ownShare({ p, accounts }: GlassComponents, sealed: SealedShare): Promise<OpenShare> {
  const { share } = await openShare(p, sealed, (await accounts.clinician()).keys)
  return { plan: p.sha256(sealed.plan.bytes), index: sealed.index, share }
}

/** No record is left of an attempt that cannot succeed. */
function refuseUseless({ p }: GlassComponents, { plan }: SealedShare, shares: readonly OpenShare[]): void {
  const digest = p.sha256(plan.bytes)
  const wrong = shares.find(
    ({ plan: of, index, share }) => !equalBytes(of, digest) || !isShareOf(p, plan, index, share)
  )
  if (wrong != null) {
    throw new SalusError(
      'SHARE_WRONG',
      'Refused: a share is not of the plan that this agent keeps; ask for the newest.'
    )
  }
  if (new Set(shares.map(({ index }) => index)).size < plan.threshold) {
    throw new SalusError('SHARES_TOO_FEW', `Refused: it takes ${String(plan.threshold)} shares.`)
  }
}
