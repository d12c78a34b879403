/** Two devices' states of one patient, made into one (docs/specs/agent-backup.md). */
import { SalusError } from '#core/error.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { mergeGuardianPlans } from '#core/agent/guardian-plan.ts'
import type { CustodyState, GivenGrant, KeptGeneration, PatientState } from '#core/agent/patient-state.ts'
import { decodeGrantDocument } from '#core/grant/document.ts'
import { COMPARTMENTS, type Compartment } from '#core/record/compartment.ts'

/** What both states say together. */
export interface MergedPatient {
  readonly state: PatientState
  /**
   * Compartments of which some grantee may lack the present keys, because the devices changed them at once: their generations
   * are to be replaced (`planReplacement`).
   */
  readonly torn: readonly Compartment[]
}

/**
 * Merges. The order does not matter, merging twice changes nothing, and nothing that either device knew is lost.
 *
 * @throws SalusError `MERGE_PATIENT` if the states are of two patients
 */
export function mergePatientStates(a: PatientState, b: PatientState): MergedPatient {
  if (!equalBytes(a.patient, b.patient) || !equalBytes(a.network, b.network) || !equalBytes(a.seed, b.seed)) {
    throw new SalusError('MERGE_PATIENT', 'These states are of two patients, or of two seeds of one.')
  }
  const newer = a.epoch >= b.epoch ? a : b
  const generations: Partial<Record<Compartment, readonly KeptGeneration[]>> = {}
  for (const each of COMPARTMENTS) generations[each] = mergeGenerations(a.generations[each], b.generations[each])
  const merged = generations as PatientState['generations']
  const guardians = mergeGuardianPlans(a.guardians, b.guardians)
  const state: PatientState = {
    ...newer,
    ...(guardians == null ? {} : { guardians }),
    generations: merged,
    grants: mergeGrants(a.grants, b.grants).map(grant => withCustody(grant, merged, [a, b])),
    rotationRevision: Math.max(a.rotationRevision, b.rotationRevision)
  }
  return { state, torn: COMPARTMENTS.filter(each => isTorn(state, each, [a, b])) }
}

function generationName({ number, key }: KeptGeneration): string {
  return `${String(number).padStart(10, '0')}${toHex(key)}`
}

function mergeGenerations(a: readonly KeptGeneration[], b: readonly KeptGeneration[]): KeptGeneration[] {
  const merged = new Map<string, KeptGeneration>()
  for (const each of [...a, ...b]) {
    const before = merged.get(generationName(each))
    merged.set(generationName(each), { ...each, retiredDay: earlier(before?.retiredDay ?? null, each.retiredDay) })
  }
  return [...merged].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, generation]) => generation)
}

function earlier(a: number | null, b: number | null): number | null {
  return a == null || b == null ? (a ?? b) : Math.min(a, b)
}

function mergeGrants(a: readonly GivenGrant[], b: readonly GivenGrant[]): GivenGrant[] {
  const merged = new Map<string, GivenGrant>()
  for (const each of [...a, ...b]) {
    const id = toHex(each.grantId)
    const before = merged.get(id) ?? each
    const capsuleRevision = Math.max(before.capsuleRevision, each.capsuleRevision)
    merged.set(id, { ...before, ...each, capsuleRevision, isRevoked: before.isRevoked || each.isRevoked })
  }
  return [...merged.values()]
}

/** A grant whose keys are with custodians is outdated where a device says so, or no device that has it knew all keys in use. */
function withCustody(
  grant: GivenGrant,
  generations: PatientState['generations'],
  sides: readonly PatientState[]
): GivenGrant {
  if (grant.custody == null) return grant
  const isOfDays = decodeGrantDocument(grant.document).items == null
  const inUse = isOfDays ? grant.compartments.map(each => ({ each, used: generations[each].filter(isInUse) })) : []
  const known = sides.flatMap(side => {
    const own = side.grants.find(({ grantId }) => equalBytes(grantId, grant.grantId))
    return own == null ? [] : [{ side, custody: own.custody }]
  })
  const isCurrent =
    known.every(({ custody }) => custody !== 'outdated') &&
    known.some(({ side }) =>
      inUse.every(({ each, used }) => used.every(one => side.generations[each].some(kept => isSame(kept, one))))
    )
  const custody: CustodyState = isCurrent ? 'shared' : 'outdated'
  return { ...grant, custody }
}

function isInUse({ retiredDay }: KeptGeneration): boolean {
  return retiredDay == null
}

/** Whether a live grant's newest capsule was made by a device that did not have the generation now in use. */
function isTorn(state: PatientState, compartment: Compartment, sides: readonly PatientState[]): boolean {
  const inUse = state.generations[compartment].filter(isInUse)
  if (inUse.length > 1) return true
  return state.grants.some(grant => {
    if (grant.isRevoked || grant.custody != null || !grant.compartments.includes(compartment)) return false
    const makers = sides.filter(side =>
      side.grants.some(
        each => equalBytes(each.grantId, grant.grantId) && each.capsuleRevision === grant.capsuleRevision
      )
    )
    return !makers.some(side => inUse.every(used => side.generations[compartment].some(each => isSame(each, used))))
  })
}

function isSame(a: KeptGeneration, b: KeptGeneration): boolean {
  return a.number === b.number && equalBytes(a.key, b.key)
}
