/** Commitments that name a wrong share before it spoils what it is combined with (docs/specs/share-plan.md). */
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import type { SharePlan } from '#core/custody/plan.ts'

type Of = Pick<SharePlan, 'network' | 'patient' | 'rule' | 'subject' | 'revision'>

function place({ network, patient, rule, subject, revision }: Of): Record<string, unknown> {
  return { network, patient, rule, subject, revision }
}

/**
 * Commits to a share. A share is as random as the key it is of, so its hash tells nothing of it.
 *
 * @param index - number of the share, from 0
 */
export function commitShare(p: Primitives, of: Of, index: number, share: Uint8Array): Uint8Array {
  return p.sha256(signingInput('salus/share-plan/1/share', { ...place(of), index, share }))
}

/** Commits to the shared key. */
export function commitSecret(p: Primitives, of: Of, key: Uint8Array): Uint8Array {
  return p.sha256(signingInput('salus/share-plan/1/secret', { ...place(of), key }))
}

/** The bytes that what is sealed under the shared key is bound to. */
export function sealedContext(of: Of): Uint8Array {
  return signingInput('salus/share-plan/1/sealed', place(of))
}
