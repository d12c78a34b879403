import type { Deployment } from '#core/chain/deployment.ts'
import type { Governance } from '#core/chain/deployment-governance.ts'
import { SalusError } from '#core/error.ts'
import { DEV_CHAIN_ID } from '#node/chain/dev-chain.ts'
import { governedBy } from '#scripts/deploy/governance/governor.ts'
import { readGovernanceFile } from '#scripts/deploy/governance/members-file.ts'

/** What the command line says of it. */
export interface GovernanceOptions {
  readonly profile: string | undefined
  /** Path of the members file. */
  readonly members: string | undefined
}

/**
 * Who governs: as the options say, or else as an earlier run was told, or else, on the embedded chain alone, the deployer.
 *
 * @throws SalusError `DEPLOY_PROFILE` if nothing says; as {@link readGovernanceFile}
 */
export async function chooseGovernance(
  { profile, members }: GovernanceOptions,
  { deployer, chainId, earlier }: { deployer: string; chainId: number; earlier: Deployment | undefined }
): Promise<Governance> {
  if (members != null) return readGovernanceFile(profile ?? earlier?.origin?.governance.profile ?? '', members)
  const known = earlier?.origin?.firstAdmin === deployer ? earlier.origin.governance : undefined
  if (known != null && (profile == null || profile === known.profile)) return known
  if (profile === 'dev' || (profile == null && chainId === DEV_CHAIN_ID)) return governedBy(deployer)
  throw new SalusError(
    'DEPLOY_PROFILE',
    'Say who governs: --profile consortium or public with --members FILE, or --profile dev, under which the deployer does as it likes.'
  )
}
