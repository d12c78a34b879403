import { readFileSync } from 'node:fs'
import { getBytes, keccak256 } from 'ethers'
import type { ContractName } from '#core/chain/contract-names.ts'

/** A contract's code as `npm run generate` leaves it in contracts/bytecode. */
export interface Bytecode {
  readonly contractName: string
  /** Creation code without the constructor's arguments, `0x…`. */
  readonly creationCode: `0x${string}`
  /** keccak-256 of the code on the chain with every immutable set to zero. */
  readonly runtimeHash: string
  /** Where immutables lie in the code on the chain, in bytes. */
  readonly immutables: readonly { readonly start: number; readonly length: number }[]
}

/** Reads the code of a contract of the product; nothing is compiled. */
export function readBytecode(name: ContractName): Bytecode {
  return JSON.parse(readFileSync(new URL(`../../contracts/bytecode/${name}.json`, import.meta.url), 'utf8')) as Bytecode
}

/** Whether code on the chain is what this bytecode leaves there, whatever its immutables are. */
export function isRuntimeOf(code: string, { runtimeHash, immutables }: Bytecode): boolean {
  const bytes = getBytes(code)
  for (const { start, length } of immutables) bytes.fill(0, start, start + length)
  return keccak256(bytes) === runtimeHash
}
