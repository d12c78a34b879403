/** Records to measure sizes on: the reference data beside the project where there are any, made-up ones otherwise. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { itemsOf, membersOf } from '#core/record/json-slices.ts'
import { ROOT } from '#scripts/process/run.ts'
import { syntheticFhirPatient } from '#scripts/synthetic/fhir-patient.ts'

const SYNTHEA = join(ROOT, '../shared/data/research/synthea-r4.tar.gz')
const PATIENT_SUMMARY = join(ROOT, '../shared/data/records/fhir/ips/Bundle-bundle-ips-all-sections.json')
const TAR_BLOCK = 512
const MADE_UP_PATIENTS = 20
const MADE_UP_VISITS = 40

/** Bundles of one origin, as text. */
export interface RecordSet {
  /** For example `synthea`. */
  readonly name: string
  readonly bundles: readonly string[]
}

/** A resource of a bundle: its exact bytes, which an entry would hold. */
export interface BundledResource {
  readonly type: string
  readonly body: Uint8Array
}

/** The reference bundles, those that are there; a made-up set if none is. */
export async function recordSets(mostBundles: number): Promise<RecordSet[]> {
  const sets: RecordSet[] = []
  if (existsSync(SYNTHEA)) {
    const files = [...filesInTar(gunzipSync(await readFile(SYNTHEA)))]
    const bundles = files.filter(({ name }) => /\/[^/]+_[^/]+\.json$/.test(name)).map(({ bytes }) => textOf(bytes))
    sets.push({ name: 'synthea', bundles: bundles.slice(0, mostBundles) })
  }
  if (existsSync(PATIENT_SUMMARY)) sets.push({ name: 'ips', bundles: [await readFile(PATIENT_SUMMARY, 'utf8')] })
  return sets.length > 0 ? sets : [madeUpRecords(MADE_UP_PATIENTS, MADE_UP_VISITS)]
}

/** Bundles of made-up patients; the same every time. */
export function madeUpRecords(patients: number, visits: number): RecordSet {
  const bundles = Array.from({ length: patients }, (_, seed) => syntheticFhirPatient({ seed: seed + 1, visits }))
  return { name: 'made-up', bundles }
}

/** Cuts a bundle into its resources, each as it was written. */
export function resourcesOf(bundle: string): BundledResource[] {
  const entries = membersOf(bundle).find(({ key }) => key === 'entry')
  const items = entries == null ? null : itemsOf(bundle, entries)
  return (items ?? []).flatMap(({ from, to }) => {
    const item = bundle.slice(from, to)
    const resource = membersOf(item).find(({ key }) => key === 'resource')
    if (resource == null) return []
    const text = item.slice(resource.from, resource.to)
    const type = /"resourceType"\s*:\s*"([A-Za-z]+)"/.exec(text)?.[1] ?? ''
    return [{ type, body: Buffer.from(text) }]
  })
}

/** Files of a tar archive (POSIX ustar), without regard to anything but name and size. */
export function* filesInTar(archive: Uint8Array): Generator<{ readonly name: string; readonly bytes: Uint8Array }> {
  const field = (at: number, length: number): string => textOf(archive.subarray(at, at + length)).split('\0')[0] ?? ''
  for (let at = 0; at + TAR_BLOCK <= archive.length;) {
    const name = field(at, 100)
    if (name === '') return
    const size = Number.parseInt(field(at + 124, 12), 8)
    const from = at + TAR_BLOCK
    yield { name, bytes: archive.subarray(from, from + size) }
    at = from + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
