/** Sharing a secret out: a fresh key seals it, shares of that key go to the keepers (docs/specs/share-plan.md). */
import { SalusError } from '#core/error.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import type { SecretSharing } from '#core/crypto/secret-sharing.ts'
import { commitSecret, commitShare, sealedContext } from '#core/custody/commitment.ts'
import { MAX_SHARED_PAYLOAD_BYTES, MAX_SHARES, signSharePlan, type SharePlan } from '#core/custody/plan.ts'
import { sealShare } from '#core/custody/sealed-share.ts'
import type { PatientState } from '#core/agent/patient-state.ts'
import { preferredKemKey } from '#core/grant/capsule.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'

/** Who keeps a share. */
export interface Keeper {
  /** Encoded key bundle; that it is the keeper's, the patient's agent has checked. */
  readonly bundle: Uint8Array
  /** What this keeper alone is told. */
  readonly note?: Uint8Array
}

/** What is shared out, and how. */
export interface ShareOutInput extends Pick<
  SharePlan,
  'network' | 'patient' | 'rule' | 'subject' | 'revision' | 'threshold' | 'notAfterS'
> {
  /** What the keepers together give back. */
  readonly payload: Uint8Array
  readonly keepers: readonly Keeper[]
  readonly patientKeys: Pick<AgentKeys, 'signSeed' | 'bundleBytes'>
}

/** A plan, and each keeper's sealed share in the order of the keepers. */
export interface SharedOut {
  readonly planBytes: Uint8Array
  readonly shares: readonly Uint8Array[]
}

/** Who shares out. */
export interface Sharer {
  readonly state: Pick<PatientState, 'network' | 'patient' | 'generations'>
  readonly keys: Pick<AgentKeys, 'signSeed' | 'bundleBytes'>
}

/** Among whom, and how many must meet. */
export interface Custodians {
  readonly keepers: readonly Keeper[]
  readonly threshold: number
}

/** What the platform gives. */
export interface SharingTools {
  readonly p: Primitives
  readonly random: Random
  readonly sharing: SecretSharing
}

/**
 * Shares a payload out. The key under which it is sealed is fresh each time, so shares of two revisions never fit together.
 *
 * @throws SalusError `SHARES_RANGE` (fewer than two keepers or more than 32, a threshold outside of them, or a payload too large),
 * `CAPSULE_SUITE`, `KEY_BUNDLE_*`, `HPKE_PUBLIC_KEY`
 */
export async function shareOut(tools: SharingTools, input: ShareOutInput): Promise<SharedOut> {
  const { p, random, sharing } = tools
  const { payload, keepers, patientKeys, ...about } = input
  const { threshold } = about
  const fits =
    keepers.length <= MAX_SHARES &&
    Number.isSafeInteger(threshold) &&
    threshold >= 2 &&
    threshold <= keepers.length &&
    payload.length <= MAX_SHARED_PAYLOAD_BYTES
  if (!fits) {
    throw new SalusError(
      'SHARES_RANGE',
      'A secret takes 2 to 32 keepers, at least two of whom must meet, and has a bound.'
    )
  }
  const key = random(32)
  const nonce = random(12)
  const shares = await sharing.split(key, keepers.length, threshold)
  const planBytes = signSharePlan(
    p,
    {
      ...about,
      commitments: shares.map((share, index) => commitShare(p, about, index, share)),
      secret: commitSecret(p, about, key),
      sealed: { nonce, ciphertext: p.aes256GcmSeal(key, nonce, payload, sealedContext(about)) }
    },
    patientKeys
  )
  const sealed = await Promise.all(
    keepers.map(async ({ bundle, note = new Uint8Array() }, index) => {
      const share = shares[index]
      if (share == null) throw new SalusError('SHARES_RANGE', 'The sharing gave too few shares.')
      const to = preferredKemKey(decodeKeyBundle(bundle))
      return await sealShare(p, random, { planBytes, index, content: { share, note }, to })
    })
  )
  return { planBytes, shares: sealed }
}
