/** Ethereum's hash and identifiers, without a chain library: what checks a proof opens no connection and imports none that could. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concat } from '#core/encoding/bytes.ts'

/** Keccak-256 as Ethereum uses it, 32 bytes. */
export function keccak256(data: Uint8Array): Uint8Array {
  return keccak_256(data)
}

/** A whole number as one big-endian 32-byte word of the ABI. */
export function uintWord(value: number): Uint8Array {
  const word = new Uint8Array(32)
  let rest = value
  for (let i = 31; rest > 0; i--, rest = Math.floor(rest / 256)) word[i] = rest % 256
  return word
}

/** Bytes of at most 32, left-padded to one word of the ABI, as addresses are. */
export function paddedWord(bytes: Uint8Array): Uint8Array {
  const word = new Uint8Array(32)
  word.set(bytes, 32 - bytes.length)
  return word
}

/** A word as a whole number, or undefined where it is above 2^53 - 1. */
export function wordUint(word: Uint8Array): number | undefined {
  let value = 0
  for (const byte of word) {
    value = value * 256 + byte
    if (value > Number.MAX_SAFE_INTEGER) return undefined
  }
  return value
}

/** Network identifier: keccak256(abi.encode(chainId, AccessGrants)). */
export function networkIdOf(chainId: number, accessGrants: Uint8Array): Uint8Array {
  return keccak256(concat(uintWord(chainId), paddedWord(accessGrants)))
}

/** Gateway id as `BatchAnchors.register` derives it: keccak256(abi.encode(keccak256(signer), salt)). */
export function gatewayIdOf(signer: Uint8Array, salt: Uint8Array): Uint8Array {
  return keccak256(concat(keccak256(signer), salt))
}
