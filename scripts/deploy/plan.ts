import { concat, type Provider } from 'ethers'
import { CONTRACT_NAMES, type ContractName } from '#core/chain/contract-names.ts'
import { isRuntimeOf, readBytecode } from '#scripts/deploy/bytecode.ts'
import { constructorArguments, encodeConstructorArguments } from '#scripts/deploy/constructors.ts'
import { addressIn } from '#scripts/deploy/create2.ts'

/** All that addresses follow from, besides the code. */
export interface AddressInputs {
  /** Name of the network; another name gives other addresses on the same chain. */
  readonly network: string
  /** The account that sets the network up. */
  readonly firstAdmin: string
}

/** One contract of a network. */
export interface PlannedContract {
  readonly name: ContractName
  /** Where it is, or will be, on any chain. */
  readonly address: string
  /** With the constructor's arguments. */
  readonly creationCode: string
}

/** Where each contract of a network belongs; needs no chain. */
export function planContracts({ network, firstAdmin }: AddressInputs): PlannedContract[] {
  const plan: PlannedContract[] = []
  for (const name of CONTRACT_NAMES) {
    const addressOf = (other: ContractName): string => plan.find(contract => contract.name === other)?.address ?? ''
    const args = encodeConstructorArguments(constructorArguments(name, firstAdmin, addressOf))
    const creationCode = concat([readBytecode(name).creationCode, args])
    plan.push({ name, address: addressIn(network, creationCode), creationCode })
  }
  return plan
}

/** Whether a contract is on the chain. Nothing but its own code of creation can have put code at its address. */
export async function isInPlace(provider: Provider, { name, address }: PlannedContract): Promise<boolean> {
  return isRuntimeOf(await provider.getCode(address), readBytecode(name))
}

/** The contracts that are not on the chain yet. */
export async function missingContracts(
  provider: Provider,
  plan: readonly PlannedContract[]
): Promise<PlannedContract[]> {
  const present = await Promise.all(plan.map(contract => isInPlace(provider, contract)))
  return plan.filter((_, i) => present[i] !== true)
}
