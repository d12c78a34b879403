/** Finds Mosquitto, or takes it from Debian's packages without installing it. */
import { access, glob, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { runTool } from '#scripts/interop/tool.ts'
import { ROOT } from '#scripts/process/run.ts'

const FOLDER = join(ROOT, '.cache/interop/mosquitto')
const PROGRAM = join(FOLDER, 'root/usr/sbin/mosquitto')
/** The broker, and what it needs beyond a small Debian. */
const PACKAGES = ['mosquitto', 'libwrap0', 'libdlt2', 'libwebsockets17', 'libcjson1']

/** A Mosquitto that runs, and where its libraries lie. */
export interface Mosquitto {
  readonly path: string
  readonly libraries: string
}

/** Mosquitto; else why there is none. */
export async function findMosquitto(
  progress: (text: string) => void
): Promise<Mosquitto | { readonly missing: string }> {
  if (await runs({ path: 'mosquitto', libraries: '' })) return { path: 'mosquitto', libraries: '' }
  const isThere = await access(PROGRAM).then(
    () => true,
    () => false
  )
  if (!isThere) {
    if ((await runTool('dpkg', ['--version'])).code !== 0)
      return { missing: 'no Mosquitto, and no Debian to take it from' }
    progress('taking Mosquitto from Debian, once')
    await mkdir(join(FOLDER, 'packages'), { recursive: true })
    const script = `cd ${FOLDER}/packages && apt-get download ${PACKAGES.join(' ')} && for p in *.deb; do dpkg -x "$p" ../root; done`
    const { code, output } = await runTool('sh', ['-c', script])
    if (code !== 0) return { missing: `Mosquitto could not be had: ${output.trim().slice(-300)}` }
  }
  const folders = new Set<string>()
  for await (const file of glob('root/**/*.so*', { cwd: FOLDER })) folders.add(dirname(join(FOLDER, file)))
  const found = { path: PROGRAM, libraries: [...folders].join(':') }
  return (await runs(found)) ? found : { missing: 'Mosquitto of Debian does not run on this machine' }
}

/** Asked for its help, it names its version, and ends with another code than 0. */
async function runs({ path, libraries }: Mosquitto): Promise<boolean> {
  const { output } = await runTool(path, ['-h'], libraries === '' ? {} : { LD_LIBRARY_PATH: libraries })
  return output.includes('mosquitto version')
}
