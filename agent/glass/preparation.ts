/** What a patient prepares for an emergency: shares at custodians, renewed long before they open nothing any more. */
import { readConfirmation } from '#core/custody/confirmation.ts'
import { readCustodianCard } from '#core/custody/custodian-card.ts'
import { shareEmergency } from '#core/custody/emergency-keys.ts'
import { auditedSharing } from '#core/crypto/secret-sharing.ts'
import { concat, equalBytes } from '#core/encoding/bytes.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'
import type { PatientState } from '#core/agent/patient-state.ts'
import { dayOf } from '#core/record/day.ts'
import { compartmentTag } from '#core/record/generation.ts'
import { secondsOf } from '#agent/components.ts'
import type { GlassComponents } from '#agent/glass/glass.ts'
import type { Preparation } from '#agent/glass/prepared.ts'
import { createCustodyClient } from '#node/http/client-custody.ts'

const HOUR_S = 3600
/** What is shared out opens entries of so many days to come, in case this agent is not there to renew it. */
const AHEAD_DAYS = 14

/**
 * Chooses custodians and hands each its share.
 *
 * @throws SalusError `SHARES_RANGE`, `CUSTODIAN_CARD_*`, `NODE_*`, and what a custodian refuses its share with
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
  const clients = prepared.custodians.map(url => createCustodyClient({ url }))
  // All of them first: a custodian that is not there is noticed before any is given a share that fits no other's.
  const keepers = await Promise.all(
    clients.map(async client => readCustodianCard(p, await client.card(), state.network))
  )
  // A device that was restored knows no revision: time is ahead of all that was counted.
  const revision = Math.max(prepared.revision + 1, secondsOf(clock))
  const span = spanOf(components, prepared.hours)
  const { threshold } = prepared
  const how = { rule: 'glass' as const, revision, threshold, keepers, ...span }
  const { planBytes, shares } = await shareEmergency({ p, random, sharing: auditedSharing }, { state, keys }, how)
  await shelf.preparation.update(() => ({ ...prepared, revision, fromDay: 0, throughDay: 0 }))
  await Promise.all(
    clients.map(async (client, index) => {
      const confirmation = await client.keep(shares[index] ?? new Uint8Array())
      const keeper = decodeKeyBundle(keepers[index]?.bundle ?? new Uint8Array()).sign
      readConfirmation(p, confirmation, { planBytes, index, keeper })
    })
  )
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
