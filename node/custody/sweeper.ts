/** Deletes shares whose time is over: released, expired, revoked, or taken back by their plan (docs/specs/custody.md). */
import type { ChainView } from '#core/chain/view.ts'
import type { Clock } from '#core/crypto/primitives.ts'
import { decodeSealedShare } from '#core/custody/sealed-share.ts'
import type { DecodedSharePlan } from '#core/custody/plan.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { unpackTerms } from '#core/grant/terms.ts'
import { CLAIM_WINDOW_S } from '#core/network/author-right.ts'
import type { KeptShare, ShareEnd, ShareStore } from '#node/custody/share-store.ts'
import type { SyncWriter } from '#node/store/sync-writer.ts'

/** What sweeping needs. */
export interface SweeperComponents {
  readonly store: ShareStore
  readonly writer: SyncWriter
  readonly chain: () => ChainView
  readonly clock: Clock
}

/**
 * Why a share's time is over; `undefined` while it is not.
 *
 * @param nowS - the later of the chain's time and the custodian's clock, seconds since 1970
 * @param finalityS - age from which a claim's block counts as final, seconds
 */
export function endOfShare(
  plan: Pick<DecodedSharePlan, 'rule' | 'subject' | 'notAfterS'>,
  chain: ChainView,
  { nowS, finalityS }: { readonly nowS: number; readonly finalityS: number }
): ShareEnd | undefined {
  if (plan.notAfterS != null && nowS > plan.notAfterS) return 'expired'
  const grant = plan.subject == null ? undefined : chain.grant(toHex(plan.subject))
  if (grant == null) return undefined
  if (grant.revokedAtS != null) return 'revoked'
  if (nowS >= unpackTerms(grant.terms).expiresAt) return 'expired'
  const claimedAtS = grant.claimsS.at(-1)
  // Until then who has it may ask again, where the answer was lost.
  return claimedAtS != null && nowS >= claimedAtS + finalityS + CLAIM_WINDOW_S ? 'released' : undefined
}

/** Deletes shares, from the files too. */
export type Sweep = () => Promise<number>

/**
 * Makes the sweeper: each call deletes every share whose time is over, and returns how many. What a crash or a busy disk left in the files is
 * taken out of them by the next call.
 */
export function createSweeper({ store, writer, chain, clock }: SweeperComponents, finalityS: number): Sweep {
  /** Unknown after a start: whoever was here before may not have finished. */
  let isClean: boolean | undefined

  async function deleteIfOver(key: string, share: KeptShare, sealed: Uint8Array): Promise<boolean> {
    const view = chain()
    const nowS = Math.max(view.blockTimeS, Math.floor(clock() / 1000))
    const end = endOfShare(decodeSealedShare(sealed).plan, view, { nowS, finalityS })
    if (end == null) return false
    return writer.write(async changes => {
      const kept = await store.get(key, changes)
      // A newer one took its place meanwhile: that one was not judged.
      if (kept?.sealed == null || !equalBytes(kept.plan, share.plan)) return false
      changes.push(store.put(key, { ...kept, sealed: null, end }))
      return true
    })
  }

  return async () => {
    let deleted = 0
    isClean ??= !(await store.hasEnded())
    for await (const [key, share] of store.held()) {
      if (share.sealed == null || !(await deleteIfOver(key, share, share.sealed))) continue
      deleted++
      isClean = false
    }
    if (!isClean) await store.compact()
    isClean = true
    return deleted
  }
}
