/** Builds the server and the client of scripts/interop/hapi with the machine's own Java and Maven. */
import { createHash } from 'node:crypto'
import { access, glob, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runTool } from '#scripts/interop/tool.ts'
import { ROOT } from '#scripts/process/run.ts'

const PROJECT = join(ROOT, 'scripts/interop/hapi')
const READY = 'ready'

/** A class path that has them, built if it is not there yet; else why there is none. */
export async function buildHapi(
  progress: (text: string) => void
): Promise<{ readonly classPath: string } | { readonly missing: string }> {
  const out = join(ROOT, '.cache/interop/hapi', await digestOfProject())
  const classPath = [join(out, 'classes'), join(out, 'lib', '*')].join(process.platform === 'win32' ? ';' : ':')
  for (const [tool, name] of [
    ['javac', 'a Java development kit'],
    ['java', 'Java']
  ] as const) {
    if ((await runTool(tool, ['-version'])).code !== 0) return { missing: `no ${name}` }
  }
  const isThere = await access(join(out, READY)).then(
    () => true,
    () => false
  )
  if (isThere) return { classPath }
  if ((await runTool('mvn', ['-version'])).code !== 0) return { missing: 'no Maven' }
  progress('building the HAPI FHIR server with Maven, once; this takes some minutes')
  await mkdir(out, { recursive: true })
  const goals = ['compile', 'dependency:copy-dependencies', `-DoutputDirectory=${join(out, 'lib')}`]
  const { code, output } = await runTool('mvn', [
    ...['--batch-mode', '--quiet', '--file', join(PROJECT, 'pom.xml'), `-Dout=${out}`],
    ...goals
  ])
  if (code !== 0) return { missing: `HAPI FHIR could not be built: ${output.trim().slice(0, 500)}` }
  await writeFile(join(out, READY), '')
  return { classPath }
}

async function digestOfProject(): Promise<string> {
  const hash = createHash('sha256')
  const files: string[] = []
  for await (const file of glob('{pom.xml,src/**/*.java}', { cwd: PROJECT })) files.push(file)
  for (const file of files.sort()) hash.update(file).update(await readFile(join(PROJECT, file)))
  return hash.digest('hex').slice(0, 16)
}
