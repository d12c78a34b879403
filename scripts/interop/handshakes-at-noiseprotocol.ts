import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Suite } from '#scripts/interop/suite.ts'
import { runTool } from '#scripts/interop/tool.ts'
import { runMocha } from '#scripts/process/mocha.ts'
import { ROOT } from '#scripts/process/run.ts'

const PACKAGE = 'noiseprotocol==0.3.1'
const FOLDER = join(ROOT, '.cache/interop/noise')
const PYTHON = join(FOLDER, 'bin/python3')

/** The handshakes of constrained sensors against an implementation in Python. */
export const handshakesAtNoiseprotocol: Suite = {
  name: 'noise',
  about: 'sensor and gateway agree on keys with noiseprotocol, another implementation of the Noise framework',
  prepare: async progress => {
    const isThere = await access(PYTHON).then(
      () => true,
      () => false
    )
    if (!isThere) {
      if ((await runTool('python3', ['--version'])).code !== 0) return { missing: 'no Python' }
      progress(`installing ${PACKAGE} for Python, once`)
      const made = await runTool('python3', ['-m', 'venv', FOLDER])
      if (made.code !== 0) return { missing: `no Python environment: ${made.output.trim().slice(-300)}` }
      const { code, output } = await runTool(PYTHON, ['-m', 'pip', 'install', '--quiet', PACKAGE])
      if (code !== 0) return { missing: `${PACKAGE} could not be installed: ${output.trim().slice(-300)}` }
    }
    const { code } = await runTool(PYTHON, ['-c', 'import noise.connection'])
    return code === 0 ? undefined : { missing: `${PACKAGE} does not load; remove ${FOLDER} and run again` }
  },
  run: async () => runMocha(['test/interop/noise.interop.ts'], { env: { SALUS_TEST_NOISE_PYTHON: PYTHON } })
}
