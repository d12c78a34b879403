import { expect } from 'chai'
import { isSalusError } from '#core/error.ts'

/** Expects a call, or the promise it returns, to fail with a code; messages are never asserted. */
export async function expectCode(code: string, run: () => unknown): Promise<void> {
  let outcome: unknown
  try {
    await run()
    outcome = 'no error'
  } catch (error) {
    outcome = isSalusError(error) ? error.code : error
  }
  expect(outcome).to.equal(code)
}
