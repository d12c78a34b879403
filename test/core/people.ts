import { nativePrimitives } from '#node/crypto/native.ts'
import { deriveAgentKeys, type AgentKeys } from '#core/identity/agent-keys.ts'

/** A network id that tests agree on. */
export const NETWORK: Uint8Array = new Uint8Array(32).fill(0x4e)

/** A patient's pseudonym that tests agree on. */
export const PATIENT: Uint8Array = new Uint8Array(32).fill(0x50)

/** The keys of a person of tests, named by one byte; the small suites only, unless more are asked for. */
export async function keysOf(person: number, suites: readonly (1 | 2 | 3)[] = [2]): Promise<AgentKeys> {
  return await deriveAgentKeys(nativePrimitives, new Uint8Array(32).fill(person), suites)
}
