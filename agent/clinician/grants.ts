/** The grants that a clinician holds: fetched from the network, checked against the chain, claimed where they are counted. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Invitation } from '#core/agent/agent-state.ts'
import { claimCall } from '#core/agent/grantee-requests.ts'
import { acceptCapsule } from '#core/agent/grantee-state.ts'
import { equalBytes, fromHex, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { decodeCapsule } from '#core/grant/capsule.ts'
import { UNLIMITED_USES, unpackTerms, type Terms } from '#core/grant/terms.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'
import type { Accounts } from '#agent/accounts.ts'
import { fetchClaimed } from '#agent/clinician/claimed.ts'
import {
  collectKeys,
  invitationTo,
  keepInvitation,
  markFetched,
  requireCustodians
} from '#agent/clinician/invitations.ts'
import { changeClinician } from '#agent/clinician/account.ts'
import { readAnswer, settleRequest } from '#agent/clinician/requests.ts'
import { secondsOf, type AgentComponents } from '#agent/components.ts'
import { followBlock } from '#agent/network/follow-block.ts'
import { relay } from '#agent/network/record.ts'

type Components = AgentComponents & { readonly accounts: Accounts }

/** A grant as the chain has it for this clinician. */
export interface HeldAccess {
  readonly grantId: Uint8Array
  readonly patient: Uint8Array
  readonly terms: Terms
  readonly isRevoked: boolean
  /** Whether its keys are here. */
  readonly isOpen: boolean
}

const DEADLINE_S = 3600
const LOOK_MS = 200
const FINAL_LOOK_MS = 1_000

/**
 * Takes an answer's grant: its keys and, where uses are counted, one use of it.
 *
 * @param waitMs - how long to wait for the keys to reach the node
 * @throws SalusError `ANSWER_CODE_*`, `GRANT_NO_CAPSULE`, and as {@link fetchGrant} and {@link claimUse}
 */
export async function takeAnswer(components: Components, code: Uint8Array, waitMs: number): Promise<Uint8Array> {
  const answer = await readAnswer(components, code)
  const { grantId, patient, author, request } = answer
  if (answer.custodians != null) {
    await keepInvitation(components, answer)
    await settleRequest(components, request)
    return grantId
  }
  const bundle = await fetchGrant(components, grantId, waitMs)
  if (!equalBytes(bundle.patient, patient) || !equalBytes(bundle.sign, author)) {
    throw new SalusError('ANSWER_CODE_SWAPPED', 'Refused: the answer names a grant of somebody else.')
  }
  await settleRequest(components, request)
  return grantId
}

/**
 * Fetches the newest keys of a grant; gives whose it is and the key that the patient signs with.
 *
 * @throws SalusError `GRANT_NO_CAPSULE` if the node has none after `waitMs`; as `acceptCapsule`
 */
export async function fetchGrant(
  components: Components,
  grantId: Uint8Array,
  waitMs: number
): Promise<{ readonly patient: Uint8Array; readonly sign: Uint8Array }> {
  const { p, node, chain, clock, accounts } = components
  const { keys } = await accounts.clinician()
  const deadline = clock() + waitMs
  let [found] = await node.queryCapsules(toHex(grantId))
  while (found == null && clock() < deadline) {
    await pause(LOOK_MS)
    found = (await node.queryCapsules(toHex(grantId)))[0]
  }
  if (found == null) {
    throw new SalusError(
      'GRANT_NO_CAPSULE',
      'The node has no keys of this grant yet; try again soon, or ask the patient.'
    )
  }
  const { patient, bundle } = decodeCapsule(found.capsule)
  const onChain = await chain.capsuleOf(grantId, patient)
  const { capsule } = found
  await changeClinician(components, async account => {
    try {
      return { ...account, state: await acceptCapsule(p, account.state, keys, capsule, onChain) }
    } catch (error) {
      // What is held is what the node has, or newer.
      if (isSalusError(error, 'CAPSULE_STALE')) return account
      throw error
    }
  })
  return { patient, sign: decodeKeyBundle(bundle).sign }
}

/**
 * Claims one use of a counted grant on the chain; of any other there is nothing to claim.
 *
 * @returns uses that are left; null where they are not counted
 * @throws SalusError `GRANT_UNKNOWN`, `GRANT_SPENT`, and what the chain refuses it with
 */
export async function claimUse(components: Components, grantId: Uint8Array): Promise<number | null> {
  const { node, chain, clock, deployment, accounts } = components
  const { account, wallet } = await accounts.clinician()
  const held =
    account.state.grants.find(each => equalBytes(each.grantId, grantId)) ?? (await invitationTo(components, grantId))
  if (held == null) throw new SalusError('GRANT_UNKNOWN', 'This clinician holds no such grant; take its answer first.')
  const { terms } = await chain.capsuleOf(grantId, held.patient)
  const { uses } = unpackTerms(terms)
  if (uses === UNLIMITED_USES) return null
  if (uses === 0) throw new SalusError('GRANT_SPENT', 'All uses of the grant are spent; ask the patient for a new one.')
  const deadlineS = secondsOf(clock) + DEADLINE_S
  const { address: signer, signTypedData } = wallet
  const call = await claimCall({ target: deployment, grantId, signer, usesLeft: uses - 1, deadlineS, signTypedData })
  const blockNumber = await relay(node, call)
  await followBlock({ node, clock }, blockNumber)
  return uses - 1
}

/**
 * Takes a one-time grant whose keys custodians give: spends its use unless that is done, fetches what it opens, and collects the keys.
 *
 * @param waitMs - how long to wait for the claim to be final
 * @returns the code of what holds the keys up; undefined once they are held
 * @throws SalusError `GRANT_SPENT` (its keys are held already), `CUSTODY_TOO_FEW`, and as {@link claimUse} and `collectKeys`
 */
export async function claimFromCustodians(
  components: Components,
  invitation: Invitation,
  waitMs: number
): Promise<string | undefined> {
  const { chain, clock, accounts } = components
  const { grantId, patient } = invitation
  const { account } = await accounts.clinician()
  if (account.state.grants.some(each => equalBytes(each.grantId, grantId))) {
    throw new SalusError('GRANT_SPENT', 'All uses of the grant are spent; ask the patient for a new one.')
  }
  // Nobody but this clinician can have claimed it: where its use is spent, what follows was not finished.
  if (unpackTerms((await chain.capsuleOf(grantId, patient)).terms).uses > 0) {
    await requireCustodians(components, invitation)
    await claimUse(components, grantId)
  }
  if (!invitation.isFetched) {
    await fetchClaimed(components, invitation)
    await markFetched(components, grantId)
  }
  const deadline = clock() + waitMs
  let holdUp = await collectKeys(components, invitation)
  while (holdUp === 'CUSTODY_NOT_FINAL' && clock() < deadline) {
    await pause(FINAL_LOOK_MS)
    holdUp = await collectKeys(components, invitation)
  }
  return holdUp
}

/** Everything that was ever granted to this clinician, as the chain says; fetches keys that are not here yet. */
export async function listAccess(components: Components): Promise<HeldAccess[]> {
  const { chain, accounts } = components
  const { account } = await accounts.clinician()
  const mine = new Map<string, { patient: string; terms: Terms; isRevoked: boolean }>()
  for (const { event } of await chain.events()) {
    if (event.name === 'Granted') {
      const terms = unpackTerms(event.terms)
      if (equalBytes(terms.grantee, account.state.address)) {
        mine.set(event.grantId, { patient: event.patient, terms, isRevoked: false })
      }
    }
    const known = 'grantId' in event ? mine.get(event.grantId) : undefined
    if (known == null || !('grantId' in event)) continue
    if (event.name === 'Revoked') known.isRevoked = true
    if (event.name === 'Claimed') known.terms = { ...known.terms, uses: event.usesLeft }
  }
  for (const [id, { isRevoked }] of mine) {
    if (!isRevoked) await refreshGrant(components, fromHex(id, 32))
  }
  const { grants } = (await accounts.clinician()).account.state
  return [...mine].map(([id, { patient, terms, isRevoked }]) => {
    const grantId = fromHex(id, 32)
    const isOpen = grants.some(each => equalBytes(each.grantId, grantId))
    return { grantId, patient: fromHex(patient, 32), terms, isRevoked, isOpen }
  })
}

/** Fetches newer keys, if the node has them. Keys that are not what the chain says do not open anything; others still do. */
export async function refreshGrant(components: Components, grantId: Uint8Array): Promise<void> {
  const invitation = await invitationTo(components, grantId)
  try {
    if (invitation == null) await fetchGrant(components, grantId, 0)
    else await collectKeys(components, invitation)
  } catch (error) {
    if (!isSalusError(error) || !/^(?:GRANT_|CAPSULE_|HPKE_)/.test(error.code)) throw error
  }
}
