/** Holds on this node what belongs here, and sees that the rest is held elsewhere (docs/specs/placement.md). */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { peerIdFromString } from '@libp2p/peer-id'
import { anySignal } from 'any-signal'
import { CID } from 'multiformats/cid'
import type { Hex } from '#core/chain/events.ts'
import { decide, type Decision, type PlacementRules } from '#core/placement/decide.ts'
import { orderOf } from '#core/placement/order.ts'
import { createQuotaLedger, type Quotas } from '#core/placement/quota.ts'
import { seedOf, type PeerTable } from '#core/placement/rendezvous.ts'
import type { AskedBlob } from '#core/placement/proof.ts'
import type { AcceptIndex, PatientBlob } from '#node/assembly/accept-index.ts'
import { createAuditor, type AuditorComponents, type HeldBlob } from '#node/placement/audit.ts'
import type { Dropper } from '#node/placement/drop.ts'
import { createHoldService, type HoldComponents } from '#node/placement/hold.ts'

/** What placing needs. */
export interface PlacementComponents extends AuditorComponents, Omit<HoldComponents, 'take' | 'isMember' | 'libp2p'> {
  readonly index: AcceptIndex
  readonly dropper: Dropper
}

/** What it is told. */
export interface PlacementInit {
  readonly rules: PlacementRules
  readonly quotas: Quotas
  /** Whether a patient named this node, so that all of its blobs stay here. */
  readonly named?: (patient: Hex) => boolean
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
}

/** Places blobs. */
export interface Placement {
  start(): Promise<void>
  stop(): Promise<void>
  /** Whether a blob that was named just now belongs here. */
  keeps(cid: CID, patient: Hex): boolean
  /** Peers that should hold a blob, best first. */
  holdersOf(cid: CID): string[]
  /** Has the peers that should hold a blob known and connected, so that it can be fetched. */
  connect(cid: CID, signal: AbortSignal): Promise<void>
  nudge(): void
  status(): PlacementStatus
}

const PAGE = 512
/** Blobs that are asked after together. */
const AUDIT_PAGE = 128
const LOOK_MS = 250
const DIAL_MS = 5_000

/** Makes the service; nothing is asked or dropped before `start()`. */
export function createPlacement(components: PlacementComponents, init: PlacementInit): Placement {
  const { libp2p, index, blockstore, members, pledges, dropper, elapsedMs, log } = components
  const { rules, quotas, named = () => false, scanEveryMs, auditEveryMs, auditRounds, leaseS, settleMs } = init
  const me = libp2p.peerId.toString()
  const auditor = createAuditor(components, { rules, leaseS })
  const stopped = new AbortController()
  const isStopped = (): boolean => stopped.signal.aborted
  const isMember = (peer: string): boolean => members.get(peer) != null
  const holds = createHoldService({ ...components, isMember, take })
  let wake = new AbortController()
  let loop: Promise<void> | undefined
  let scanned: PeerTable | undefined
  let ledger = createQuotaLedger(quotas)
  let settledAtMs = Number.POSITIVE_INFINITY
  let held = 0
  let refused = 0
  let dropped = 0
  let round = 0

  const here = async ({ cid }: { readonly cid: string }): Promise<boolean> => await blockstore.has(CID.parse(cid))
  const decideAbout = (table: PeerTable, cid: CID, patient: Hex, isHere: boolean): Decision =>
    decide(rules, table, me, { seed: seedOf(cid.multihash.digest), here: isHere, bound: named(patient) })

  /** Wants a blob if there is room for it; what a patient wants here has room as long as there is any. */
  async function fetchHere(blob: PatientBlob): Promise<boolean> {
    if (!ledger.fits(blob.patient, blob.sizeBytes)) {
      refused++
      return false
    }
    ledger.add(blob.patient, blob.sizeBytes)
    await connect(CID.parse(blob.cid), stopped.signal)
    await index.want(blob)
    return true
  }

  /** A holder calls this node up. */
  async function take({ cid, sizeBytes }: AskedBlob): Promise<boolean> {
    const name = cid.toString()
    if (!index.names({ cid: name, sizeBytes })) return false
    if (await here({ cid: name })) return true
    const [row] = await index.blobs({ cid: name, sizeBytes: sizeBytes - 1 }, 1)
    return row?.cid === name && row.sizeBytes === sizeBytes && (await fetchHere(row))
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

  /** Wants what belongs here and is not here; counts what is. */
  async function scan(table: PeerTable): Promise<void> {
    const fresh = createQuotaLedger(quotas)
    const lacking: PatientBlob[] = []
    let count = 0
    for await (const page of everyBlob(PAGE)) {
      for (const blob of page) {
        const isHere = await here(blob)
        if (isHere) {
          fresh.add(blob.patient, blob.sizeBytes)
          count++
        } else if (decideAbout(table, CID.parse(blob.cid), blob.patient, false) === 'fetch') lacking.push(blob)
        if (lacking.length < PAGE) continue
        ledger = fresh
        for (const one of lacking.splice(0)) await fetchHere(one)
      }
    }
    ledger = fresh
    held = count
    refused = 0
    for (const blob of lacking) await fetchHere(blob)
  }

  async function audit(): Promise<void> {
    round++
    for await (const page of everyBlob(AUDIT_PAGE)) {
      const table = members.table()
      const blobs: HeldBlob[] = []
      const rows = new Map<HeldBlob, PatientBlob>()
      for (const row of page) {
        const cid = CID.parse(row.cid)
        if (!(await here(row))) continue
        const offered = decideAbout(table, cid, row.patient, true) === 'offer'
        const seed = seedOf(cid.multihash.digest)
        const isItsTurn = (seed[1] + round) % auditRounds === 0
        if (!offered && !isItsTurn && !auditor.isMissing(cid)) continue
        const blob = { cid, sizeBytes: row.sizeBytes, seed, offered }
        blobs.push(blob)
        rows.set(blob, row)
      }
      if (blobs.length === 0) continue
      const { droppable, broken } = await auditor.audit(blobs, stopped.signal)
      for (const { cid, sizeBytes } of droppable) {
        if (await dropper.drop(cid, sizeBytes)) dropped++
      }
      for (const blob of broken) {
        const row = rows.get(blob)
        if (row != null && !blob.offered) await index.want(row)
      }
    }
  }

  async function connect(cid: CID, signal: AbortSignal): Promise<void> {
    const table = members.table()
    const order = orderOf(table, seedOf(cid.multihash.digest), rules.replicas)
    await Promise.all(
      order.map(async peer => {
        const id = table.peers[peer]?.id ?? ''
        const member = members.get(id)
        if (id === me || member == null) return
        await pledges.introduce(id)
        await connectTo(id, signal)
      })
    )
  }

  async function connectTo(id: string, signal: AbortSignal): Promise<void> {
    const limit = anySignal([signal, AbortSignal.timeout(DIAL_MS)])
    try {
      const peer = peerIdFromString(id)
      if (libp2p.getConnections(peer).length === 0) await libp2p.dial(peer, { signal: limit })
    } catch (error) {
      log.debug({ err: error }, 'a holder could not be reached')
    } finally {
      limit.clear()
    }
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
      await loop
      await holds.stop()
    },
    // Until it is known who is there, everything would seem to belong here; the first scan takes what does.
    keeps: (cid, patient) =>
      elapsedMs() >= settledAtMs && decideAbout(members.table(), cid, patient, false) === 'fetch',
    holdersOf(cid) {
      const table = members.table()
      return orderOf(table, seedOf(cid.multihash.digest), rules.replicas).map(peer => table.peers[peer]?.id ?? '')
    },
    connect,
    nudge: () => wake.abort(),
    status: () => ({
      members: members.size(),
      heldBlobs: held,
      heldBytes: ledger.used(),
      missing: auditor.missing(),
      refused,
      dropped
    })
  }
}
