/**
 * The gas below which no contract could do the same: what the protocol takes for the transaction, its calldata, the state it
 * touches, its logs and the signatures it checks. What is above it is code.
 */
import { getBytes } from 'ethers'

/** One step of geth's struct logger. */
export interface Step {
  readonly op: string
  readonly gasCost: number
  /** Words in hexadecimal, the top last. */
  readonly stack: readonly string[]
}

/** What was sent, and what it left. */
export interface Ran {
  /** Contract that was called, `0x…`. */
  readonly to: string
  readonly data: string
  readonly logs: readonly { readonly topics: readonly string[]; readonly data: string }[]
  readonly steps: readonly Step[]
}

/** The floor in gas, and what makes it up. */
export interface Floor {
  readonly total: number
  /** 21,000 and calldata at 4 and 16 gas a byte. */
  readonly transaction: number
  /** First read or write of each slot. */
  readonly state: number
  readonly logs: number
  /** Precompiles and other accounts. */
  readonly calls: number
  /** The price that calldata alone has under EIP-7623; it binds where it is more than the sum of the others. */
  readonly calldataFloor: number
}

const TRANSACTION_GAS = 21_000
const COLD_ACCOUNT_GAS = 2_600
const WARM_GAS = 100
const CALLS: ReadonlySet<string> = new Set(['CALL', 'STATICCALL', 'DELEGATECALL'])

/** Gas of the precompiles that check signatures and hash, by the number of 32-byte words they are given. */
const PRECOMPILES: Readonly<Record<string, (words: number) => number>> = {
  '1': () => 3_000,
  '2': words => 60 + 12 * words,
  '100': () => 6_900
}

/** Computes the floor of a transaction that a contract carried out. */
export function floorOf({ to, data, logs, steps }: Ran): Floor {
  const bytes = getBytes(data)
  const zeros = bytes.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0)
  const nonZeros = bytes.length - zeros
  const transaction = TRANSACTION_GAS + 4 * zeros + 16 * nonZeros
  const calldataFloor = TRANSACTION_GAS + 10 * (zeros + 4 * nonZeros)
  const state = sum(steps.filter(isStateAccess).map(step => step.gasCost))
  const logged = sum(logs.map(log => 375 * (1 + log.topics.length) + 8 * getBytes(log.data).length))
  const calls = gasOfCalls(to, steps)
  const total = Math.max(transaction + state + logged + calls, calldataFloor)
  return { total, transaction, state, logs: logged, calls, calldataFloor }
}

/** Reading or writing a slot again costs 100 gas, which a better compiler could save. */
function isStateAccess({ op, gasCost }: Step): boolean {
  return (op === 'SLOAD' || op === 'SSTORE') && gasCost > WARM_GAS
}

function gasOfCalls(to: string, steps: readonly Step[]): number {
  const warm = new Set([BigInt(to)])
  let gas = 0
  for (const { op, stack } of steps) {
    if (!CALLS.has(op)) continue
    const callee = BigInt(stack.at(-2) ?? 0)
    const precompile = PRECOMPILES[callee.toString(16)]
    const inputLength = Number(BigInt(stack.at(op === 'CALL' ? -5 : -4) ?? 0))
    if (precompile != null) gas += precompile(Math.ceil(inputLength / 32))
    else if (!warm.has(callee)) gas += COLD_ACCOUNT_GAS
    warm.add(callee)
  }
  return gas
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
