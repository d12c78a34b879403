/** The hash of a block's header recomputed from its fields, so that what the header says is as good as its hash. */
import { keccak256 } from 'ethers'
import type { Hex } from '#core/chain/events.ts'
import { encodeRlp } from '#core/chain/rlp.ts'

/** Fields in the order in which they are hashed; a chain's newer rules add at the end. Quantities lose leading zeros. */
const FIELDS: readonly (readonly [name: string, kind: 'bytes' | 'quantity'])[] = [
  ['parentHash', 'bytes'],
  ['sha3Uncles', 'bytes'],
  ['miner', 'bytes'],
  ['stateRoot', 'bytes'],
  ['transactionsRoot', 'bytes'],
  ['receiptsRoot', 'bytes'],
  ['logsBloom', 'bytes'],
  ['difficulty', 'quantity'],
  ['number', 'quantity'],
  ['gasLimit', 'quantity'],
  ['gasUsed', 'quantity'],
  ['timestamp', 'quantity'],
  ['extraData', 'bytes'],
  ['mixHash', 'bytes'],
  ['nonce', 'bytes'],
  ['baseFeePerGas', 'quantity'],
  ['withdrawalsRoot', 'bytes'],
  ['blobGasUsed', 'quantity'],
  ['excessBlobGas', 'quantity'],
  ['parentBeaconBlockRoot', 'bytes'],
  ['requestsHash', 'bytes'],
  // EIP-7928 and EIP-7843.
  ['blockAccessListHash', 'bytes'],
  ['slotNumber', 'quantity']
]

/** Up to the nonce every block has them all. */
const FEWEST_FIELDS = 15

const HEX = /^0x[0-9a-f]*$/

/**
 * keccak256 over the fields of a block as `eth_getBlockByNumber` gives it; `undefined` where one is missing or is no hexadecimal.
 * Fields that this version does not know are left out: a block under newer rules gets another hash than its own.
 */
export function headerHash(block: Readonly<Record<string, unknown>>): Hex | undefined {
  const values: string[] = []
  let hasEnded = false
  for (const [name, kind] of FIELDS) {
    const value = block[name]
    if (value == null) {
      if (values.length < FEWEST_FIELDS) return undefined
      hasEnded = true
      continue
    }
    // Rules only ever add: a field after one that is missing belongs to no header.
    if (hasEnded || typeof value !== 'string' || !HEX.test(value)) return undefined
    if (kind === 'bytes' && value.length % 2 !== 0) return undefined
    values.push(kind === 'bytes' ? value : minimal(value))
  }
  return keccak256(encodeRlp(values)) as Hex
}

/** A quantity as RLP wants it: no leading zeros, nought as no bytes. */
export function minimal(quantity: string): string {
  const digits = quantity.slice(2).replace(/^0+/, '')
  return `0x${digits.length % 2 === 0 ? '' : '0'}${digits}`
}
