import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Code } from '#scripts/mutate/mixture.ts'
import { ROOT } from '#scripts/process/run.ts'

const originals = new Map<string, Code>()

/** The code that is shipped. */
export function original(contract: string): Code {
  const code = originals.get(contract) ?? (JSON.parse(readFileSync(bytecodePath(contract), 'utf8')) as Code)
  originals.set(contract, code)
  return code
}

/** Runs `work` while tests deploy this code. */
export async function withCode<T>(contract: string, code: Code, work: () => Promise<T>): Promise<T> {
  const present = original(contract)
  const { creationCode, runtimeHash, immutables } = code
  writeFileSync(bytecodePath(contract), JSON.stringify({ ...present, creationCode, runtimeHash, immutables }))
  try {
    return await work()
  } finally {
    writeFileSync(bytecodePath(contract), JSON.stringify(present))
  }
}

function bytecodePath(contract: string): string {
  return join(ROOT, `contracts/bytecode/${contract}.json`)
}
