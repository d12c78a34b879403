import { AbiCoder, Contract, id, keccak256, type ContractTransactionResponse, type TypedDataDomain } from 'ethers'
import { accessManagerAbi } from '#core/abi/AccessManager.ts'
import { consentRegistryAbi } from '#core/abi/ConsentRegistry.ts'
import { escrowWarrantAbi } from '#core/abi/EscrowWarrant.ts'
import { privacyLedgerAbi } from '#core/abi/PrivacyLedger.ts'
import { releaseRegistryAbi } from '#core/abi/ReleaseRegistry.ts'
import { domain, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import type { AccessManager } from '#core/abi/types/AccessManager.ts'
import type { ConsentRegistry } from '#core/abi/types/ConsentRegistry.ts'
import type { EscrowWarrant } from '#core/abi/types/EscrowWarrant.ts'
import type { PrivacyLedger } from '#core/abi/types/PrivacyLedger.ts'
import type { IKeySets, ReleaseRegistry } from '#core/abi/types/ReleaseRegistry.ts'
import type { RequestContract } from '#core/chain/contract-names.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import type { Key } from '#test/contracts/keys.ts'

/** A submitted request; the promise may reject with the contract's error. */
export type Sent = Promise<ContractTransactionResponse>
/** One signature of a set, with its place and its signer. */
export type Approval = IKeySets.ApprovalStruct

/** The contracts about research, submitted to by the account that governs a test's network. */
export interface ResearchContracts {
  readonly manager: AccessManager
  readonly consents: ConsentRegistry
  readonly releases: ReleaseRegistry
  readonly ledger: PrivacyLedger
  readonly warrants: EscrowWarrant
}

/** Finds them on a chain. */
export function researchContracts({ deployment, contracts }: TestChain): ResearchContracts {
  const { runner } = contracts.grants
  const { AccessManager, ConsentRegistry, ReleaseRegistry, PrivacyLedger, EscrowWarrant } = deployment.contracts
  return {
    manager: new Contract(AccessManager.address, accessManagerAbi, runner) as unknown as AccessManager,
    consents: new Contract(ConsentRegistry.address, consentRegistryAbi, runner) as unknown as ConsentRegistry,
    releases: new Contract(ReleaseRegistry.address, releaseRegistryAbi, runner) as unknown as ReleaseRegistry,
    ledger: new Contract(PrivacyLedger.address, privacyLedgerAbi, runner) as unknown as PrivacyLedger,
    warrants: new Contract(EscrowWarrant.address, escrowWarrantAbi, runner) as unknown as EscrowWarrant
  }
}

/** Signatures of some of a set's keys, by index, in the order given. */
export async function approve(
  keys: readonly Key[],
  indices: readonly number[],
  where: TypedDataDomain,
  types: TypedDataTypes,
  value: Record<string, unknown>
): Promise<Approval[]> {
  return Promise.all(
    indices.map(async index => ({
      index,
      signer: keys[index]?.signer ?? '0x',
      signature: (await keys[index]?.sign(where, types, value)) ?? '0x'
    }))
  )
}

/** The keccak-256 of values as Solidity's `abi.encode` lays them out. */
export function hashOf(types: readonly string[], values: readonly unknown[]): string {
  return keccak256(AbiCoder.defaultAbiCoder().encode(types, values))
}

/** Domains under which a signature must not count: another chain, another address, another contract's name. */
export function otherDomains(chain: TestChain, name: RequestContract): TypedDataDomain[] {
  const { chainId, contracts } = chain.deployment
  const { address } = contracts[name]
  return [
    domain(name, chainId + 1, address),
    domain(name, chainId, contracts.AccessManager.address),
    domain(name === 'PrivacyLedger' ? 'ReleaseRegistry' : 'PrivacyLedger', chainId, address)
  ]
}

/** The same ECDSA signature with the other, high s. */
export function withHighS(signature: string): string {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const s = (order - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0')
  return `${signature.slice(0, 66)}${s}${signature.endsWith('1b') ? '1c' : '1b'}`
}

/** A role that no profile uses, for a test to give. */
const TEST_ROLE = 0x5a105n

/** Lets an id call one function of a contract, at once or after a delay. */
export async function allowToCall(
  { manager }: ResearchContracts,
  contract: string,
  selector: string,
  who: string,
  delaySeconds = 0
): Promise<void> {
  await manager.setTargetFunctionRole(contract, [selector], TEST_ROLE)
  await manager.grantRole(TEST_ROLE, who, delaySeconds)
}

/** A salted digest that stands for a reason. */
export const REASON: string = id('reason')
