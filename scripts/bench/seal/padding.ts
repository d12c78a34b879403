/** What padding costs, and what lengths still tell after it: over records, each resource one entry, and each bundle one. */
import { randomBytes } from 'node:crypto'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { compress } from '#core/record/compression.ts'
import { signContent } from '#core/record/content.ts'
import { pad, paddedLength } from '#core/record/padding.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import type { Bench } from '#scripts/bench/report.ts'
import { resourcesOf, type BundledResource, type RecordSet } from '#scripts/bench/seal/records.ts'

/** An entry to be: what it is, and its length by each way of padding. */
interface Measured {
  readonly type: string
  readonly packed: number
  readonly padme: number
  readonly padded: number
}

const UNPADDED = 'not padded'
const PADME = 'Padmé without a floor'

/** Figures of padding over sets of records. */
export async function benchPadding(bench: Bench, sets: readonly RecordSet[]): Promise<void> {
  const { signSeed, bundle } = await deriveAgentKeys(p, randomBytes(32), [2])
  const place = { network: randomBytes(32), patient: randomBytes(32), revision: 1, author: bundle.sign }
  const measure = ({ type, body }: BundledResource): Measured => {
    const content = { type: 'application/fhir+json', recordedAtMs: 1_700_000_000_000, body }
    const packed = compress(signContent(p, { ...place, entry: randomBytes(16) }, content, signSeed))
    return { type, packed: packed.length, padme: paddedLength(packed.length, 1), padded: pad(packed).length }
  }
  for (const { name, bundles } of sets) {
    bench.progress(`padding of ${String(bundles.length)} bundles, ${name}`)
    const resources = bundles.flatMap(resourcesOf).map(measure)
    const wholes = bundles.map(text => measure({ type: 'Bundle', body: Buffer.from(text) }))
    report(bench, `${name}-resources`, resources)
    if (wholes.length > 1) report(bench, `${name}-bundles`, wholes)
    const named = (length: Length): number[] => [(100 * namedByLength(resources, length)) / resources.length]
    const metric = `padding.type-named.${name}-resources`
    for (const [versus, length] of [[UNPADDED, 'packed'] as const, [PADME, 'padme'] as const]) {
      bench.figure({ metric, samples: named('padded'), unit: '%', versus: { name: versus, samples: named(length) } })
    }
  }
}

type Length = 'packed' | 'padme' | 'padded'

function report(bench: Bench, name: string, entries: readonly Measured[]): void {
  const mean = (length: Length): number[] => [entries.reduce((sum, each) => sum + each[length], 0) / entries.length]
  const distinct = (length: Length): number[] => [new Set(entries.map(each => each[length])).size]
  for (const [versus, length] of [[UNPADDED, 'packed'] as const, [PADME, 'padme'] as const]) {
    const against = (samples: readonly number[]): { name: string; samples: readonly number[] } => ({
      name: versus,
      samples
    })
    bench.figure({
      metric: `padding.bytes.${name}`,
      samples: mean('padded'),
      unit: 'B/entry',
      versus: against(mean(length))
    })
    bench.figure({
      metric: `padding.lengths.${name}`,
      samples: distinct('padded'),
      unit: `of ${String(entries.length)}`,
      versus: against(distinct(length))
    })
  }
}

/** Entries whose length only entries of the same type have: whoever knows the set knows what they are. */
function namedByLength(entries: readonly Measured[], length: Length): number {
  const types = new Map<number, Set<string>>()
  for (const each of entries) {
    const same = types.get(each[length]) ?? new Set<string>()
    types.set(each[length], same.add(each.type))
  }
  return entries.filter(each => types.get(each[length])?.size === 1).length
}
