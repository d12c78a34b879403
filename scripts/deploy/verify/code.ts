/** Compares the code of a deployment with this tree's build. */
import { Contract, keccak256, type Provider, type TypedDataDomain } from 'ethers'
import { domain } from '#core/abi/typed-data/domain.ts'
import { CONTRACT_NAMES, REQUEST_CONTRACTS, type ContractName } from '#core/chain/contract-names.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import type { DeploymentOrigin } from '#core/chain/deployment-governance.ts'
import { isRuntimeOf, readBytecode } from '#scripts/deploy/bytecode.ts'
import { constructorArguments } from '#scripts/deploy/constructors.ts'
import { FUNCTION_ROLES } from '#scripts/deploy/governance/functions.ts'
import { planContracts } from '#scripts/deploy/plan.ts'
import type { Finding } from '#scripts/deploy/verify/finding.ts'
import { foreignImmutables } from '#scripts/deploy/verify/immutables.ts'

/** Every getter that says what a contract stands on. */
const WIRING = [
  'function authority() view returns (address)',
  'function eip712Domain() view returns (bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)'
]

/** All that is wrong with the contracts' places, code and wiring. */
export async function codeFindings(
  provider: Provider,
  deployment: Deployment,
  origin: DeploymentOrigin
): Promise<Finding[]> {
  const planned = new Map(planContracts(origin).map(({ name, address }) => [name, address]))
  const findings: Finding[] = []
  for (const name of CONTRACT_NAMES) {
    const { address, codeHash } = deployment.contracts[name]
    const say = (code: string, expected: string, found: string): void => {
      if (expected !== found) findings.push({ code, subject: name, expected, found })
    }
    say('VERIFY_ADDRESS', planned.get(name) ?? '', address)
    const code = await provider.getCode(address)
    say('VERIFY_CODE_HASH', codeHash, keccak256(code))
    const bytecode = readBytecode(name)
    if (!isRuntimeOf(code, bytecode)) {
      say('VERIFY_CODE', 'the code of this tree', code === '0x' ? 'no code' : 'other code')
      continue
    }
    const signs = domainOf(name, deployment)
    const args = constructorArguments(name, origin.firstAdmin, other => deployment.contracts[other].address)
    for (const word of foreignImmutables(code, bytecode, { address, domain: signs, args })) {
      say('VERIFY_IMMUTABLE', 'what the constructor computes', word)
    }
    const ask = async (getter: string): Promise<unknown> =>
      new Contract(address, WIRING, provider).getFunction(getter).staticCall()
    if (signs != null) {
      const [, ...found] = (await ask('eip712Domain')) as unknown[]
      const expected = [signs.name, signs.version, signs.chainId, signs.verifyingContract]
      say('VERIFY_DOMAIN', expected.join(', '), found.slice(0, 4).join(', '))
    }
    if (isGoverned(name)) {
      say('VERIFY_AUTHORITY', deployment.contracts.AccessManager.address, String(await ask('authority')))
    }
  }
  return findings
}

/** Whether the `AccessManager` has a say in a contract. */
export function isGoverned(name: ContractName): boolean {
  return name !== 'AccessManager' && FUNCTION_ROLES[name] != null
}

function domainOf(name: ContractName, { chainId, contracts }: Deployment): TypedDataDomain | undefined {
  const signs = REQUEST_CONTRACTS.find(contract => contract === name)
  return signs == null ? undefined : domain(signs, chainId, contracts[signs].address)
}
