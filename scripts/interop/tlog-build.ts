import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { runTool } from '#scripts/interop/tool.ts'
import { ROOT } from '#scripts/process/run.ts'

const FOLDER = join(ROOT, '.cache/interop/tlog')
const SOURCE = fileURLToPath(new URL('tlog/main.go', import.meta.url))
const MODULE = `module interop

go 1.25

require (
	github.com/transparency-dev/formats v0.0.0-20251017110053-404c0d5b696c
	golang.org/x/mod v0.29.0
)
`

/** Path of a program over Go's own note and tree libraries, built each time from the source beside this file; else why there is none. */
export async function buildTlogTool(): Promise<{ path: string } | { missing: string }> {
  if ((await runTool('go', ['version'])).code !== 0) return { missing: 'no Go toolchain' }
  const path = join(FOLDER, 'tlog-tool')
  await mkdir(FOLDER, { recursive: true })
  await writeFile(join(FOLDER, 'go.mod'), MODULE)
  await copyFile(SOURCE, join(FOLDER, 'main.go'))
  const { code, output } = await runTool('go', ['build', '-C', FOLDER, '-mod=mod', '-o', path, '.'])
  return code === 0 ? { path } : { missing: `the Go libraries could not be had: ${output.trim().slice(-500)}` }
}
