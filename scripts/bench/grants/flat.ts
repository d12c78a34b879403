/** What a grant costs over records of different numbers of entries: it is to be the same. */
import { constants, generateKeyPairSync, publicEncrypt, randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { publishEntry } from '#agent/network/record.ts'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { dayOf } from '#core/record/day.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { timedGrant, type TimedGrant } from '#scripts/bench/grants/giving.ts'
import { endsOf, registeredPatient, type BenchWorld } from '#scripts/bench/grants/world.ts'
import { median, type Bench } from '#scripts/bench/report.ts'
import { createDemoClinician, osRandom, type DemoPatient } from '#scripts/story/people.ts'

/** A node takes two hundred requests a second from one address. */
const PER_SECOND = 180
const AT_ONCE = 8
/** Keys that are wrapped one by one to tell what more of them take. */
const WRAPPED = 200
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }

/** Fills a record with small entries, spread over ten years. */
async function fill(bench: Bench, world: BenchWorld, patient: DemoPatient, count: number): Promise<void> {
  const { near } = endsOf(world)
  const today = dayOf(Date.now())
  const body = utf8('{"resourceType":"Observation","status":"final","valueQuantity":{"value":72,"unit":"/min"}}')
  const content = { type: 'application/fhir+json', recordedAtMs: Date.now(), body }
  const begun = performance.now()
  for (let done = 0; done < count; done += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, count - done) }, (_, i) => {
      const place = { compartment: 'vitals', day: today - ((done + i) % 3652) } as const
      return sealAsPatient(p, osRandom, patient, { ...place, content })
    })
    await Promise.all(batch.map(entry => publishEntry(near.client, patient.state.network, entry, patient.evidence)))
    await pause(Math.max(0, begun + (1000 * (done + AT_ONCE)) / PER_SECOND - performance.now()))
    if (done % 5000 === 0) bench.progress(`${String(done)} of ${String(count)} entries handed in`)
  }
}

/** Milliseconds to wrap one key under RSA-2048, as a system without a key tree does for each entry of a grant. */
function wrapMs(): number {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const begun = performance.now()
  for (let i = 0; i < WRAPPED; i++) publicEncrypt({ key: publicKey, ...OAEP }, randomBytes(32))
  return (performance.now() - begun) / WRAPPED
}

/** Figures of grants over records of these sizes, taken in turn. */
export async function benchFlat(
  bench: Bench,
  world: BenchWorld,
  { sizes, rounds }: { readonly sizes: readonly number[]; readonly rounds: number }
): Promise<void> {
  const records: { size: number; patient: DemoPatient; given: TimedGrant[]; wrapMs: number[] }[] = []
  for (const size of sizes) {
    bench.progress(`a record of ${String(size)} entries`)
    const patient = await registeredPatient(world)
    await fill(bench, world, patient, size)
    records.push({ size, patient, given: [], wrapMs: [] })
  }
  for (let round = 0; round <= rounds; round++) {
    bench.progress(`grants over each record, ${String(round)} of ${String(rounds)}`)
    for (const record of records) {
      const doctor = await createDemoClinician(world.deployment)
      const given = await timedGrant(world, record.patient, doctor)
      // The first grant of a patient is not like the later ones: it writes a slot that was empty.
      if (round === 0) continue
      record.given.push(given)
      record.wrapMs.push(wrapMs() * record.size)
    }
  }
  const [least] = records
  if (least == null) return
  for (const { size, given, wrapMs: wraps } of records) {
    const against = (of: keyof TimedGrant): { name: string; samples: number[] } => ({
      name: `the same over ${String(least.size)} entries`,
      samples: least.given.map(each => Number(each[of]))
    })
    const samples = (of: keyof TimedGrant): number[] => given.map(each => Number(each[of]))
    const name = `${String(size)}-entries`
    bench.figure({ metric: `flat.gas.${name}`, samples: samples('gas'), unit: 'gas', versus: against('gas') })
    const prepared = { metric: `flat.prepare.${name}`, samples: samples('preparedMs'), unit: 'ms' }
    bench.figure({ ...prepared, versus: against('preparedMs') })
    const wrapped = { name: `an RSA-OAEP-2048 wrap for each, from ${String(WRAPPED)}`, samples: [median(wraps)] }
    bench.figure({ ...prepared, versus: wrapped })
    bench.figure({
      metric: `flat.claimed-at-another-node.${name}`,
      samples: samples('claimedMs'),
      unit: 'ms',
      versus: against('claimedMs')
    })
  }
}
