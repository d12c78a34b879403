/** Custodians as an agent reaches them: by the address of the node that each is. */
import { peerIdFromString } from '@libp2p/peer-id'
import { combineReleases } from '#core/custody/combine.ts'
import { decodeSharePlan, verifySharePlan, type DecodedSharePlan } from '#core/custody/plan.ts'
import { decodeCustodyAnswer, encodeCustodyRequest, type CustodyAnswer } from '#core/custody/release-request.ts'
import { auditedSharing } from '#core/crypto/secret-sharing.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { signReadRequest } from '#core/grant/read-request.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import type { AgentComponents } from '#agent/components.ts'
import type { Reader } from '#agent/network/record.ts'
import { createCustodyClient } from '#node/http/client-custody.ts'
import { createNodeClient } from '#node/http/client.ts'

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

/** Most time that one custodian may take. */
const TIMEOUT_MS = 10_000

/** Asks one custodian for its share. */
async function askOne(
  { p, random, clock }: AgentComponents,
  reader: Reader,
  url: string,
  { patient, emergency }: GlassQuery
): Promise<CustodyAnswer> {
  const { peerId } = await createNodeClient({ url, timeoutMs: TIMEOUT_MS }).status()
  const request = {
    network: reader.state.network,
    patient,
    grant: emergency,
    audience: peerIdFromString(peerId).toMultihash().bytes,
    issuedAtMs: clock(),
    nonce: random(16),
    author: reader.keys.bundle.sign,
    evidence: reader.evidence
  }
  const authorization = signReadRequest(p, request, reader.keys.signSeed)
  const custody = createCustodyClient({ url, timeoutMs: TIMEOUT_MS })
  return decodeCustodyAnswer(await custody.release(encodeCustodyRequest({ rule: 'glass', authorization })))
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
  const asked = await Promise.allSettled(query.custodians.map(async url => askOne(components, reader, url, query)))
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
