import { toHex } from '#core/encoding/bytes.ts'

/** Name of a node's log of receipts (docs/specs/receipts.md): the network, and the signing key of the log. */
export function receiptLogOrigin(network: Uint8Array, publicKey: Uint8Array): string {
  return `salus/${toHex(network.subarray(0, 4)).slice(2)}/receipts/${toHex(publicKey).slice(2)}`
}
