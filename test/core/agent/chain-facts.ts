import { keccak_256 } from '@noble/hashes/sha3.js'
import type { CapsuleOnChain } from '#core/agent/grantee-state.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { decodeCapsule } from '#core/grant/capsule.ts'

/** What a chain says that knows a capsule's grant just as the capsule tells it. */
export function chainAgreesWith(capsuleBytes: Uint8Array): CapsuleOnChain {
  const { terms, bundle } = decodeCapsule(capsuleBytes)
  return { terms: BigInt(toHex(terms)), keyBundle: keccak_256(bundle) }
}
