import { buildTlogTool } from '#scripts/interop/tlog-build.ts'
import type { Suite } from '#scripts/interop/suite.ts'
import { runMocha } from '#scripts/process/mocha.ts'

let tool = ''

/** Checkpoints, cosignatures and Merkle proofs, both ways with Go's libraries. */
export const tlogInGo: Suite = {
  name: 'tlog',
  about: 'golang.org/x/mod and transparency-dev/formats read our checkpoints and cosignatures, and we read theirs',
  prepare: async () => {
    const built = await buildTlogTool()
    if ('missing' in built) return built
    tool = built.path
    return undefined
  },
  run: async () => runMocha(['test/interop/tlog.interop.ts'], { env: { SALUS_TEST_TLOG: tool } })
}
