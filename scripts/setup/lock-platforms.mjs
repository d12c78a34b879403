/**
 * Completes package-lock.json with the optional platform packages that the registry did not serve.
 *
 * npm leaves an optional dependency out of the lockfile when its registry lacks that build, and `npm ci` then refuses
 * the lockfile. An entry without `resolved` and with the right `os` and `cpu` is skipped on every other platform, so
 * it is never downloaded. Run after every change of dependencies: `node scripts/setup/lock-platforms.mjs`.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const path = new URL('../../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(path, 'utf8'))
const CPUS = { amd64: 'x64', x64: 'x64', x86_64: 'x64', arm64: 'arm64', aarch64: 'arm64', ia32: 'ia32', arm: 'arm' }
const SYSTEMS = ['darwin', 'linux', 'win32', 'android', 'freebsd', 'openharmony', 'sunos', 'aix']

/** Reads the operating system, processor and C library out of a platform package's name. */
function platformOf(name) {
  const words = name.split(/[-/]/)
  const os = SYSTEMS.find(system => words.includes(system))
  if (os == null) return undefined
  const cpuWord = words.slice(words.indexOf(os) + 1)[0]
  const cpu = CPUS[cpuWord] ?? cpuWord
  const libc = words.some(word => word.startsWith('musl'))
    ? 'musl'
    : words.some(word => word.startsWith('gnu'))
      ? 'glibc'
      : undefined
  return { os: [os], cpu: [cpu], ...(libc != null && os === 'linux' ? { libc: [libc] } : {}) }
}

let added = 0
for (const [where, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (lock.packages[`node_modules/${name}`] != null || lock.packages[`${where}/node_modules/${name}`] != null)
      continue
    const platform = platformOf(name)
    if (platform == null) continue
    lock.packages[`node_modules/${name}`] = {
      version,
      ...platform,
      ...(entry.dev ? { dev: true } : {}),
      optional: true
    }
    added++
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(path, JSON.stringify(lock, null, 2) + '\n')
console.log(`${added} optional platform packages added to package-lock.json`)
