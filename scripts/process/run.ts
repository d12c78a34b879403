import { spawn } from 'node:child_process'
import { dirname, delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's folder. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))

/** What a child process left behind. */
export interface Outcome {
  readonly code: number
  /** Standard output and error, in the order they came. */
  readonly output: string
}

/** Runs a Node program of the project or of `node_modules` to its end, under the Node that runs this. */
export async function runNode(
  args: readonly string[],
  { echo = false, env = {} }: { echo?: boolean; env?: Record<string, string> } = {}
): Promise<Outcome> {
  const path = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter)
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, PATH: path, ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  const take = (chunk: Buffer): void => {
    output += chunk.toString()
    if (echo) process.stdout.write(chunk)
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => {
      resolve({ code: code ?? 1, output })
    })
  })
}
