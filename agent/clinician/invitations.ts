/** One-time grants whose keys custodians give: claimed on the chain once, then put together from their shares. */
import type { Invitation } from '#core/agent/agent-state.ts'
import { auditedSharing } from '#core/crypto/secret-sharing.ts'
import { combineReleases } from '#core/custody/combine.ts'
import { holdOneTimeKeys } from '#core/custody/one-time.ts'
import { decodeSharePlan, verifySharePlan, type DecodedSharePlan } from '#core/custody/plan.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import type { AnswerCode } from '#core/grant/answer-code.ts'
import { decodeKeyBundle, keyBundleDigest } from '#core/identity/key-bundle.ts'
import type { Accounts } from '#agent/accounts.ts'
import { changeClinician } from '#agent/clinician/account.ts'
import type { AgentComponents } from '#agent/components.ts'
import { askForShare } from '#agent/custody/ask-share.ts'
import { meetCustodian } from '#agent/custody/custodians.ts'

type Components = AgentComponents & { readonly accounts: Accounts }

const NOT_FINAL = 'CUSTODY_NOT_FINAL'

/** The invitation to a grant, if custodians give its keys. */
export async function invitationTo({ accounts }: Components, grantId: Uint8Array): Promise<Invitation | undefined> {
  const { account } = await accounts.clinician()
  return account.invitations?.find(each => equalBytes(each.grantId, grantId))
}

/** Remembers that custodians give the keys of a grant. */
export async function keepInvitation(
  components: Components,
  { grantId, patient, author, custodians = [] }: AnswerCode
): Promise<void> {
  await changeClinician(components, account => {
    const { invitations = [] } = account
    if (invitations.some(each => equalBytes(each.grantId, grantId))) return account
    return { ...account, invitations: [...invitations, { grantId, patient, author, custodians, isFetched: false }] }
  })
}

/** Remembers that what the claim opens is here. */
export async function markFetched(components: Components, grantId: Uint8Array): Promise<void> {
  await changeClinician(components, account => ({
    ...account,
    invitations: (account.invitations ?? []).map(each =>
      equalBytes(each.grantId, grantId) ? { ...each, isFetched: true } : each
    )
  }))
}

/**
 * Asks custodians until enough have given their shares, and keeps the keys.
 *
 * @returns the code of what holds it up; undefined once the keys are held
 * @throws SalusError `GRANT_UNKNOWN`, `GRANT_REVOKED`, `CHAIN_*` where the chain says so; `SHARED_SECRET`, `SHARED_KEYS_*`, `GRANT_*` where
 * the patient shared out something else
 */
export async function collectKeys(components: Components, invitation: Invitation): Promise<string | undefined> {
  const { p, chain } = components
  const { patient, grantId: grant } = invitation
  const { account, keys } = await components.accounts.clinician()
  if (account.state.grants.some(each => equalBytes(each.grantId, grant))) return undefined
  const { terms, keyBundle } = await chain.capsuleOf(grant, patient)
  const plans = new Map<string, { readonly plan: DecodedSharePlan; readonly releases: Uint8Array[] }>()
  const refusals: string[] = []
  for (const url of invitation.custodians) {
    try {
      const { plan, release } = await askFor(components, invitation, url, keyBundle)
      const id = toHex(p.sha256(plan.bytes))
      const { releases } = plans.get(id) ?? { releases: [] }
      plans.set(id, { plan, releases: [...releases, release] })
      const { payload } = await combineReleases({ p, sharing: auditedSharing }, plan, [...releases, release], keys)
      if (payload == null) continue
      await changeClinician(components, now => ({
        ...now,
        state: holdOneTimeKeys(now.state, payload, { patient, grant, terms })
      }))
      return undefined
    } catch (error) {
      // One custodian that is away, lies or refuses must not keep the others from being asked.
      if (!isSalusError(error) || /^(?:SHARED_|AGENT_|VAULT_)/.test(error.code)) throw error
      refusals.push(error.code)
    }
  }
  // Waiting helps where only the claim is too new; a custodian that is away may be back by then.
  return refusals.includes(NOT_FINAL) ? NOT_FINAL : (refusals[0] ?? 'CUSTODY_TOO_FEW')
}

/** Asks one custodian for its share; the plan that comes along is checked against the chain. */
async function askFor(
  components: Components,
  { patient, grantId: grant, author }: Invitation,
  url: string,
  keyBundle: Uint8Array
): Promise<{ plan: DecodedSharePlan; release: Uint8Array }> {
  const { p, accounts } = components
  const { account, keys, evidence } = await accounts.clinician()
  const { state } = account
  const question = { rule: 'claim', patient, grant } as const
  const { plan: bytes, release } = await askForShare(components, { state, keys, evidence }, url, question)
  const plan = decodeSharePlan(bytes, { network: state.network, patient })
  const isOfGrant =
    plan.rule === 'claim' &&
    plan.subject != null &&
    equalBytes(plan.subject, grant) &&
    equalBytes(keyBundleDigest(plan.bundle), keyBundle) &&
    equalBytes(decodeKeyBundle(plan.bundle).sign, author) &&
    verifySharePlan(p, plan)
  if (!isOfGrant) throw new SalusError('ANSWER_CODE_SWAPPED', 'Refused: the answer names a grant of somebody else.')
  return { plan, release }
}

/**
 * Checks that at least two custodians answer with cards, before the only use is spent.
 *
 * @throws SalusError `CUSTODY_TOO_FEW`
 */
export async function requireCustodians({ p, keeper }: Components, { custodians }: Invitation): Promise<void> {
  const { network } = keeper.state()
  const met = await Promise.allSettled(custodians.map(async url => meetCustodian(p, url, network)))
  if (met.filter(({ status }) => status === 'fulfilled').length >= 2) return
  throw new SalusError(
    'CUSTODY_TOO_FEW',
    'Too few custodians of this grant answer; try again soon, nothing was claimed.'
  )
}
