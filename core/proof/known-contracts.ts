/** What a verifier takes from a deployment file, without a chain library (docs/specs/contracts.md). */
import { CONTRACT_NAMES } from '#core/chain/contract-names.ts'
import { fromHex, equalBytes } from '#core/encoding/bytes.ts'
import { readMap, readText, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import { networkIdOf } from '#core/proof/keccak.ts'

const AREA = 'DEPLOYMENT'

/** A network that the verifier trusts. */
export interface KnownContracts {
  readonly chainId: number
  /** 32 bytes. */
  readonly network: Uint8Array
  /** Address, 20 bytes. */
  readonly batchAnchors: Uint8Array
}

/**
 * Reads a deployment from parsed JSON; who governs it is no matter to a proof.
 *
 * @throws SalusError `DEPLOYMENT_SHAPE`, `HEX_MALFORMED`, `HEX_LENGTH` if it is malformed; `DEPLOYMENT_NETWORK` if the network
 * id is not that of its chain and `AccessGrants`
 */
export function readKnownContracts(json: unknown): KnownContracts {
  const map = readMap(json, AREA, ['chainId', 'networkId', 'blockNumber', 'contracts'], ['origin'])
  const contracts = readMap(map['contracts'], AREA, CONTRACT_NAMES)
  const address = (name: string): Uint8Array => {
    const contract = readMap(contracts[name], AREA, ['address', 'codeHash'])
    return fromHex(readText(contract['address'], AREA, 'address', 42), 20)
  }
  const chainId = readUint(map['chainId'], AREA, 'chainId')
  const network = fromHex(readText(map['networkId'], AREA, 'networkId', 66), 32)
  if (!equalBytes(network, networkIdOf(chainId, address('AccessGrants')))) {
    throw new SalusError('DEPLOYMENT_NETWORK', 'The network id does not fit the chain and its contracts; deploy again.')
  }
  return { chainId, network, batchAnchors: address('BatchAnchors') }
}
