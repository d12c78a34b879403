import type { Provider } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'
import { SalusError } from '#core/error.ts'
import { tableOf } from '#scripts/deploy/governance/set-up.ts'
import { hasP256Precompile } from '#scripts/deploy/p256.ts'
import { codeFindings } from '#scripts/deploy/verify/code.ts'
import type { Finding } from '#scripts/deploy/verify/finding.ts'
import { governanceReport, type GovernanceReport } from '#scripts/deploy/verify/governance.ts'

/**
 * Compares a deployment on its chain with this tree and with the table of its profile. Sends nothing.
 *
 * @throws SalusError `DEPLOY_CHAIN` if the endpoint serves another chain; `DEPLOY_ORIGIN`, `DEPLOY_LOGS`
 */
export async function verifyDeployment(provider: Provider, deployment: Deployment): Promise<GovernanceReport> {
  const chainId = Number((await provider.getNetwork()).chainId)
  if (chainId !== deployment.chainId) {
    throw new SalusError(
      'DEPLOY_CHAIN',
      `The deployment is of chain ${String(deployment.chainId)}, but the endpoint serves chain ${String(chainId)}; name another file or endpoint.`
    )
  }
  const origin = tableOf(deployment)
  const findings: Finding[] = await codeFindings(provider, deployment, origin)
  if ((await hasP256Precompile(provider)) !== origin.p256Precompile) {
    const [expected, found] = origin.p256Precompile ? ['there', 'missing'] : ['missing', 'there']
    findings.push({ code: 'VERIFY_P256', subject: 'P-256 precompile', expected, found })
  }
  // Without the manager's own code nobody can say what its events are worth.
  const isKnown = (name: string): boolean =>
    !findings.some(({ code, subject }) => code === 'VERIFY_CODE' && subject === name)
  if (!isKnown('AccessManager')) return { findings, notices: [], settings: [] }
  const governance = await governanceReport(provider, deployment, isKnown)
  return { ...governance, findings: [...findings, ...governance.findings] }
}
