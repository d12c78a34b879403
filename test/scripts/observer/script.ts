import { execFile } from 'node:child_process'
import { ROOT } from '#scripts/process/run.ts'

/** How the script ended. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `npm run observer` with these arguments. */
export function runObserver(...args: readonly string[]): Promise<Outcome> {
  return new Promise(resolve => {
    const child = execFile(
      process.execPath,
      ['scripts/observer.ts', ...args],
      { cwd: ROOT },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr })
    )
  })
}
