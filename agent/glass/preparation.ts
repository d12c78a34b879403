/** What a patient prepares for an emergency: shares at custodians, renewed long before they open nothing any more. */
import { shareEmergency } from '#core/custody/emergency-keys.ts'
import { auditedSharing } from '#core/crypto/secret-sharing.ts'
import { concat, equalBytes } from '#core/encoding/bytes.ts'
import type { PatientState } from '#core/agent/patient-state.ts'
import { dayOf } from '#core/record/day.ts'
import { compartmentTag } from '#core/record/generation.ts'
import { secondsOf } from '#agent/components.ts'
import { deliverShare, meetCustodians, outgoing } from '#agent/custody/custodians.ts'
import type { GlassComponents } from '#agent/glass/glass.ts'
import type { Preparation } from '#agent/glass/prepared.ts'

const HOUR_S = 3600
/** What is shared out opens entries of so many days to come, in case this agent is not there to renew it. */
const AHEAD_DAYS = 14

/**
 * Chooses custodians and hands each its share.
 *
 * @throws SalusError `SHARES_RANGE`, as `meetCustodians`, and what a custodian refuses its share with
 */
export async function prepareEmergency(
  components: GlassComponents,
  wish: Pick<Preparation, 'custodians' | 'threshold' | 'hours'>
): Promise<Preparation> {
  const before = await components.shelf.preparation.read()
  const revision = before?.revision ?? 0
  const chosen = { ...wish, revision, fromDay: 0, throughDay: 0, keys: new Uint8Array(32) }
  return shareAnew(components, chosen)
}

/** Shares out anew where a day has passed, or keys were replaced since; whether it did. */
export async function renewPreparation(components: GlassComponents): Promise<boolean> {
  const prepared = await components.shelf.preparation.read()
  if (prepared == null) return false
  const { account } = await components.accounts.patient()
  const span = spanOf(components, prepared.hours)
  const isFresh = span.fromDay === prepared.fromDay && span.throughDay === prepared.throughDay
  if (isFresh && equalBytes(prepared.keys, keysOf(components, account.state))) return false
  await shareAnew(components, prepared)
  return true
}

async function shareAnew(components: GlassComponents, prepared: Preparation): Promise<Preparation> {
  const { p, random, clock, accounts, shelf } = components
  const { account, keys } = await accounts.patient()
  const { state } = account
  // All of them first: a custodian that is not there is noticed before any is given a share that fits no other's.
  const custodians = await meetCustodians(p, prepared.custodians, state.network)
  const keepers = custodians.map(({ card }) => card)
  // A device that was restored knows no revision: time is ahead of all that was counted.
  const revision = Math.max(prepared.revision + 1, secondsOf(clock))
  const span = spanOf(components, prepared.hours)
  const { threshold } = prepared
  const how = { rule: 'glass' as const, revision, threshold, keepers, ...span }
  const { shares } = await shareEmergency({ p, random, sharing: auditedSharing }, { state, keys }, how)
  await shelf.preparation.update(() => ({ ...prepared, revision, fromDay: 0, throughDay: 0 }))
  await Promise.all(outgoing(custodians, shares).map(async share => deliverShare(p, share)))
  const done = { ...prepared, revision, ...span, keys: keysOf(components, state) }
  await shelf.preparation.update(() => done)
  return done
}

function spanOf({ clock }: GlassComponents, hours: number): { fromDay: number; throughDay: number } {
  const nowMs = clock()
  return { fromDay: dayOf(nowMs - hours * HOUR_S * 1000), throughDay: dayOf(nowMs) + AHEAD_DAYS }
}

function keysOf({ p }: GlassComponents, { generations }: PatientState): Uint8Array {
  const tags = (['emergency', 'vitals'] as const).flatMap(compartment =>
    generations[compartment].map(({ key }) => compartmentTag(p, key, compartment))
  )
  return p.sha256(concat(...tags))
}
