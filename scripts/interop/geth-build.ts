import { spawn } from 'node:child_process'
import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
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
  if ((await run('go', ['version'])).code !== 0) return { missing: 'no Go toolchain' }
  progress(`building geth ${VERSION} with Go, once; this takes some minutes`)
  await mkdir(FOLDER, { recursive: true })
  const { code, output } = await run('go', ['install', `${PACKAGE}@${VERSION}`], { GOBIN: FOLDER })
  return code === 0 ? { path } : { missing: `geth ${VERSION} could not be built: ${output.trim().slice(-500)}` }
}

function run(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {}
): Promise<{ code: number; output: string }> {
  return new Promise(resolve => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    }
    child.on('error', error => {
      resolve({ code: 1, output: error.message })
    })
    child.on('close', code => {
      resolve({ code: code ?? 1, output })
    })
  })
}
