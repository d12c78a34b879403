import type { Primitives } from '#core/crypto/primitives.ts'
import { ADULT_WARD } from '#core/clinical/packs/adult-ward.ts'
import { encodeRulePack } from '#core/clinical/rule-pack-form.ts'
import { trustPack, type TrustedPack } from '#core/clinical/signed-rule-pack.ts'

/** The shipped pack with its digest; it comes with the program, and whoever trusts the one trusts the other. */
export function shippedPack(p: Primitives): TrustedPack {
  return trustPack(p, encodeRulePack(ADULT_WARD))
}
