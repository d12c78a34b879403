/** The log at three sizes: verification, one more entry, restoring and listing, against the signature checks alone. */
import { randomBytes } from 'node:crypto'
import type { CID } from 'multiformats/cid'
import type { RecordOnChain } from '#core/agent/record-on-chain.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { deriveAgentKeys, type AgentKeys } from '#core/identity/agent-keys.ts'
import { encodeEvidence } from '#core/identity/evidence.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import type { LogFacts } from '#core/log/facts.ts'
import { createLog, type LogInput } from '#core/log/log.ts'
import { RAW_CODEC, cidOfDigest } from '#core/record/cid.ts'
import { decodeEntry, signEntry, verifyEntry } from '#core/record/entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import type { Bench } from '#scripts/bench/report.ts'

const DAY = 20_777
const PAGE = 100
/** One entry in this many is revised, and one is followed by another entry. */
const REVISED = 5
const TARGET = { chainId: 31_337, contracts: { AccessGrants: { address: `0x${'a1'.repeat(20)}` } } }
const PATIENT = randomBytes(32)
const NETWORK = networkIdOf(TARGET.chainId, TARGET.contracts.AccessGrants.address)

/** Headers as a busy record has them: a few an hour, each following the one before, some revised. */
function* headers(keys: AgentKeys, count: number): Generator<LogInput, void, undefined> {
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
      day: DAY - Math.floor((count - i) / 40),
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

/** Figures of the log. */
export async function benchLog(bench: Bench): Promise<void> {
  const keys = await deriveAgentKeys(p, randomBytes(32), [2])
  const keyBundles = [{ digest: keyBundleDigest(keys.bundleBytes), replacedAtS: null }]
  const record: RecordOnChain = { target: TARGET, patient: PATIENT, keyBundles, grants: [] }
  const facts: LogFacts = { record, blockTimeS: DAY * 86_400 }
  const extra = 200
  for (const size of bench.quick ? [1000, 10_000] : [1000, 10_000, 100_000]) {
    bench.progress(`log of ${String(size)} entries`)
    const all = [...headers(keys, size + extra)]
    const [old, more] = [all.slice(0, size), all.slice(size)]
    const rounds = bench.quick || size > 10_000 ? 1 : size > 1000 ? 2 : 6
    const samples = {
      verify: [] as number[],
      check: [] as number[],
      add: [] as number[],
      list: [] as number[],
      restore: [] as number[]
    }
    let rowBytes = 0
    for (let round = 0; round < rounds; round++) {
      const rows = new Map<string, Uint8Array>()
      const log = createLog(p, facts, {
        rows: { put: (key, row) => rows.set(key, row), delete: key => rows.delete(key) }
      })
      // In the order in which a stranger would send them: each waits for the next.
      const order = round % 2 === 1 ? old : [...old].reverse()
      const later = createLog(p, facts, { maxWaiting: Number.POSITIVE_INFINITY })
      samples.verify.push(perItemUs(size, () => order.forEach(each => later.add(each))))
      samples.check.push(perItemUs(size, () => old.forEach(each => verifyEntry(p, decodeEntry(each.headerBytes)))))
      for (const each of old) log.add(each)
      samples.restore.push(
        perItemUs(size, () => {
          const restored = createLog(p, facts)
          for (const key of [...rows.keys()].sort()) restored.restore(rows.get(key) ?? new Uint8Array())
        })
      )
      samples.add.push(perItemUs(extra, () => more.forEach(each => log.add(each))))
      samples.list.push(
        perItemUs(size, () => {
          let page = log.list({ limit: PAGE })
          while (page.length > 0) {
            for (const { key } of page) log.entry(key)
            page = log.list({ limit: PAGE, after: page.at(-1) })
          }
        })
      )
      rowBytes = [...rows.values()].reduce((sum, row) => sum + row.length, 0) / size
    }
    const versus = { name: 'decoding and one native Ed25519 check each', samples: samples.check }
    const name = String(size)
    bench.figure({ metric: `log.verify.${name}`, samples: samples.verify, unit: 'us CPU/entry', versus })
    bench.figure({ metric: `log.add-one.${name}`, samples: samples.add, unit: 'us CPU/entry', versus })
    bench.figure({ metric: `log.restore.${name}`, samples: samples.restore, unit: 'us CPU/entry', versus })
    bench.figure({ metric: `log.list.${name}`, samples: samples.list, unit: 'us CPU/entry' })
    bench.figure({ metric: `log.row.${name}`, samples: [rowBytes], unit: 'B/entry' })
  }
}
