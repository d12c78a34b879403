import type { ChainBackend } from '#test/contracts/backends/backend.ts'
import { openEdr } from '#test/contracts/backends/edr.ts'
import { openGeth } from '#test/contracts/backends/geth.ts'

/** Opens Hardhat's chain in this process, or takes the geth whose endpoint `SALUS_TEST_GETH` names (npm run test:interop). */
export function openBackend(): Promise<ChainBackend> {
  const endpoint = process.env['SALUS_TEST_GETH']
  return endpoint == null ? openEdr() : openGeth(endpoint)
}
