import { SalusError } from '#core/error.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import type { SigningTarget } from '#core/agent/chain-call.ts'
import type { GivenGrant, KeptGeneration, PatientState } from '#core/agent/patient-state.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { sealCapsule, preferredKemKey } from '#core/grant/capsule.ts'
import type { CapsuleContent, CapsuleKey } from '#core/grant/capsule-keys.ts'
import { decodeGrantDocument, grantScope } from '#core/grant/document.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'
import { LAST_DAY } from '#core/record/day.ts'
import { coverOf, type CoverNode } from '#core/record/day-tree.ts'
import { compartmentTag } from '#core/record/generation.ts'

/** A grant, and whether its document names its days: then it opens those exactly. */
interface ExactGrant extends GivenGrant {
  readonly isExact: boolean
}

/**
 * The days of a generation that a grant opens. No entry of a replaced generation is dated later than the day after its last,
 * since peers take what is dated one day ahead. A grant from the beginning that outlives that day gets the whole
 * generation: one node, where the exact span would take up to sixteen, and nothing more to open.
 */
function coverOfGeneration(p: Primitives, { key, retiredDay }: KeptGeneration, grant: ExactGrant): CoverNode[] {
  const { fromDay, toDay, isExact } = grant
  if (retiredDay == null) return coverOf(p, key, fromDay, toDay)
  if (!isExact && fromDay === 0 && toDay > retiredDay) return coverOf(p, key, 0, LAST_DAY)
  const lastDay = Math.min(toDay, retiredDay + 1)
  return fromDay > lastDay ? [] : coverOf(p, key, fromDay, lastDay)
}

/** The keys that a grant hands over now: in a capsule, or through custodians. */
export function keysOfGrant(p: Primitives, state: PatientState, grant: GivenGrant): CapsuleKey[] {
  return keysOf(p, state, { ...grant, isExact: decodeGrantDocument(grant.document).days != null })
}

function keysOf(p: Primitives, state: PatientState, grant: ExactGrant): CapsuleKey[] {
  return grant.compartments.flatMap((compartment, i) =>
    state.generations[compartment]
      .filter(({ number }) => number >= (grant.firstGenerations[i] ?? Number.POSITIVE_INFINITY))
      .map(generation => ({
        compartment,
        tag: compartmentTag(p, generation.key, compartment),
        generation: generation.number,
        cover: coverOfGeneration(p, generation, grant)
      }))
      .filter(({ cover }) => cover.length > 0)
  )
}

/** Keys of single entries and attributes; a grant of those opens nothing else. */
export type SingleKeys = Required<Pick<CapsuleContent, 'entries' | 'attributes'>>

/**
 * Seals the capsule of a grant, with the revision that the grant's record names.
 *
 * @throws SalusError `GRANT_SHARED` (only custodians give its keys: a capsule would give them without a claim), `CAPSULE_OVERSIZE`
 */
export async function capsuleOf(
  p: Primitives,
  random: Random,
  from: { readonly state: PatientState; readonly keys: AgentKeys; readonly target: SigningTarget },
  grant: GivenGrant,
  single?: SingleKeys
): Promise<Uint8Array> {
  const { state, keys, target } = from
  if (grant.custody != null) {
    throw new SalusError('GRANT_SHARED', 'The keys of this grant are with custodians; no capsule of it may exist.')
  }
  const { grantee } = decodeGrantDocument(grant.document)
  const opens = single ?? { keys: keysOfGrant(p, state, grant) }
  return await sealCapsule(p, random, {
    header: {
      network: state.network,
      contract: fromHex(target.contracts.AccessGrants.address, 20),
      grantId: grant.grantId,
      patient: state.patient,
      grantee,
      terms: grant.terms,
      scope: grantScope(grant.document),
      revision: grant.capsuleRevision
    },
    to: preferredKemKey(decodeKeyBundle(grant.bundle)),
    content: { document: grant.document, keys: [], ...opens },
    patientKeys: keys
  })
}
