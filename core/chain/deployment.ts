/** The record of which contracts make up a network, kept as `deployments/<chainId>.json` (docs/specs/contracts.md). */
import { getAddress, isAddress } from 'ethers'
import { CONTRACT_NAMES, type ContractName } from '#core/chain/contract-names.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { readMap, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'

const AREA = 'DEPLOYMENT'
const HASH = /^0x[0-9a-f]{64}$/

/** One contract on its chain. */
export interface DeployedContract {
  /** With the mixed case of EIP-55. */
  readonly address: `0x${string}`
  /** keccak-256 of the code at the address. */
  readonly codeHash: `0x${string}`
}

/** A network's contracts. */
export interface Deployment {
  readonly chainId: number
  /** {@link networkIdOf} in hexadecimal. */
  readonly networkId: `0x${string}`
  /** A block from which on every event of the contracts is found. */
  readonly blockNumber: number
  readonly contracts: Readonly<Record<ContractName, DeployedContract>>
}

/** The network id in the form that formats carry, 32 bytes. */
export function networkIdOfDeployment(deployment: Deployment): Uint8Array {
  return networkIdOf(deployment.chainId, deployment.contracts.AccessGrants.address)
}

/**
 * Reads a deployment from parsed JSON.
 *
 * @throws SalusError `DEPLOYMENT_SHAPE` if a field is missing, unknown or malformed; `DEPLOYMENT_NETWORK` if the
 * network id is not that of the chain and its `AccessGrants`
 */
export function readDeployment(json: unknown): Deployment {
  const map = readMap(json, AREA, ['chainId', 'networkId', 'blockNumber', 'contracts'])
  const contracts = readMap(map['contracts'], AREA, CONTRACT_NAMES)
  const deployment: Deployment = {
    chainId: readUint(map['chainId'], AREA, 'chainId'),
    networkId: readHash(map['networkId'], 'networkId'),
    blockNumber: readUint(map['blockNumber'], AREA, 'blockNumber'),
    contracts: byContract(name => readContract(contracts[name]))
  }
  if (toHex(networkIdOfDeployment(deployment)) !== deployment.networkId) {
    throw new SalusError(
      'DEPLOYMENT_NETWORK',
      'The deployment names a network id that is not that of its chain and AccessGrants; deploy again or restore the file.'
    )
  }
  return deployment
}

/** A value for each contract. */
export function byContract<T>(valueOf: (name: ContractName) => T): Readonly<Record<ContractName, T>> {
  return Object.fromEntries(CONTRACT_NAMES.map(name => [name, valueOf(name)])) as Record<ContractName, T>
}

function readContract(value: unknown): DeployedContract {
  const { address, codeHash } = readMap(value, AREA, ['address', 'codeHash'])
  if (typeof address !== 'string' || !isAddress(address)) {
    throw new SalusError('DEPLOYMENT_SHAPE', 'Refused: "address" must be an Ethereum address.')
  }
  return { address: getAddress(address) as `0x${string}`, codeHash: readHash(codeHash, 'codeHash') }
}

function readHash(value: unknown, field: string): `0x${string}` {
  if (typeof value !== 'string' || !HASH.test(value)) {
    throw new SalusError('DEPLOYMENT_SHAPE', `Refused: "${field}" must be 32 bytes in lower-case hexadecimal.`)
  }
  return value as `0x${string}`
}
