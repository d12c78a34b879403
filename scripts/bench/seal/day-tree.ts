/** Keys of days derived per second, from a generation and from a grant's cover, against the bare HMACs that they come to. */
import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { TREE_DEPTH, coverOf, leafFromCover, leafOf } from '#core/record/day-tree.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { interleave } from '#scripts/bench/interleave.ts'
import type { Bench } from '#scripts/bench/report.ts'

const FIRST_DAY = 17_003
const TEN_YEARS = 3652
const LABEL = randomBytes(24)
const YARDSTICK = `${String(TREE_DEPTH + 1)} HMAC-SHA256 of OpenSSL in a row`

/** Figures of the day tree. */
export async function benchDayTree(
  bench: Bench,
  { rounds, repeat }: { rounds: number; repeat: number }
): Promise<void> {
  bench.progress('day tree')
  const generationKey = randomBytes(32)
  const cover = coverOf(p, generationKey, FIRST_DAY, FIRST_DAY + TEN_YEARS - 1)
  let step = 0
  /** Days in no order that a tree could profit from. */
  const nextDay = (): number => FIRST_DAY + ((step += 1597) % TEN_YEARS)
  const samples = await interleave(
    {
      leaf: () => leafOf(p, generationKey, nextDay()),
      leafFromCover: () => leafFromCover(p, cover, nextDay()),
      cover: () => coverOf(p, generationKey, FIRST_DAY, FIRST_DAY + TEN_YEARS - 1),
      hmac: () => {
        let key: Buffer = generationKey
        for (let i = 0; i <= TREE_DEPTH; i++) key = createHmac('sha256', createSecretKey(key)).update(LABEL).digest()
        return key
      }
    },
    { rounds, repeat }
  )
  const perSecond = (milliseconds: readonly number[]): number[] => milliseconds.map(ms => 1000 / ms)
  const versus = { name: YARDSTICK, samples: perSecond(samples.hmac) }
  for (const [name, work] of [
    ['leaf-of-generation', 'leaf'],
    ['leaf-of-10-year-cover', 'leafFromCover'],
    ['cover-of-10-years', 'cover']
  ] as const) {
    bench.figure({ metric: `day-tree.${name}`, samples: perSecond(samples[work]), unit: 'derivations/s', versus })
  }
}
