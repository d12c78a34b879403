import { setImmediate } from 'node:timers/promises'
import type { InSteps } from '#core/encoding/steps.ts'

/** Work for which alarms may wait, ms. */
const SLICE_MS = 2

/** Runs long work in slices: between two, whatever else came is handled. */
export async function withPauses<T>(steps: InSteps<T>): Promise<T> {
  let since = performance.now()
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (performance.now() - since < SLICE_MS) continue
    await setImmediate()
    since = performance.now()
  }
}
