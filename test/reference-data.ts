import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Context } from 'mocha'

/**
 * Path of a part of the reference data that may lie beside the project; skips the test where it does not.
 *
 * @param context - the test's `this`
 * @param part - for example `gateway/bidmc`
 */
export function referenceData(context: Context, part: string): string {
  const path = fileURLToPath(new URL(`../../shared/data/${part}`, import.meta.url))
  if (!existsSync(path)) {
    console.log(`      skipped: no reference data (${part})`)
    context.skip()
  }
  return path
}
