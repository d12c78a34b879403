/** Who got at the record and when, as far as somebody other than the reader vouches for it. */
import { toHex } from '#core/encoding/bytes.ts'
import type { Accounts } from '#agent/accounts.ts'
import type { AgentComponents } from '#agent/components.ts'

/** One thing that happened. */
export interface Access {
  /** Milliseconds since 1970-01-01. */
  readonly atMs: number
  /** For example `granted`, `claimed`, `revoked`. */
  readonly what: string
  /** Id of the grant, `0x…`. */
  readonly grantId: string
  /** Who vouches for it: `chain`, or whatever other source is asked. */
  readonly source: string
}

/** Where accesses are told of: the chain, and whatever keeps receipts. */
export interface AccessSource {
  list(): Promise<readonly Access[]>
}

/** All accesses, oldest first. */
export async function listAccesses(sources: readonly AccessSource[]): Promise<Access[]> {
  const lists = await Promise.all(sources.map(async source => source.list()))
  return lists.flat().sort((a, b) => a.atMs - b.atMs)
}

/** What the chain tells of the patient's grants. */
export function chainAccesses({ chain, accounts }: AgentComponents & { readonly accounts: Accounts }): AccessSource {
  return {
    async list() {
      const { account } = await accounts.patient()
      const id = toHex(account.state.patient)
      const own = new Set<string>()
      const accesses: Access[] = []
      for (const { event, timeS } of await chain.events()) {
        if (!('grantId' in event)) continue
        if ('patient' in event && event.patient === id) own.add(event.grantId)
        if (!own.has(event.grantId)) continue
        accesses.push({ atMs: timeS * 1000, what: event.name.toLowerCase(), grantId: event.grantId, source: 'chain' })
      }
      return accesses
    }
  }
}
