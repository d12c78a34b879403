/** Putting released shares together, and naming those that are wrong (docs/specs/share-plan.md). */
import { SalusError, isSalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import type { SecretSharing } from '#core/crypto/secret-sharing.ts'
import { commitSecret, sealedContext } from '#core/custody/commitment.ts'
import type { DecodedSharePlan } from '#core/custody/plan.ts'
import { decodeShareRelease, openRelease, verifyShareRelease } from '#core/custody/release.ts'
import { isShareOf } from '#core/custody/sealed-share.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'

/** A release that is of no use, and why. */
export interface WrongRelease {
  /** Place in the list of releases. */
  readonly at: number
  /** The keeper that signed it; null where it cannot be read, or nobody signed it. */
  readonly keeper: Uint8Array | null
  /** Number of the share it claims to be; null where it cannot be read. */
  readonly index: number | null
  /** Stable code (docs/errors.md). */
  readonly code: string
}

/** What came of the releases; `payload` null where too few are sound. */
export interface Combined {
  readonly payload: Uint8Array | null
  /** How many more sound shares it takes. */
  readonly missing: number
  readonly wrong: readonly WrongRelease[]
}

/**
 * Puts shares together. Each is checked against the plan first; what is wrong is named and left out, never combined.
 *
 * @param plan - verified, and its bundle compared with the chain
 * @throws SalusError `SHARED_SECRET` if sound shares do not give what the plan committed to: the patient's plan itself is wrong
 */
export async function combineReleases(
  tools: { readonly p: Primitives; readonly sharing: SecretSharing },
  plan: DecodedSharePlan,
  releases: readonly Uint8Array[],
  keys: Pick<AgentKeys, 'kemSecrets'>
): Promise<Combined> {
  const { p, sharing } = tools
  const sound = new Map<number, Uint8Array>()
  const wrong: WrongRelease[] = []
  for (const [at, bytes] of releases.entries()) {
    const read = await readRelease(p, plan, bytes, keys)
    if ('share' in read) sound.set(read.index, read.share)
    else wrong.push({ at, ...read })
  }
  const missing = Math.max(0, plan.threshold - sound.size)
  if (missing > 0) return { payload: null, missing, wrong }
  const shares = Array.from(sound.values()).slice(0, plan.threshold)
  return { payload: await openPayload({ p, sharing }, plan, shares), missing, wrong }
}

/**
 * Opens what the shared key seals, from as many sound shares as the threshold.
 *
 * @throws SalusError `SHARED_SECRET` if they do not give what the plan committed to
 */
export async function openPayload(
  { p, sharing }: { readonly p: Primitives; readonly sharing: SecretSharing },
  plan: DecodedSharePlan,
  shares: readonly Uint8Array[]
): Promise<Uint8Array> {
  const promised = (cause?: unknown): SalusError =>
    new SalusError('SHARED_SECRET', 'These shares do not give what the plan promises; ask for those of another plan.', {
      cause
    })
  // The library throws where two shares have one place, which only a wrong plan can bring about.
  const key = await sharing.combine(shares).catch((cause: unknown) => {
    throw promised(cause)
  })
  const { nonce, ciphertext } = plan.sealed
  const payload = p.aes256GcmOpen(key, nonce, ciphertext, sealedContext(plan))
  if (payload == null || !equalBytes(commitSecret(p, plan, key), plan.secret)) throw promised()
  return payload
}

async function readRelease(
  p: Primitives,
  plan: DecodedSharePlan,
  bytes: Uint8Array,
  keys: Pick<AgentKeys, 'kemSecrets'>
): Promise<{ index: number; share: Uint8Array } | Omit<WrongRelease, 'at'>> {
  let named: Pick<WrongRelease, 'keeper' | 'index'> = { keeper: null, index: null }
  try {
    const release = decodeShareRelease(bytes)
    const { index, keeper } = release
    if (!verifyShareRelease(p, release)) return { ...named, index, code: 'SHARE_RELEASE_SIGNATURE' }
    named = { keeper, index }
    if (!equalBytes(release.plan, p.sha256(plan.bytes))) return { ...named, code: 'SHARE_RELEASE_PLAN' }
    const share = await openRelease(release, keys)
    return isShareOf(p, plan, index, share) ? { index, share } : { ...named, code: 'SHARE_WRONG' }
  } catch (error) {
    if (isSalusError(error)) return { ...named, code: error.code }
    throw error
  }
}
