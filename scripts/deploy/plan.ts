import { Contract, concat, getCreateAddress, type Provider } from 'ethers'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import { CONTRACT_NAMES, type ContractName } from '#core/chain/contract-names.ts'
import { isRuntimeOf, readBytecode } from '#scripts/deploy/bytecode.ts'
import { constructorArguments, encodeConstructorArguments } from '#scripts/deploy/constructors.ts'

/** Addresses that an earlier deployment to the same chain used or meant to use. */
export type KnownAddresses = Partial<Record<ContractName, string>>

/** What is to be done for one contract. */
export interface PlannedContract {
  readonly name: ContractName
  /** Where it is, or will be. */
  readonly address: string
  /** Creation code with the constructor's arguments; `undefined` if the contract is there already. */
  readonly creationCode: string | undefined
}

/**
 * Decides for each contract whether the one at a known address is still good, and where a new one goes.
 *
 * @param sender - account that deploys, and the nonce of its next transaction
 */
export async function planDeployment(
  provider: Provider,
  sender: { readonly address: string; readonly nonce: number },
  known: KnownAddresses
): Promise<PlannedContract[]> {
  const plan: PlannedContract[] = []
  let nonce = sender.nonce
  for (const name of CONTRACT_NAMES) {
    const addressOf = (other: ContractName): string => plan.find(contract => contract.name === other)?.address ?? ''
    const args = encodeConstructorArguments(constructorArguments(name, sender.address, addressOf))
    const address = known[name]
    if (address != null && (await isInPlace(provider, name, address, addressOf('AccessManager')))) {
      plan.push({ name, address, creationCode: undefined })
    } else {
      const creationCode = concat([readBytecode(name).creationCode, args])
      plan.push({ name, address: getCreateAddress({ from: sender.address, nonce: nonce++ }), creationCode })
    }
  }
  return plan
}

/** Whether a known address holds the present code, and, for what is governed, under the present governance. */
async function isInPlace(provider: Provider, name: ContractName, address: string, authority: string): Promise<boolean> {
  if (!isRuntimeOf(await provider.getCode(address), readBytecode(name))) return false
  if (name !== 'AccessGrants') return true
  const grants = new Contract(address, accessGrantsAbi, provider)
  return (await grants.getFunction('authority').staticCall()) === authority
}
