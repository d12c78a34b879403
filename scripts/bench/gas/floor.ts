/** What a call leaves behind and cannot do without, whatever code does it. */
export interface Footprint {
  /** The transaction's data, `0x…`. */
  readonly data: string
  /** Slots that were zero and are not any more. */
  readonly newSlots: number
  /** Other slots that changed. */
  readonly changedSlots: number
  /** Further slots that were read. */
  readonly readSlots: number
  /** Contracts called, beside the one the transaction goes to. */
  readonly calledContracts: number
  /** Signatures checked by the precompiles for secp256k1 and P-256. */
  readonly recoveries: number
  readonly p256Checks: number
  /** Of each log. */
  readonly logs: readonly { readonly topics: number; readonly bytes: number }[]
}

const TRANSACTION = 21_000
/** Cold storage (EIP-2929), logs, precompiles (EIP-7951), as of the Osaka rules. */
const PRICE = { newSlot: 22_100, changedSlot: 5_000, readSlot: 2_100, contract: 2_600, recovery: 3_000, p256: 6_900 }

/**
 * Gas that no implementation with the same interface, storage and events can save. What a call takes beyond it is its own
 * code: decoding, hashing, memory, checks.
 */
export function floorOf(footprint: Footprint): number {
  const { data, newSlots, changedSlots, readSlots, calledContracts, recoveries, p256Checks, logs } = footprint
  const { zero, other } = countBytes(data)
  const logGas = logs.reduce((sum, { topics, bytes }) => sum + 375 * (1 + topics) + 8 * bytes, 0)
  const work =
    newSlots * PRICE.newSlot +
    changedSlots * PRICE.changedSlot +
    readSlots * PRICE.readSlot +
    calledContracts * PRICE.contract +
    recoveries * PRICE.recovery +
    p256Checks * PRICE.p256 +
    logGas
  // EIP-7623: large data has a price of its own, below which no work brings it.
  return TRANSACTION + Math.max(4 * zero + 16 * other + work, 10 * (zero + 4 * other))
}

function countBytes(data: string): { zero: number; other: number } {
  const bytes = data.slice(2).match(/../g) ?? []
  const zero = bytes.filter(byte => byte === '00').length
  return { zero, other: bytes.length - zero }
}
