/** Hardhat builds and tests the contracts; it is no part of what runs. */
import { createRequire } from 'node:module'
import hardhatEthers from '@nomicfoundation/hardhat-ethers'
import hardhatMatchers from '@nomicfoundation/hardhat-ethers-chai-matchers'
import hardhatMocha from '@nomicfoundation/hardhat-mocha'
import hardhatNetworkHelpers from '@nomicfoundation/hardhat-network-helpers'
import { defineConfig, type HardhatUserConfig } from 'hardhat/config'
import { SOLC_SETTINGS } from '#scripts/generate/compile.ts'
import { PACKAGED } from '#scripts/generate/files.ts'

const require = createRequire(import.meta.url)
const { version } = require('solc/package.json') as { version: string }

/** The compiler from npm, by path: Hardhat downloads nothing. Every profile needs it, or it would. */
const solc = { version, path: require.resolve('solc/soljson.js'), settings: SOLC_SETTINGS }

/** A coverage run builds an instrumented copy of the contracts, apart from every other build. */
const measuresCoverage = process.env['SALUS_COVERAGE'] === '1'
const tree = measuresCoverage ? '.cache/coverage/' : ''
const builds = measuresCoverage ? '.cache/coverage' : '.cache/hardhat'

/** Many mutants of a contract in one are larger than a contract may be. */
const allowUnlimitedContractSize = process.env['SALUS_MUTANTS'] === '1'

const config: HardhatUserConfig = defineConfig({
  plugins: [hardhatEthers, hardhatMatchers, hardhatMocha, hardhatNetworkHelpers],
  solidity: { npmFilesToBuild: [...PACKAGED], profiles: { default: solc, production: { ...solc, isolated: true } } },
  paths: {
    sources: `${tree}contracts`,
    tests: { mocha: 'test/contracts', solidity: `${tree}test/solidity` },
    artifacts: `${builds}/artifacts`,
    cache: `${builds}/cache`
  },
  networks: { default: { type: 'edr-simulated', chainType: 'l1', hardfork: 'osaka', allowUnlimitedContractSize } },
  test: {
    solidity: {
      isolate: false,
      fuzz: { runs: 256, seed: '0x5a1005' },
      invariant: { runs: 64, depth: 50, failOnRevert: false }
    }
  }
})

export default config
