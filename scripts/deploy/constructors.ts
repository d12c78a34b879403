import { AbiCoder } from 'ethers'
import type { ContractName } from '#core/chain/contract-names.ts'

/** One argument of a constructor: the account that governs at first, or the address of a contract of the network. */
type Argument = 'governor' | ContractName

/** By contract; all arguments are addresses. */
const ARGUMENTS: Partial<Record<ContractName, readonly Argument[]>> = {
  AccessManager: ['governor'],
  AccessGrants: ['PatientRegistry'],
  FirmwareRegistry: ['AccessManager']
}

/** The addresses that a contract's constructor takes, in order. */
export function constructorArguments(
  name: ContractName,
  governor: string,
  addressOf: (name: ContractName) => string
): string[] {
  return (ARGUMENTS[name] ?? []).map(argument => (argument === 'governor' ? governor : addressOf(argument)))
}

/** The same arguments as they follow the creation code. */
export function encodeConstructorArguments(addresses: readonly string[]): string {
  return AbiCoder.defaultAbiCoder().encode(
    addresses.map(() => 'address'),
    addresses
  )
}
