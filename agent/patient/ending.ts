/** How fast a revocation takes hold, and what the former grantee may still hold (docs/specs/agent-api.md). */
import { setTimeout as pause } from 'node:timers/promises'
import { currentGeneration, type GivenGrant, type PatientState } from '#core/agent/patient-state.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import type { Clock } from '#core/crypto/primitives.ts'
import { listAccesses, type Access, type AccessSource } from '#agent/patient/accesses.ts'
import { opensVersion, versionsOf } from '#agent/patient/foresight.ts'
import type { RecordIndex } from '#agent/record-index.ts'
import type { NodeClient } from '#node/http/client.ts'

/** A node that is watched. */
export interface Replica {
  readonly url: string
  readonly client: Pick<NodeClient, 'grant'>
}

/** When a node began to refuse, counted from the patient’s word; null where it did not in time, or does not answer. */
export interface Refusal {
  readonly node: string
  readonly refusedAfterMs: number | null
  /** Why not. */
  readonly code: string | null
}

/** What the former grantee got. */
export interface Leftover {
  /** Ids of entries that its keys open: it may have kept them. */
  readonly mayHold: readonly string[]
  /** What somebody vouches for: claims on the chain, receipts of custodians. */
  readonly opened: readonly Access[]
}

const LOOK_MS = 100

/** Asks each node until it refuses the grant, or until the time is over. */
export async function watchRefusals(
  clock: Clock,
  replicas: readonly Replica[],
  { grantId, begunMs, waitMs }: { readonly grantId: Uint8Array; readonly begunMs: number; readonly waitMs: number }
): Promise<Refusal[]> {
  return Promise.all(
    replicas.map(async ({ url, client }) => {
      let code: string | null = null
      for (;;) {
        try {
          const { state } = await client.grant(toHex(grantId))
          if (state === 'revoked') return { node: url, refusedAfterMs: clock() - begunMs, code: null }
          code = null
        } catch (error) {
          if (!isSalusError(error)) throw error
          code = error.code
        }
        if (clock() - begunMs >= waitMs) return { node: url, refusedAfterMs: null, code: code ?? 'GRANT_LIVE' }
        await pause(LOOK_MS)
      }
    })
  )
}

/**
 * What a grantee may hold of the record: everything that its keys opened, whether it looked or not.
 *
 * @param before - the patient's state when the grant ended: what was sealed under newer keys is out of its reach
 */
export async function leftoverOf(
  given: GivenGrant,
  before: PatientState,
  record: Pick<RecordIndex, 'versions'>,
  sources: readonly AccessSource[]
): Promise<Leftover> {
  const id = toHex(given.grantId)
  const asGiven = { ...given, isRevoked: false }
  const versions = versionsOf(await record.versions()).filter(
    each => each.generation <= currentGeneration(before, each.compartment).number && opensVersion(asGiven, each)
  )
  const opened = (await listAccesses(sources)).filter(
    ({ grantId, what }) => grantId === id && what !== 'granted' && what !== 'revoked'
  )
  return { mayHold: [...new Set(versions.map(({ entry }) => entry))], opened }
}
