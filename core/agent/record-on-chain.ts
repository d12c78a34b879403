/** What the chain says of one patient's record, as those who read it need it: plain data, gathered before reading. */
import type { SigningTarget } from '#core/agent/chain-call.ts'
import type { ChainEvent } from '#core/chain/events.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'

/** A key bundle that the patient has or had. */
export interface PatientBundle {
  /** keccak-256 of its bytes, 32 bytes. */
  readonly digest: Uint8Array
  /** Time of the block that first named it, seconds since 1970-01-01; unknown if absent. */
  readonly namedAtS?: number
  /** Time of the block that replaced it, seconds since 1970-01-01; null for the one in use. */
  readonly replacedAtS: number | null
}

/** A grant that the patient gave, also one that has ended since. */
export interface GrantInRecord {
  /** 32 bytes. */
  readonly grantId: Uint8Array
  /** As granted (core/grant/terms.ts). */
  readonly terms: bigint
  /** Time of the block that first named it, seconds since 1970-01-01; unknown if absent. */
  readonly givenAtS?: number
  /** Time of the block that revoked it; absent or null while it was not. */
  readonly revokedAtS?: number | null
}

/** Who may have written into a record. */
export interface RecordOnChain {
  /** The chain and the contracts that say it; bindings of keys are made for them. */
  readonly target: SigningTarget
  /** Pseudonym, 32 bytes. */
  readonly patient: Uint8Array
  readonly keyBundles: readonly PatientBundle[]
  readonly grants: readonly GrantInRecord[]
}

/** An event with the time of its block, seconds since 1970-01-01. */
export interface DatedEvent {
  readonly event: ChainEvent
  readonly timeS: number
}

/**
 * Folds the chain's events, in their order, into what they say of one record. Events of other patients say nothing of it.
 * They have to come from a chain that the reader trusts: whoever may name grants here may write in the patient's name.
 */
export function foldRecordOnChain(
  target: SigningTarget,
  patient: Uint8Array,
  events: readonly DatedEvent[]
): RecordOnChain {
  const id = toHex(patient)
  let keyBundles: PatientBundle[] = []
  const grants = new Map<string, GrantInRecord>()
  for (const { event, timeS } of events) {
    if (!('patient' in event) || event.patient !== id) continue
    if (event.name === 'PatientRegistered' || event.name === 'KeyBundleUpdated') {
      const before = keyBundles.map(each => ({ ...each, replacedAtS: each.replacedAtS ?? timeS }))
      keyBundles = [...before, { digest: fromHex(event.keyBundle, 32), namedAtS: timeS, replacedAtS: null }]
    }
    // The newest counts: a grant out of a batch is told again when it gets a slot of its own.
    if (event.name === 'Granted') {
      const before = grants.get(event.grantId)
      grants.set(event.grantId, {
        grantId: fromHex(event.grantId, 32),
        terms: event.terms,
        givenAtS: before?.givenAtS ?? timeS,
        revokedAtS: before?.revokedAtS ?? null
      })
    }
    const revoked = event.name === 'Revoked' ? grants.get(event.grantId) : undefined
    if (revoked != null) grants.set(toHex(revoked.grantId), { ...revoked, revokedAtS: timeS })
  }
  return { target, patient, keyBundles, grants: [...grants.values()] }
}
