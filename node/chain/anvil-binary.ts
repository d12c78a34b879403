import { createRequire } from 'node:module'
import { SalusError } from '#core/error.ts'

const PLATFORMS: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'darwin', win32: 'win32' }
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

/**
 * Path of anvil's own executable for this platform. The launcher that npm links answers 0 whatever happened
 * (foundry #14781), so it is never used.
 *
 * @throws SalusError `CHAIN_NO_BINARY` where there is none for this platform, or it was not installed
 */
export function anvilBinary(platform: string = process.platform, arch: string = process.arch): string {
  const system = PLATFORMS[platform]
  const architecture = ARCHITECTURES[arch]
  const name = `@foundry-rs/anvil-${system ?? platform}-${architecture ?? arch}`
  try {
    if (system == null || architecture == null) throw new Error(`no build for ${platform} on ${arch}`)
    const require = createRequire(import.meta.url)
    // The platform package is a dependency of the launcher's, so it is looked up from there.
    const fromLauncher = createRequire(require.resolve('@foundry-rs/anvil/package.json'))
    return fromLauncher.resolve(`${name}/bin/anvil${platform === 'win32' ? '.exe' : ''}`)
  } catch (cause) {
    throw new SalusError(
      'CHAIN_NO_BINARY',
      `The embedded chain needs the package ${name}, which is not installed here. Reinstall with optional packages, or use another chain with --rpc.`,
      { cause }
    )
  }
}
