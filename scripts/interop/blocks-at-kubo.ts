import { buildKubo } from '#scripts/interop/kubo-build.ts'
import type { Suite } from '#scripts/interop/suite.ts'
import { runMocha } from '#scripts/process/mocha.ts'

let kubo = ''

/** A node and Kubo, the IPFS implementation in Go. */
export const blocksAtKubo: Suite = {
  name: 'kubo',
  about:
    'Kubo fetches firmware and sealed blobs by CID from a node, by bitswap and over HTTP, and a node fetches from Kubo',
  prepare: async progress => {
    const built = await buildKubo(progress)
    if ('missing' in built) return built
    kubo = built.path
    return undefined
  },
  run: async () => runMocha(['test/interop/kubo.interop.ts'], { env: { SALUS_TEST_KUBO: kubo } })
}
