import { appendFileSync } from 'node:fs'
import { dataLength, toBeHex, type TransactionReceipt } from 'ethers'
import { floorOf } from '#scripts/bench/gas/floor.ts'
import type { TestChain } from '#test/contracts/chain.ts'

interface Rpc {
  send(method: string, params: readonly unknown[]): Promise<unknown>
}

interface Step {
  readonly op: string
  readonly depth: number
  readonly stack: readonly string[]
}

/** Slots and contracts that a transaction touched. */
interface Touched {
  readonly slots: ReadonlyMap<string, { readonly address: string; readonly slot: string }>
  readonly called: ReadonlySet<string>
  readonly precompiles: readonly bigint[]
}

const CALLS = ['CALL', 'STATICCALL', 'DELEGATECALL', 'CALLCODE']
const [ECRECOVER, P256_VERIFY, LAST_PRECOMPILE] = [0x1n, 0x100n, 0x1ffn]

/** Leaves a line with a call's gas and its floor in the file that `SALUS_GAS_ROWS` names, if it names one. */
export async function leaveGasRow(chain: TestChain, name: string, receipt: TransactionReceipt | null): Promise<void> {
  const path = process.env['SALUS_GAS_ROWS']
  if (path == null || receipt?.to == null) return
  const { provider } = chain
  const trace = (await (provider as unknown as Rpc).send('debug_traceTransaction', [
    receipt.hash,
    { disableMemory: true, disableStorage: true }
  ])) as { structLogs: Step[] }
  const { slots, called, precompiles } = readTrace(trace.structLogs, receipt.to)
  const counts = { newSlots: 0, changedSlots: 0, readSlots: 0 }
  for (const { address, slot } of slots.values()) {
    const before = BigInt(await provider.getStorage(address, slot, receipt.blockNumber - 1))
    const after = BigInt(await provider.getStorage(address, slot, receipt.blockNumber))
    counts[before === after ? 'readSlots' : before === 0n ? 'newSlots' : 'changedSlots']++
  }
  const floor = floorOf({
    ...counts,
    data: (await receipt.getTransaction()).data,
    calledContracts: called.size,
    recoveries: precompiles.filter(address => address === ECRECOVER).length,
    p256Checks: precompiles.filter(address => address === P256_VERIFY).length,
    logs: receipt.logs.map(({ topics, data }) => ({ topics: topics.length, bytes: dataLength(data) }))
  })
  appendFileSync(path, `${JSON.stringify({ name, gas: Number(receipt.gasUsed), floor })}\n`)
}

function readTrace(steps: readonly Step[], to: string): Touched {
  const slots = new Map<string, { address: string; slot: string }>()
  const called = new Set<string>()
  const precompiles: bigint[] = []
  /** Whose storage is used, by depth. */
  const owners = [to.toLowerCase()]
  const base = steps[0]?.depth ?? 1
  for (const { op, depth, stack } of steps) {
    const owner = owners[depth - base] ?? ''
    if (op === 'SLOAD' || op === 'SSTORE') {
      const slot = toBeHex(BigInt(hex(stack.at(-1))), 32)
      slots.set(`${owner} ${slot}`, { address: owner, slot })
    }
    if (!CALLS.includes(op)) continue
    const target = BigInt(hex(stack.at(-2))) & ((1n << 160n) - 1n)
    if (target <= LAST_PRECOMPILE) {
      precompiles.push(target)
      continue
    }
    const address = toBeHex(target, 20)
    if (address !== owners[0]) called.add(address)
    owners[depth - base + 1] = op === 'CALL' || op === 'STATICCALL' ? address : owner
  }
  return { slots, called, precompiles }
}

function hex(word: string | undefined): string {
  return word?.startsWith('0x') === true ? word : `0x${word ?? '0'}`
}
