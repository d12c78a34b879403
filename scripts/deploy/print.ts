/** How the deploy command says its results to a person; programs ask for JSON. */
import { formatEther, formatUnits } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'
import type { Estimate } from '#scripts/deploy/estimate.ts'
import type { GovernanceReport } from '#scripts/deploy/verify/governance.ts'

/** What would be deployed, where, for how much. */
export function printEstimate({ contracts, needsProxy, setupCalls, gas, gasPriceWei, costWei }: Estimate): void {
  console.table(contracts)
  if (needsProxy) console.log('The deterministic deployment proxy comes first, for 0.01 of the chain’s coin more.')
  console.log(`Roles: ${String(setupCalls)} calls in one transaction.`)
  const price = `${formatUnits(gasPriceWei, 'gwei')} gwei`
  console.log(`In all about ${String(gas)} gas, ${formatEther(costWei)} of the chain’s coin at ${price}.`)
}

/** Where everything is. */
export function printDeployment(path: string, { contracts, origin }: Deployment): void {
  for (const [name, { address }] of Object.entries(contracts)) console.log(`${name.padEnd(26)}${address}`)
  if (origin != null) console.log(`Governed by ${origin.governance.governor}, profile ${origin.governance.profile}.`)
  console.log(`Kept in ${path}`)
}

/** What verifying found. */
export function printReport({ findings, notices, settings }: GovernanceReport): void {
  for (const setting of settings) console.log(`set: ${setting}`)
  for (const notice of notices) console.log(`note: ${notice}`)
  if (findings.length > 0)
    console.table(findings.map(({ code, subject, expected, found }) => ({ code, subject, expected, found })))
  else console.log('Code, wiring, roles and delays are as they should be.')
}
