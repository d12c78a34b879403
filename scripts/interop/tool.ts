import { spawn } from 'node:child_process'

/** Runs a tool of this machine’s to its end; one that is not there ends with 1. */
export function runTool(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {}
): Promise<{ code: number; output: string }> {
  return new Promise(resolve => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    }
    child.on('error', error => {
      resolve({ code: 1, output: error.message })
    })
    child.on('close', code => {
      resolve({ code: code ?? 1, output })
    })
  })
}
