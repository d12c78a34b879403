import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runTool } from '#scripts/interop/tool.ts'
import { ROOT } from '#scripts/process/run.ts'

/**
 * Knows the Osaka rules and `testing_commitBlockV1`. Later versions depend on a module that not every Go module proxy
 * hands out.
 */
const VERSION = 'v1.17.8'
const PACKAGE = 'github.com/ethereum/go-ethereum/cmd/geth'
const FOLDER = join(ROOT, '.cache/interop/geth', VERSION)

/** Path of a geth of the wanted version, built with Go if it is not there yet; else why there is none. */
export async function buildGeth(progress: (text: string) => void): Promise<{ path: string } | { missing: string }> {
  const path = join(FOLDER, process.platform === 'win32' ? 'geth.exe' : 'geth')
  const isThere = await access(path).then(
    () => true,
    () => false
  )
  if (isThere) return { path }
  if ((await runTool('go', ['version'])).code !== 0) return { missing: 'no Go toolchain' }
  progress(`building geth ${VERSION} with Go, once; this takes some minutes`)
  await mkdir(FOLDER, { recursive: true })
  const { code, output } = await runTool('go', ['install', `${PACKAGE}@${VERSION}`], { GOBIN: FOLDER })
  return code === 0 ? { path } : { missing: `geth ${VERSION} could not be built: ${output.trim().slice(-500)}` }
}
