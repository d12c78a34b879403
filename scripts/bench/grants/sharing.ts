/** A grant and the opening of a record of 1 MB, between processes on one machine, against what Romel et al. report. */
import { randomBytes } from 'node:crypto'
import { publishEntry, readPage, withBlob } from '#agent/network/record.ts'
import type { ReceivedEntry } from '#core/agent/author.ts'
import { openAsGrantee } from '#core/agent/grantee-entries.ts'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { isSalusError } from '#core/error.ts'
import { dayOf } from '#core/record/day.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import type { NodeClient, StoredEntry } from '#node/http/client.ts'
import { timedGrant } from '#scripts/bench/grants/giving.ts'
import { bareTransaction, endsOf, lookUntil, registeredPatient, type BenchWorld } from '#scripts/bench/grants/world.ts'
import type { Bench } from '#scripts/bench/report.ts'
import { createDemoClinician, osRandom, type DemoClinician, type DemoPatient } from '#scripts/story/people.ts'

const MB = 1_000_000
/** Romel et al., https://arxiv.org/abs/2511.17464: gas of one grant on Ethereum, and seconds to open a record of 1 MB. */
const ROMEL = { gas: 78_000, s3Ms: 700, ipfsMs: 1400 }
const TO_BLOCK = 'a bare transaction until every node has followed its block'

interface OpenedRecord {
  /** Where the entry stands at the clinician's node. */
  readonly position: number
  /** From the patient's handing in until the clinician's node lists it. */
  readonly listedMs: number
  /** From the question at that node until the content is checked and open, the blob fetched from the peer that has it. */
  readonly openedMs: number
  /** The same again: the node has the blob now. */
  readonly againMs: number
  /** The same sealed bytes from that node by one plain GET. */
  readonly plainMs: number
}

async function openRecord(
  world: BenchWorld,
  patient: DemoPatient,
  doctor: DemoClinician,
  { grantId, after }: { readonly grantId: Uint8Array; readonly after: number }
): Promise<OpenedRecord> {
  const { near, far } = endsOf(world)
  const { patient: id, network } = patient.state
  const content = { type: 'application/octet-stream', recordedAtMs: Date.now(), body: new Uint8Array(randomBytes(MB)) }
  const entry = sealAsPatient(p, osRandom, patient, { compartment: 'documents', day: dayOf(Date.now()), content })
  const components = { p, random: osRandom, clock: () => Date.now() }
  const newest = async () => {
    const { entries } = await readPage(components, far.client, doctor, { patient: id, grant: grantId, after })
    return entries[0]
  }
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const begun = performance.now()
    await work()
    return performance.now() - begun
  }
  let position = after
  const open = async (): Promise<void> => {
    const stored = await newest()
    if (stored == null) throw new Error('the entry is there')
    position = stored.position
    const received = await fetched(far.client, stored)
    const opened = openAsGrantee(p, doctor.state, received, await world.facts.recordOf(id))
    if (opened.content.body.length !== MB) throw new Error('the whole record is opened')
  }
  const published = publishEntry(near.client, network, entry, patient.evidence)
  const listedMs = await timed(() => lookUntil(async () => (await newest()) != null))
  await published
  const openedMs = await timed(open)
  const againMs = await timed(open)
  const cid = decodeEntry(entry.headerBytes).header.blob.toString()
  const plainMs = await timed(() => far.client.getBlob(cid))
  return { position, listedMs, openedMs, againMs, plainMs }
}

/** The entry with its blob; where the node did not get it from its peers in time, asked again, as a person would. */
async function fetched(client: NodeClient, stored: StoredEntry): Promise<ReceivedEntry> {
  for (;;) {
    try {
      return await withBlob(client, stored)
    } catch (error) {
      if (!isSalusError(error, 'FETCH_NO_BLOCK')) throw error
    }
  }
}

/** Figures of sharing. */
export async function benchSharing(bench: Bench, world: BenchWorld, rounds: number): Promise<void> {
  const patient = await registeredPatient(world)
  const bare: number[] = []
  const grants: Awaited<ReturnType<typeof timedGrant>>[] = []
  const opened: OpenedRecord[] = []
  let after = 0
  for (let round = 0; round < rounds; round++) {
    bench.progress(`grant and record of 1 MB, ${String(round + 1)} of ${String(rounds)}`)
    const doctor = await createDemoClinician(world.deployment)
    bare.push(await bareTransaction(world))
    const given = await timedGrant(world, patient, doctor)
    grants.push(given)
    const record = await openRecord(world, patient, doctor, { grantId: given.grantId, after })
    opened.push(record)
    after = record.position
  }
  const s3 = { name: 'Romel et al., from S3', samples: [ROMEL.s3Ms] }
  const ipfs = { name: 'Romel et al., from IPFS', samples: [ROMEL.ipfsMs] }
  const plain = { name: 'the sealed bytes by one GET', samples: opened.map(each => each.plainMs) }
  const chain = { name: TO_BLOCK, samples: bare }
  bench.figure({
    metric: 'share.grant.gas',
    samples: grants.map(({ gas }) => gas),
    unit: 'gas',
    versus: { name: 'a grant of Romel et al.', samples: [ROMEL.gas] }
  })
  bench.figure({ metric: 'share.grant.prepare', samples: grants.map(each => each.preparedMs), unit: 'ms' })
  const inBlock = grants.map(each => each.inBlockMs)
  bench.figure({ metric: 'share.grant.in-block', samples: inBlock, unit: 'ms', versus: chain })
  const claimed = grants.map(each => each.claimedMs)
  bench.figure({ metric: 'share.grant.claimed-at-another-node', samples: claimed, unit: 'ms', versus: chain })
  bench.figure({ metric: 'share.record-1MB.listed', samples: opened.map(each => each.listedMs), unit: 'ms' })
  const isLess = (_median: number, ratio: number | null): boolean => ratio != null && ratio < 1
  const openedMs = opened.map(each => each.openedMs)
  const first = { metric: 'share.record-1MB.open-from-peer', samples: openedMs, unit: 'ms' }
  bench.figure({ ...first, versus: s3, goal: 'less than from S3', meets: isLess })
  bench.figure({ ...first, versus: ipfs, goal: 'less than from IPFS', meets: isLess })
  const again = { metric: 'share.record-1MB.open-again', samples: opened.map(each => each.againMs), unit: 'ms' }
  bench.figure({ ...again, versus: plain })
}
