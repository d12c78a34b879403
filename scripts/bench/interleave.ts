import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** The engine's collector. Work that makes large arrays would otherwise pay for the garbage of the work before it. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

/**
 * Milliseconds per call of each piece of work, `rounds` samples each. They are taken in turn, so that a machine that slows
 * down slows all of them, each from a collected heap, after one round that is not counted. Work that returns no promise is
 * not awaited.
 *
 * @param repeat - calls per sample, for work too short to time singly
 */
export async function interleave<Name extends string>(
  works: Readonly<Record<Name, () => unknown>>,
  { rounds, repeat = 1 }: { readonly rounds: number; readonly repeat?: number }
): Promise<Record<Name, number[]>> {
  const collect = collector()
  const names = Object.keys(works) as Name[]
  const samples = Object.fromEntries(names.map(name => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      collect()
      const start = performance.now()
      for (let i = 0; i < repeat; i++) {
        const outcome = works[name]()
        if (outcome instanceof Promise) await outcome
      }
      if (round > 0) samples[name].push((performance.now() - start) / repeat)
    }
  }
  return samples
}
