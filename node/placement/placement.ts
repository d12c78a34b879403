/** Holds on this node what belongs here, and sees that the rest is held elsewhere (docs/specs/placement.md). */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { anySignal } from 'any-signal'
import { CID } from 'multiformats/cid'
import type { Hex } from '#core/chain/events.ts'
import { decide, type Decision, type IsVouched, type PlacementRules } from '#core/placement/decide.ts'
import { orderOf } from '#core/placement/order.ts'
import { createQuotaLedger, type QuotaLedger, type Quotas } from '#core/placement/quota.ts'
import { seedOf, type PeerTable } from '#core/placement/rendezvous.ts'
import type { AskedBlob } from '#core/placement/proof.ts'
import type { AcceptIndex, PatientBlob } from '#node/assembly/accept-index.ts'
import type { NamedBlob } from '#node/assembly/blob-wants.ts'
import type { KeptPart } from '#node/assembly/blob-keeper.ts'
import { createAuditor, type HeldBlob } from '#node/placement/audit.ts'
import type { Dropper } from '#node/placement/drop.ts'
import type { Held, Holding } from '#node/placement/held.ts'
import { askHold, createHoldService, type HoldComponents } from '#node/placement/hold.ts'
import type { Members } from '#node/placement/members.ts'
import { askProofs, type AskProofsComponents } from '#node/placement/proofs.ts'
import type { Reach } from '#node/placement/reach.ts'

/** What placing needs. */
export interface PlacementComponents extends AskProofsComponents, Omit<HoldComponents, 'take' | 'isMember' | 'libp2p'> {
  readonly members: Members
  readonly reach: Reach
  readonly held: Held
  readonly index: AcceptIndex
  readonly dropper: Dropper
  readonly elapsedMs: () => number
}

/** What it is told. */
export interface PlacementInit {
  readonly rules: PlacementRules
  readonly quotas: Quotas
  /** Whether a patient named this node, so that all of its blobs stay here. */
  readonly named?: ((patient: Hex) => boolean) | undefined
  /** On whose word a copy may go. */
  readonly isVouched: IsVouched
  /** Time between two looks at what belongs here; also done whenever the members change, ms. */
  readonly scanEveryMs: number
  /** Time between two rounds of asking after what may be dropped or lacks replicas, ms. */
  readonly auditEveryMs: number
  /** Rounds in which all other blobs are asked after once. */
  readonly auditRounds: number
  /** Time for which peers are asked to keep what is dropped here, in seconds. */
  readonly leaseS: number
  /** Time to hear who is there before anything is judged to belong here, ms. */
  readonly settleMs: number
}

/** How it stands. */
export interface PlacementStatus {
  readonly members: number
  /** Blobs and bytes that are here. */
  readonly heldBlobs: number
  readonly heldBytes: number
  /** Blobs here with too few replicas elsewhere. */
  readonly missing: number
  /** Blobs that belong here and have no room. */
  readonly refused: number
  /** Blobs dropped since the start. */
  readonly dropped: number
  /** Rounds of asking that came to their end since the start. */
  readonly rounds: number
}

/** Places blobs. */
export interface Placement extends KeptPart {
  start(): Promise<void>
  stop(): Promise<void>
  /** Whether a blob that was named just now belongs here, and there is room for it. */
  keeps(blob: AskedBlob, patient: Hex): boolean
  /** Peers that should hold a blob, best first. */
  holdersOf(cid: CID): string[]
  nudge(): void
  status(): PlacementStatus
}

const PAGE = 512
/** Blobs that are asked after together. */
const AUDIT_PAGE = 128
const LOOK_MS = 250
/** Others that name a patient's blob, of whom it is asked whether they named this node. */
const MAX_OTHERS = 256

/** Makes the service; nothing is asked or dropped before `start()`. */
export function createPlacement(components: PlacementComponents, init: PlacementInit): Placement {
  const { libp2p, index, members, reach, held, dropper, elapsedMs, log } = components
  const { rules, quotas, named, isVouched, scanEveryMs, auditEveryMs, auditRounds, leaseS, settleMs } = init
  const me = libp2p.peerId.toString()
  const auditor = createAuditor(
    {
      ...{ me, members, reach, elapsedMs, log },
      prove: async (peer, blobs, options) => askProofs(components, peer, blobs, options),
      callUp: async (peer, blobs, options) => askHold(libp2p, peer, blobs, options)
    },
    { rules, leaseS, isVouched }
  )
  const stopped = new AbortController()
  const isStopped = (): boolean => stopped.signal.aborted
  const isMember = (peer: string): boolean => members.get(peer) != null
  const holds = createHoldService({ ...components, isMember, take })
  let wake = new AbortController()
  let loop: Promise<void> | undefined
  let scanned: PeerTable | undefined
  let ledger = createQuotaLedger(quotas)
  let settledAtMs = Number.POSITIVE_INFINITY
  /** What a scan has counted so far, and up to which CID. */
  let scanning: { readonly fresh: QuotaLedger; upTo: string } | undefined
  let heldBlobs = 0
  let refused = 0
  let dropped = 0
  let round = 0
  let rounds = 0

  const holdingOf = async ({ cid, sizeBytes }: NamedBlob): Promise<Holding> =>
    held.holding({ cid: CID.parse(cid), sizeBytes })
  const decideAbout = (table: PeerTable, cid: CID, bound: boolean, isHere: boolean): Decision =>
    decide(rules, table, me, { seed: seedOf(cid.multihash.digest), here: isHere, bound })

  /** Whether a patient of those whose entries name the blob named this node. */
  async function isBound(blob: PatientBlob): Promise<boolean> {
    if (named == null) return false
    if (named(blob.patient)) return true
    let others = 0
    for await (const patient of index.otherPatientsOf(blob)) {
      if (named(patient)) return true
      if (++others >= MAX_OTHERS) return false
    }
    return false
  }

  function hasRoom({ patient, sizeBytes }: Omit<PatientBlob, 'cid'>): boolean {
    if (ledger.fits(patient, sizeBytes)) return true
    refused++
    return false
  }

  /** Wants a blob if there is room for it. What is wanted is counted once it is here: anyone may name what is nowhere. */
  async function fetchHere(blob: PatientBlob): Promise<boolean> {
    if (!hasRoom(blob)) return false
    await index.want(blob)
    return true
  }

  /** A holder calls this node up. */
  async function take({ cid, sizeBytes }: AskedBlob): Promise<boolean> {
    const blob = { cid: cid.toString(), sizeBytes }
    const patient = index.patientOf(blob)
    if (patient == null) return false
    const holding = await holdingOf(blob)
    return holding === 'whole' || (holding === 'lacking' && (await fetchHere({ ...blob, patient })))
  }

  /** Every blob that entries name, in pages; the loop gets its turn between two. */
  async function* everyBlob(limit: number): AsyncGenerator<PatientBlob[]> {
    for (let after: PatientBlob | undefined; !stopped.signal.aborted;) {
      const page = await index.blobs(after, limit)
      if (page.length > 0) yield page
      if (page.length < limit) return
      after = page.at(-1)
      await nextTurn()
    }
  }

  /** Wants what belongs here and is not here; counts what is, each blob once and as large as it is. */
  async function scan(table: PeerTable): Promise<void> {
    const fresh = createQuotaLedger(quotas)
    const lacking: PatientBlob[] = []
    let count = 0
    scanning = { fresh, upTo: '' }
    refused = 0
    for await (const page of everyBlob(PAGE)) {
      for (const blob of page) {
        const cid = CID.parse(blob.cid)
        const holding = await holdingOf(blob)
        scanning.upTo = blob.cid
        if (holding === 'whole') {
          fresh.add(blob.patient, blob.sizeBytes)
          count++
        } else if (holding === 'lacking' && decideAbout(table, cid, await isBound(blob), false) === 'fetch') {
          lacking.push(blob)
        }
      }
      for (const one of lacking.splice(0)) await fetchHere(one)
    }
    ledger = fresh
    scanning = undefined
    heldBlobs = count
  }

  function uncount({ sizeBytes }: HeldBlob, patient: Hex | undefined): void {
    if (patient != null) ledger.remove(patient, sizeBytes)
  }

  async function audit(): Promise<void> {
    round++
    for await (const page of everyBlob(AUDIT_PAGE)) {
      const table = members.table()
      const blobs: HeldBlob[] = []
      const rows = new Map<HeldBlob, PatientBlob>()
      for (const row of page) {
        const cid = CID.parse(row.cid)
        if ((await holdingOf(row)) !== 'whole') continue
        const offered = decideAbout(table, cid, await isBound(row), true) === 'offer'
        const seed = seedOf(cid.multihash.digest)
        const isItsTurn = (seed[1] + round) % auditRounds === 0
        if (!offered && !isItsTurn && !auditor.isMissing(cid)) continue
        const blob = { cid, sizeBytes: row.sizeBytes, seed, offered }
        blobs.push(blob)
        rows.set(blob, row)
      }
      if (blobs.length === 0) continue
      const { droppable, broken } = await auditor.audit(blobs, stopped.signal)
      for (const blob of droppable) {
        if (!(await dropper.drop(blob.cid, blob.sizeBytes))) continue
        dropped++
        uncount(blob, rows.get(blob)?.patient)
      }
      for (const blob of broken) {
        await held.forget(blob.cid)
        uncount(blob, rows.get(blob)?.patient)
        const row = rows.get(blob)
        if (row != null && !blob.offered) await index.want(row)
      }
    }
    auditor.judge()
    rounds++
  }

  function holdersOf(cid: CID): string[] {
    const table = members.table()
    return orderOf(table, seedOf(cid.multihash.digest), rules.replicas).map(peer => table.peers[peer]?.id ?? '')
  }

  async function run(): Promise<void> {
    let scanAtMs = 0
    let auditAtMs = elapsedMs() + auditEveryMs
    while (!isStopped()) {
      try {
        const table = members.table()
        if (elapsedMs() < settledAtMs) {
          await pause(LOOK_MS / 5, undefined, { signal: stopped.signal }).catch(() => undefined)
          continue
        }
        const nudged = wake.signal.aborted
        if (nudged) wake = new AbortController()
        if (nudged || table !== scanned || elapsedMs() >= scanAtMs) {
          scanned = table
          scanAtMs = elapsedMs() + scanEveryMs
          await scan(table)
        }
        if (elapsedMs() >= auditAtMs) {
          await audit()
          auditAtMs = elapsedMs() + auditEveryMs
        }
      } catch (error) {
        if (!isStopped()) log.error({ err: error }, 'placing blobs failed; trying again')
      }
      const signal = anySignal([stopped.signal, wake.signal])
      await pause(LOOK_MS, undefined, { signal }).catch(() => undefined)
      signal.clear()
    }
  }

  return {
    async start() {
      await dropper.start()
      await holds.start()
      settledAtMs = elapsedMs() + settleMs
      loop = run()
    },
    async stop() {
      stopped.abort()
      reach.stop()
      await loop
      await holds.stop()
    },
    // Until it is known who is there, everything would seem to belong here; the first scan takes what does.
    keeps: ({ cid, sizeBytes }, patient) =>
      elapsedMs() >= settledAtMs &&
      decideAbout(members.table(), cid, named?.(patient) ?? false, false) === 'fetch' &&
      hasRoom({ patient, sizeBytes }),
    hasRoom,
    async kept(blob) {
      const patient = index.patientOf(blob)
      if (patient == null || !(await held.arrived({ cid: CID.parse(blob.cid), sizeBytes: blob.sizeBytes }))) return
      ledger.add(patient, blob.sizeBytes)
      // A scan that is past it does not see it any more.
      if (scanning != null && blob.cid <= scanning.upTo) scanning.fresh.add(patient, blob.sizeBytes)
    },
    holdersOf,
    connect: async cid => reach.reachAny(holdersOf(cid).filter(id => id !== me)),
    nudge: () => wake.abort(),
    status: () => ({
      members: members.size(),
      heldBlobs,
      heldBytes: ledger.used(),
      missing: auditor.missing(),
      refused,
      dropped,
      rounds
    })
  }
}
