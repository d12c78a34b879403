/** Collecting what custodians release for an emergency. */
import { combineReleases } from '#core/custody/combine.ts'
import { decodeSharePlan, verifySharePlan, type DecodedSharePlan } from '#core/custody/plan.ts'
import { auditedSharing } from '#core/crypto/secret-sharing.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import type { AgentComponents } from '#agent/components.ts'
import { askForShare } from '#agent/custody/ask-share.ts'
import type { Reader } from '#agent/network/record.ts'

/** Whose shares are asked for, under which emergency. */
export interface GlassQuery {
  readonly patient: Uint8Array
  readonly emergency: Uint8Array
  readonly custodians: readonly string[]
}

/** Shares that were put together. */
export interface Opened {
  readonly plan: DecodedSharePlan
  /** Encoded shared keys. */
  readonly payload: Uint8Array
}

/**
 * Asks all custodians at once and puts the shares of the newest plan together that enough of them have.
 *
 * @param keyBundle - digest of the patient's key bundle on the chain, which has to have signed the plan
 * @throws SalusError `EMERGENCY_SHARES` if too few custodians gave a share, with the codes that they refused with
 */
export async function collectShares(
  components: AgentComponents,
  reader: Reader & { readonly keys: AgentKeys },
  keyBundle: Uint8Array,
  query: GlassQuery
): Promise<Opened> {
  const { p } = components
  const question = { rule: 'glass', patient: query.patient, grant: query.emergency } as const
  const asked = await Promise.allSettled(
    query.custodians.map(async url => askForShare(components, reader, url, question))
  )
  const refused = asked.flatMap(each => (each.status === 'rejected' ? [codeOf(each.reason)] : []))
  const groups = new Map<string, { readonly plan: DecodedSharePlan; readonly releases: Uint8Array[] }>()
  for (const each of asked) {
    if (each.status === 'rejected') continue
    try {
      const plan = checkPlan(components, each.value.plan, reader, keyBundle, query.patient)
      const digest = toHex(p.sha256(plan.bytes))
      const group = groups.get(digest) ?? { plan, releases: [] }
      groups.set(digest, { plan, releases: [...group.releases, each.value.release] })
    } catch (error) {
      refused.push(codeOf(error))
    }
  }
  for (const { plan, releases } of [...groups.values()].sort((a, b) => b.plan.revision - a.plan.revision)) {
    const tools = { p, sharing: auditedSharing }
    const { payload, wrong } = await combineReleases(tools, plan, releases, reader.keys)
    if (payload != null) return { plan, payload }
    refused.push(...wrong.map(({ code }) => code))
  }
  const why = refused.length === 0 ? 'too few were asked' : [...new Set(refused)].join(', ')
  throw new SalusError('EMERGENCY_SHARES', `Too few custodians released a share (${why}); ask again, or name others.`)
}

function codeOf(error: unknown): string {
  if (isSalusError(error)) return error.code
  throw error
}

function checkPlan(
  { p }: AgentComponents,
  bytes: Uint8Array,
  { state }: Reader,
  keyBundle: Uint8Array,
  patient: Uint8Array
): DecodedSharePlan {
  const plan = decodeSharePlan(bytes, { network: state.network, patient })
  const isTheirs = equalBytes(keyBundleDigest(plan.bundle), keyBundle) && verifySharePlan(p, plan)
  if (!isTheirs || plan.rule !== 'glass') {
    throw new SalusError('SHARE_PLAN_SIGNATURE', 'Refused: the patient did not sign this plan for emergencies.')
  }
  return plan
}
