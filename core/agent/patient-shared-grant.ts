/** Planning a one-time grant whose keys only custodians give (docs/specs/custody.md). */
import { keysOfGrant } from '#core/agent/patient-capsule.ts'
import { givenGrant, openingOf, type GrantWish } from '#core/agent/patient-grant.ts'
import type { GivenGrant, PatientState } from '#core/agent/patient-state.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import type { CapsuleKey } from '#core/grant/capsule-keys.ts'
import { NO_EXPIRY, RIGHT_READ, RIGHT_WRITE } from '#core/grant/terms.ts'

/** A grant whose state is to be kept before its shares go out. */
export interface PlannedSharedGrant {
  readonly state: PatientState
  readonly given: GivenGrant
  /** What is to be shared out. */
  readonly keys: readonly CapsuleKey[]
}

/**
 * Plans a one-time grant without a capsule: its keys are for `shareOneTime`, and the state says so, so that no capsule of it is
 * ever made.
 *
 * @throws SalusError `GRANT_ONCE` (not once, not only to read, or without an end), `GRANT_HISTORY_EARLY`, `GRANT_DAYS`, `TERMS_RANGE`,
 * `DAY_RANGE`, `GRANT_SHAPE`
 */
export function planSharedGrant(
  p: Primitives,
  random: Random,
  before: PatientState,
  wish: GrantWish
): PlannedSharedGrant {
  const { uses, rights, expiresAt } = wish
  if (uses !== 1 || (rights & RIGHT_READ) === 0 || (rights & RIGHT_WRITE) !== 0 || expiresAt === NO_EXPIRY) {
    throw new SalusError('GRANT_ONCE', 'Custodians keep keys for one use, to read, until a day: grant it so.')
  }
  const given: GivenGrant = { ...givenGrant(random, before, wish, openingOf(before, wish)), custody: 'shared' }
  const state = { ...before, grants: [...before.grants, given] }
  return { state, given, keys: keysOfGrant(p, state, given) }
}
