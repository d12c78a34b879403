import { TypedDataEncoder, Wallet } from 'ethers'
import { domain, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import type { RequestContract } from '#core/chain/contract-names.ts'

/** One request: the contract it is to, its table of types, and what is signed but the deadline. */
export type RequestSample = readonly [RequestContract, TypedDataTypes, Record<string, unknown>]

/** Where a contract of the vectors is. */
export type SampleAddresses = Readonly<Partial<Record<RequestContract, string>>>

const CHAIN_ID = 31_337
const PRIVATE_KEY = `0x${'46'.repeat(32)}`
const DEADLINE = '1795000000'

/** Vectors of signed requests; the key in them is published and worthless. */
export async function requestVectors(
  description: string,
  addresses: SampleAddresses,
  samples: readonly RequestSample[]
): Promise<Record<string, unknown>> {
  const wallet = new Wallet(PRIVATE_KEY)
  const requests = []
  for (const [contract, types, fields] of samples) {
    const [primaryType = ''] = Object.keys(types)
    const value = { ...fields, deadline: DEADLINE }
    const where = domain(contract, CHAIN_ID, addresses[contract] ?? '')
    requests.push({
      contract,
      primaryType,
      type: TypedDataEncoder.from(types).encodeType(primaryType),
      value,
      digest: TypedDataEncoder.hash(where, types, value),
      signature: await wallet.signTypedData(where, types, value)
    })
  }
  return { description, chainId: CHAIN_ID, addresses, privateKey: PRIVATE_KEY, address: wallet.address, requests }
}
