/** Asks after the replicas of blobs that are here: who proves them, who must be called up, what may be dropped (docs/specs/placement.md). */
import type { CID } from 'multiformats/cid'
import { isSalusError } from '#core/error.ts'
import { askedAbout, calledUp, dutyOf, mayDrop, type IsVouched, type PlacementRules } from '#core/placement/decide.ts'
import { failsItsDuty } from '#core/placement/conduct.ts'
import { MAX_HOLD_BLOBS } from '#core/placement/hold.ts'
import { MAX_PROOF_BLOBS, type AskedBlob } from '#core/placement/proof.ts'
import type { Seed } from '#core/placement/rendezvous.ts'
import type { Log } from '#node/log.ts'
import type { Members } from '#node/placement/members.ts'
import type { Reach } from '#node/placement/reach.ts'

/** A blob that is here. */
export interface HeldBlob extends AskedBlob {
  readonly seed: Seed
  /** Whether it belongs elsewhere and may go. */
  readonly offered: boolean
}

/** What asking needs. */
export interface AuditorComponents {
  /** Id of this node. */
  readonly me: string
  readonly members: Pick<Members, 'table' | 'distrust' | 'trust'>
  readonly reach: Pick<Reach, 'reach'>
  /** Has a peer prove blobs that are here, at most 32, as {@link askProofs}. */
  readonly prove: (
    peer: string,
    blobs: readonly AskedBlob[],
    options: { readonly leaseS: number; readonly signal: AbortSignal }
  ) => Promise<(boolean | undefined)[]>
  /** Has a peer take blobs over, at most 32, as {@link askHold}. */
  readonly callUp: (
    peer: string,
    blobs: readonly AskedBlob[],
    options: { readonly signal: AbortSignal }
  ) => Promise<unknown>
  readonly elapsedMs: () => number
  readonly log: Log
}

/** What it is told. */
export interface AuditorInit {
  readonly rules: PlacementRules
  /** Time for which peers are asked to keep what is dropped here, in seconds. */
  readonly leaseS: number
  /** On whose word a copy may go. */
  readonly isVouched: IsVouched
}

/** What came of it. */
export interface AuditOutcome {
  /** Blobs that may be dropped now. */
  readonly droppable: readonly HeldBlob[]
  /** Blobs of which something is not here any more. */
  readonly broken: readonly HeldBlob[]
  /** Blobs with too few replicas. */
  readonly missing: number
}

/** Asks. */
export interface Auditor {
  audit(blobs: readonly HeldBlob[], signal: AbortSignal): Promise<AuditOutcome>
  /** Ends a round: peers that proved next to nothing of what they should hold in it are left out for a while, the others trusted. */
  judge(): void
  /** Blobs with too few replicas, as far as is known. */
  missing(): number
  /** Whether a blob is one of them. */
  isMissing(cid: CID): boolean
}

/** Most blobs of which is remembered since when replicas are missing. */
const MAX_MISSING = 100_000
/** Turns that a peer among the first has until it counts as one that does not hold what it should. */
const PATIENCE = 3

/** Makes an {@link Auditor}. */
export function createAuditor(components: AuditorComponents, { rules, leaseS, isVouched }: AuditorInit): Auditor {
  const { me, members, reach, prove, callUp, elapsedMs, log } = components
  const missingSince = new Map<string, number>()
  /** What each peer proved in this round of that which it should hold, and what it should have by now and did not. */
  const conduct = new Map<string, { proven: number; failed: number }>()

  /** Asks one peer about many blobs; what it proves and what it fails to prove. Undefined where it cannot be asked. */
  async function askPeer(
    peer: string,
    blobs: readonly HeldBlob[],
    forS: number,
    signal: AbortSignal
  ): Promise<(boolean | undefined)[] | undefined> {
    const outcome: (boolean | undefined)[] = []
    try {
      if (!(await reach.reach(peer))) return undefined
      for (let from = 0; from < blobs.length; from += MAX_PROOF_BLOBS) {
        const some = blobs.slice(from, from + MAX_PROOF_BLOBS)
        outcome.push(...(await prove(peer, some, { leaseS: forS, signal })))
      }
      return outcome
    } catch (error) {
      signal.throwIfAborted()
      if (!isSalusError(error)) throw error
      log.debug({ peer, code: error.code }, 'a peer did not prove what it holds')
      return undefined
    }
  }

  async function call(peer: string, blobs: readonly HeldBlob[], signal: AbortSignal): Promise<void> {
    try {
      if (!(await reach.reach(peer))) return
      for (let from = 0; from < blobs.length; from += MAX_HOLD_BLOBS) {
        await callUp(peer, blobs.slice(from, from + MAX_HOLD_BLOBS), { signal })
      }
    } catch (error) {
      signal.throwIfAborted()
      if (!isSalusError(error)) throw error
      log.debug({ peer, code: error.code }, 'a peer could not be called up')
    }
  }

  function note(peer: string, what: 'proven' | 'failed'): void {
    const sum = conduct.get(peer) ?? { proven: 0, failed: 0 }
    sum[what]++
    conduct.set(peer, sum)
  }

  return {
    missing: () => missingSince.size,
    isMissing: cid => missingSince.has(cid.toString()),
    async audit(blobs, signal) {
      const table = members.table()
      const holders = new Map(blobs.map(blob => [blob, new Set<string>()]))
      const failed = new Map(blobs.map(blob => [blob, new Set<string>()]))
      const broken = new Set<HeldBlob>()
      const askedOf = ({ seed }: HeldBlob): string[] => askedAbout(rules, table, me, seed)
      // Only the first promise to keep what is offered: two others that promised each other would both keep it for ever.
      const promises = (blob: HeldBlob, peer: string): boolean =>
        blob.offered && askedOf(blob).indexOf(peer) < rules.replicas

      /** Asks some peers about some blobs, each peer once for those that it is to promise and once for the others. */
      async function ask(some: readonly HeldBlob[], peersOf: (blob: HeldBlob) => readonly string[]): Promise<void> {
        const questions = [true, false].flatMap(isPromised => {
          const chosen = (blob: HeldBlob): string[] => peersOf(blob).filter(peer => promises(blob, peer) === isPromised)
          return [...byPeer(some, chosen)].map(([peer, asked]) => ({ peer, asked, forS: isPromised ? leaseS : 0 }))
        })
        await Promise.all(
          questions.map(async ({ peer, asked, forS }) => {
            const outcome = await askPeer(peer, asked, forS, signal)
            for (const [index, blob] of asked.entries()) {
              const proven = outcome?.[index]
              if (proven === true) holders.get(blob)?.add(peer)
              else if (outcome != null && proven == null) broken.add(blob)
              else if (proven === false) failed.get(blob)?.add(peer)
            }
          })
        )
      }
      const countOf = (blob: HeldBlob): number => (holders.get(blob)?.size ?? 0) + (blob.offered ? 0 : 1)
      const wanted = Math.min(rules.replicas, table.peers.length)
      await ask(blobs, blob => askedOf(blob).slice(0, rules.replicas))
      // Those behind them hold it only where one of the first does not.
      const lacking = blobs.filter(blob => !broken.has(blob) && countOf(blob) < wanted)
      await ask(lacking, blob => askedOf(blob).slice(rules.replicas))
      const droppable: HeldBlob[] = []
      const calls = new Map<HeldBlob, string[]>()
      let missing = 0
      const nowMs = elapsedMs()
      for (const blob of blobs) {
        if (broken.has(blob)) continue
        const name = blob.cid.toString()
        const seen = holders.get(blob) ?? new Set<string>()
        if (countOf(blob) >= wanted) missingSince.delete(name)
        else if (missingSince.size < MAX_MISSING) missingSince.set(name, missingSince.get(name) ?? nowMs)
        const missingMs = nowMs - (missingSince.get(name) ?? nowMs)
        const facts = { seed: blob.seed, holders: seen, missingMs }
        if (missingSince.has(name)) missing++
        if (blob.offered && mayDrop(rules, table, me, facts, isVouched)) droppable.push(blob)
        else calls.set(blob, calledUp(rules, table, me, facts))
        for (const peer of dutyOf(rules, table, me, blob.seed)) {
          if (seen.has(peer)) note(peer, 'proven')
          // Who is behind the first holds nothing until it is called up, and the first have their time as well.
          else if (failed.get(blob)?.has(peer) === true && missingMs > PATIENCE * rules.takeOverMs) note(peer, 'failed')
        }
      }
      await Promise.all(
        [...byPeer([...calls.keys()], blob => calls.get(blob) ?? [])].map(async ([peer, asked]) =>
          call(peer, asked, signal)
        )
      )
      return { droppable, broken: [...broken], missing }
    },
    judge() {
      for (const [peer, counts] of conduct) {
        if (failsItsDuty(counts)) members.distrust(peer)
        else if (counts.proven > 0) members.trust(peer)
      }
      conduct.clear()
    }
  }
}

/** The blobs of each peer. */
function byPeer(blobs: readonly HeldBlob[], peersOf: (blob: HeldBlob) => readonly string[]): Map<string, HeldBlob[]> {
  const asked = new Map<string, HeldBlob[]>()
  for (const blob of blobs) {
    for (const peer of peersOf(blob)) {
      const list = asked.get(peer)
      if (list == null) asked.set(peer, [blob])
      else list.push(blob)
    }
  }
  return asked
}
