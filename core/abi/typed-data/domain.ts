/**
 * What every signed request shares: its EIP-712 domain and the form of its type table (docs/specs/contracts.md).
 *
 * @see https://eips.ethereum.org/EIPS/eip-712
 */
import type { TypedDataDomain, TypedDataField } from 'ethers'
import type { RequestContract } from '#core/chain/contract-names.ts'

/** A type table as ethers' `signTypedData` takes it: the struct's name to its fields, in the order that is hashed. */
export type TypedDataTypes = Record<string, TypedDataField[]>

/**
 * Domain of requests to a contract: a signature counts on this chain and for this contract only.
 *
 * @param address - of the contract
 */
export function domain(contract: RequestContract, chainId: number, address: string): TypedDataDomain {
  return { name: `Salus ${contract}`, version: '1', chainId, verifyingContract: address }
}

/** The table of one struct, from its fields in Solidity's notation. */
export function typeTable(struct: string, fields: readonly string[]): TypedDataTypes {
  return {
    [struct]: fields.map(field => {
      const [type = '', name = ''] = field.split(' ')
      return { name, type }
    })
  }
}
