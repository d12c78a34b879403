import { AbiCoder, keccak256 } from 'ethers'
import { fromHex } from '#core/encoding/bytes.ts'

/**
 * Identity of one network of Salus, 32 bytes: `keccak256(abi.encode(uint256 chainId, address AccessGrants))`.
 * Every format carries it, so that nothing made for one network means anything on another.
 *
 * @param accessGrants - address of the contract, `0x…`
 */
export function networkIdOf(chainId: number, accessGrants: string): Uint8Array {
  return fromHex(keccak256(AbiCoder.defaultAbiCoder().encode(['uint256', 'address'], [chainId, accessGrants])), 32)
}
