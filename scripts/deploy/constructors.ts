import { AbiCoder } from 'ethers'
import type { ContractName } from '#core/chain/contract-names.ts'

/** One argument of a constructor: the account that sets the network up, or the address of a contract of the network. */
type Argument = 'firstAdmin' | ContractName

/** By contract; all arguments are addresses. */
const ARGUMENTS: Partial<Record<ContractName, readonly Argument[]>> = {
  AccessManager: ['firstAdmin'],
  AccessGrants: ['AccessManager'],
  CredentialRegistry: ['AccessManager'],
  EmergencyAccess: ['AccessManager', 'AccessGrants', 'CredentialRegistry'],
  BatchAnchors: ['AccessManager'],
  NodeRegistry: ['AccessManager', 'CredentialRegistry'],
  FirmwareRegistry: ['AccessManager'],
  ConsentRegistry: ['AccessManager', 'AccessGrants'],
  ReleaseRegistry: ['AccessManager'],
  PrivacyLedger: ['AccessManager'],
  EscrowWarrant: ['AccessManager']
}

/** The addresses that a contract's constructor takes, in order. */
export function constructorArguments(
  name: ContractName,
  firstAdmin: string,
  addressOf: (name: ContractName) => string
): string[] {
  return (ARGUMENTS[name] ?? []).map(argument => (argument === 'firstAdmin' ? firstAdmin : addressOf(argument)))
}

/** The same arguments as they follow the creation code. */
export function encodeConstructorArguments(addresses: readonly string[]): string {
  return AbiCoder.defaultAbiCoder().encode(
    addresses.map(() => 'address'),
    addresses
  )
}
