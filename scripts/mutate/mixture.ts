import { id, keccak256 } from 'ethers'
import { compileContracts, type CompiledContract } from '#scripts/generate/compile.ts'
import { SWITCH } from '#scripts/mutate/switched.ts'

/** What of a contract's code is written into its bytecode file. */
export type Code = Pick<CompiledContract, 'creationCode' | 'runtimeHash' | 'immutables'>

/** A contract's code with many mutants in it. */
export interface Mixture {
  /** The code in which one of them runs, by its number; in that for 0 none does. */
  linked(number: number): Code
}

/** Where the library that decides which mutant runs seems to lie when they are compiled: occurs nowhere else in code. */
const SWITCH_ADDRESS = id('which mutant').slice(-40)

/**
 * Compiles a contract with a source in which many mutants stand side by side.
 *
 * @throws Error with the compiler's words, for example if code grew beyond what it can lay out
 */
export function mixtureOf(contract: string, file: string, source: string): Mixture {
  const path = `contracts/${contract}.sol`
  const at = { [file]: { [SWITCH]: `0x${SWITCH_ADDRESS}` } }
  const { contracts } = compileContracts([], [path], [contract], new Map([[file, source]]), at)
  const compiled = contracts.get(path)?.find(({ name }) => name === contract)
  if (compiled == null) throw new Error(`${path} holds no ${contract}`)
  const { creationCode, runtimeCode, immutables } = compiled
  return {
    linked: number => {
      const link = (code: string): string => code.replaceAll(SWITCH_ADDRESS, number.toString(16).padStart(40, '0'))
      return { creationCode: link(creationCode), runtimeHash: keccak256(link(runtimeCode)), immutables }
    }
  }
}
