import { id, Wallet } from 'ethers'
import { buildGeth } from '#scripts/interop/geth-build.ts'
import { startGeth } from '#scripts/interop/geth-process.ts'
import type { Suite } from '#scripts/interop/suite.ts'
import { runMocha } from '#scripts/process/mocha.ts'

/** The account that test/contracts/backends/geth.ts submits with. */
const RELAYER = new Wallet(id('relayer of the tests')).address

let geth = ''

/** The contracts' whole mocha suite on an EVM that shares no line with the one of the ordinary tests. */
export const contractsOnGeth: Suite = {
  name: 'geth',
  about: 'the contracts do on a second, independent EVM what they do on the first, for the same gas',
  prepare: async progress => {
    const built = await buildGeth(progress)
    if ('missing' in built) return built
    geth = built.path
    return undefined
  },
  run: async () => {
    const { rpcUrl, stop } = await startGeth(geth, RELAYER)
    try {
      return await runMocha(['test/contracts/**/*.test.ts'], { env: { SALUS_TEST_GETH: rpcUrl }, jobs: 1 })
    } finally {
      await stop()
    }
  }
}
