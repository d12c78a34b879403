import { access, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runTool } from '#scripts/interop/tool.ts'
import { ROOT } from '#scripts/process/run.ts'

/** The newest that builds without replaced modules of its own. */
const VERSION = 'v0.42.0'
const PACKAGE = 'github.com/ipfs/kubo/cmd/ipfs'
const FOLDER = join(ROOT, '.cache/interop/kubo', VERSION)

/** Path of a Kubo of the wanted version, built with Go if it is not there yet; else why there is none. */
export async function buildKubo(progress: (text: string) => void): Promise<{ path: string } | { missing: string }> {
  const path = join(FOLDER, process.platform === 'win32' ? 'ipfs.exe' : 'ipfs')
  const isThere = await access(path).then(
    () => true,
    () => false
  )
  if (isThere) return { path }
  if ((await runTool('go', ['version'])).code !== 0) return { missing: 'no Go toolchain' }
  progress(`building Kubo ${VERSION} with Go, once; this takes some minutes`)
  await mkdir(FOLDER, { recursive: true })
  // As a module that needs it: `go install` of a version asks for the list of all versions, which not every proxy hands out.
  await writeFile(join(FOLDER, 'go.mod'), `module interop\n\ngo 1.25\n\nrequire github.com/ipfs/kubo ${VERSION}\n`)
  const { code, output } = await runTool('go', ['build', '-C', FOLDER, '-mod=mod', '-o', path, PACKAGE])
  return code === 0 ? { path } : { missing: `Kubo ${VERSION} could not be built: ${output.trim().slice(-500)}` }
}
