import type { Signer } from 'ethers'
import { SalusError } from '#core/error.ts'
import type { Difference } from '#scripts/deploy/governance/difference.ts'
import { MANAGER } from '#scripts/deploy/governance/manager.ts'

/** So many calls at 50,000 gas each stay well below the 16.7 million that one transaction may use (EIP-7825). */
const CALLS_AT_ONCE = 100
const CONFIRM_TIMEOUT_MS = 120_000

/**
 * Ends differences by the calls they come with, as one transaction: all of them or none.
 *
 * @param signer - administers the manager and has no delay
 * @throws SalusError `DEPLOY_GOVERNANCE` if it fails or does not arrive within two minutes
 */
export async function endDifferences(
  signer: Signer,
  manager: string,
  differences: readonly Difference[]
): Promise<void> {
  for (let i = 0; i < differences.length; i += CALLS_AT_ONCE) {
    const calls = differences.slice(i, i + CALLS_AT_ONCE).map(({ fix }) => fix)
    const data = MANAGER.encodeFunctionData('multicall', [calls])
    try {
      await (await signer.sendTransaction({ to: manager, data })).wait(1, CONFIRM_TIMEOUT_MS)
    } catch (cause) {
      throw new SalusError(
        'DEPLOY_GOVERNANCE',
        'The roles could not be set. See that the account has funds and still administers the AccessManager, then deploy again: it goes on where it stopped.',
        { cause }
      )
    }
  }
}
