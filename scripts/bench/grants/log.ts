/** The log at growing sizes: verification, what is new, restoring and listing, against the signature checks alone. */
import { randomBytes } from 'node:crypto'
import type { CID } from 'multiformats/cid'
import type { RecordOnChain } from '#core/agent/record-on-chain.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { deriveAgentKeys, type AgentKeys } from '#core/identity/agent-keys.ts'
import { encodeEvidence } from '#core/identity/evidence.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import type { LogFacts } from '#core/log/facts.ts'
import { createLog, type Log, type LogInput } from '#core/log/log.ts'
import { RAW_CODEC, cidOfDigest } from '#core/record/cid.ts'
import { decodeEntry, signEntry, verifyEntry } from '#core/record/entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import type { Bench } from '#scripts/bench/report.ts'

const DAY = 20_777
const PAGE = 100
/** One entry in this many is revised. */
const REVISED = 5
const PER_DAY = 40
/** Headers that are new to a log, at most as many as it has. */
const NEW = 1000
/** Parts that work and yardstick are taken in by turns. */
const TURNS = 20
const TARGET = { chainId: 31_337, contracts: { AccessGrants: { address: `0x${'a1'.repeat(20)}` } } }
const PATIENT = randomBytes(32)
const NETWORK = networkIdOf(TARGET.chainId, TARGET.contracts.AccessGrants.address)

/** Headers as a busy record has them: a few an hour, each following the one before, some revised. */
function* headers(keys: AgentKeys, count: number, perDay: number): Generator<LogInput, void, undefined> {
  const evidenceBytes = encodeEvidence({ bundle: keys.bundleBytes })
  let before: { readonly cid: CID; readonly entry: Uint8Array; readonly revision: number } | null = null
  for (let i = 0; i < count; i++) {
    const isRevision = before != null && i % REVISED === 0
    const entry: Uint8Array = isRevision && before != null ? before.entry : randomBytes(16)
    const revision: number = isRevision && before != null ? before.revision + 1 : 1
    const header = {
      network: NETWORK,
      patient: PATIENT,
      tag: new Uint8Array(16),
      entry,
      revision,
      parents: before == null ? [] : [before.cid],
      generation: 1,
      day: Math.max(0, DAY - Math.floor((count - i) / perDay)),
      author: keys.bundle.sign,
      grant: null,
      blob: cidOfDigest(RAW_CODEC, randomBytes(32)),
      sizeBytes: 2120
    }
    const headerBytes = signEntry(p, header, keys.signSeed)
    before = { cid: decodeEntry(headerBytes).cid, entry, revision }
    yield { headerBytes, evidenceBytes }
  }
}

/** Processor time: on a machine that others use too, the growth with size shows in it and not in the clock. */
function perItemUs(count: number, work: () => void): number {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / count
}

function check({ headerBytes }: LogInput): void {
  if (!verifyEntry(p, decodeEntry(headerBytes))) throw new Error('the header is genuine')
}

/** What taking headers in costs, and what decoding and checking them alone does, by turns. */
function byTurns(
  inputs: readonly LogInput[],
  take: (part: readonly LogInput[]) => void
): { own: number[]; bare: number[] } {
  const own: number[] = []
  const bare: number[] = []
  const size = Math.ceil(inputs.length / TURNS)
  for (let at = 0; at < inputs.length; at += size) {
    const part = inputs.slice(at, at + size)
    bare.push(perItemUs(part.length, () => part.forEach(check)))
    own.push(perItemUs(part.length, () => take(part)))
  }
  return { own, bare }
}

/** Goes through all entries, page by page. */
function listAll(log: Log): void {
  let page = log.list({ limit: PAGE })
  while (page.length > 0) {
    for (const { key } of page) log.entry(key)
    page = log.list({ limit: PAGE, after: page.at(-1) })
  }
}

/** Figures of the log, at these sizes. */
export async function benchLog(bench: Bench, sizes: readonly number[]): Promise<void> {
  const keys = await deriveAgentKeys(p, randomBytes(32), [2])
  const keyBundles = [{ digest: keyBundleDigest(keys.bundleBytes), replacedAtS: null }]
  const record: RecordOnChain = { target: TARGET, patient: PATIENT, keyBundles, grants: [] }
  const facts: LogFacts = { record, blockTimeS: DAY * 86_400 }
  for (const size of sizes) {
    bench.progress(`log of ${String(size)} entries`)
    const count = size + Math.min(NEW, size)
    measureLog(bench, facts, [...headers(keys, count, PER_DAY)], size)
    measureOneDay(bench, facts, [...headers(keys, count, Number.POSITIVE_INFINITY)], size)
  }
}

function measureLog(bench: Bench, facts: LogFacts, all: readonly LogInput[], size: number): void {
  const [old, more] = [all.slice(0, size), all.slice(size)]
  const rows = new Map<string, Uint8Array>()
  const log = createLog(p, facts, { rows: { put: (key, row) => rows.set(key, row), delete: key => rows.delete(key) } })
  const verified = byTurns(old, part => part.forEach(each => log.add(each)))
  const restored = perItemUs(old.length, () => {
    const other = createLog(p, facts)
    for (const key of [...rows.keys()].sort()) other.restore(rows.get(key) ?? new Uint8Array())
  })
  const listed = Array.from({ length: 5 }, () => perItemUs(old.length, () => listAll(log)))
  const rowBytes = [...rows.values()].reduce((sum, row) => sum + row.length, 0) / old.length
  const added = byTurns(more, part => {
    for (const each of part) {
      log.add(each)
      log.list({ limit: PAGE })
      log.parentsOfNew()
    }
  })
  const reversed = createLog(p, facts, { maxWaiting: Number.POSITIVE_INFINITY })
  const backwards = perItemUs(old.length, () => old.toReversed().forEach(each => reversed.add(each)))

  const name = String(old.length)
  const unit = 'us CPU/entry'
  const yardstick = 'decoding and one native Ed25519 check each'
  const versus = { name: yardstick, samples: verified.bare }
  bench.figure({ metric: `log.verify.${name}`, samples: verified.own, unit, versus })
  bench.figure({ metric: `log.verify-newest-first.${name}`, samples: [backwards], unit, versus })
  bench.figure({
    metric: `log.add-and-show.${name}`,
    samples: added.own,
    unit,
    versus: { name: yardstick, samples: added.bare }
  })
  bench.figure({ metric: `log.restore.${name}`, samples: [restored], unit, versus })
  bench.figure({ metric: `log.list.${name}`, samples: listed, unit })
  bench.figure({ metric: `log.row.${name}`, samples: [rowBytes], unit: 'B/entry' })
}

/** The same where everything is of one day, as after taking in a box of old papers. */
function measureOneDay(bench: Bench, facts: LogFacts, all: readonly LogInput[], size: number): void {
  const log = createLog(p, facts)
  for (const each of all.slice(0, size)) log.add(each)
  const added = byTurns(all.slice(size), part => {
    for (const each of part) {
      log.add(each)
      log.list({ limit: PAGE })
      log.parentsOfNew()
    }
  })
  bench.figure({
    metric: `log.add-and-show.one-day.${String(size)}`,
    samples: added.own,
    unit: 'us CPU/entry',
    versus: { name: 'decoding and one native Ed25519 check each', samples: added.bare }
  })
}
