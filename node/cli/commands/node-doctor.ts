/** `salus node doctor`: looks for what goes wrong in practice, and says what to do. */
import type { Command } from 'commander'
import type { Wallet } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'
import { isSalusError } from '#core/error.ts'
import { readLocalAccess } from '#node/auth/local-token.ts'
import { loadDeployment } from '#node/chain/deployment-file.ts'
import { readConfig, withConfigOptions, type ConfigOptions } from '#node/cli/node-options.ts'
import { checkSecretFile } from '#node/config/secret-file.ts'
import { endpointsOf } from '#node/config/endpoints.ts'
import type { NodeConfig } from '#node/config/schema.ts'
import { checkChain, checkRelayer } from '#node/doctor/chain.ts'
import { fail, ok, type Finding } from '#node/doctor/finding.ts'
import { checkFolder } from '#node/doctor/folder.ts'
import { checkPeers, checkPorts, checkRunning, placeOf } from '#node/doctor/network.ts'
import { readKeyFile } from '#node/firmware/keys.ts'
import type { NodeClientInit } from '#node/http/client-call.ts'

interface DoctorOptions extends ConfigOptions {
  readonly json: boolean
}

/** Adds the command. */
export function addNodeDoctor(node: Command): void {
  withConfigOptions(
    node
      .command('doctor')
      .description('look for what goes wrong in practice, and say what to do; changes nothing')
      .addHelpText('after', '\nExit code: 0 where all is well or only warned of, 1 where something fails.')
  )
    .option('--json', 'one line of JSON a finding, and one with the count', false)
    .action(doctor)
}

async function doctor({ json, ...options }: DoctorOptions): Promise<void> {
  const counts = { ok: 0, warn: 0, fail: 0 }
  for await (const finding of examine(options)) {
    counts[finding.level]++
    console.log(json ? JSON.stringify(finding) : wordsOf(finding))
  }
  const { warn, fail: failed } = counts
  console.log(
    json
      ? JSON.stringify({ event: 'done', ...counts })
      : `${String(counts.ok)} well, ${String(warn)} to watch, ${String(failed)} wrong`
  )
  if (failed > 0) process.exitCode = 1
}

/** Each finding as it is made: some take seconds. */
async function* examine(options: ConfigOptions): AsyncGenerator<Finding> {
  let config: NodeConfig
  try {
    config = await readConfig(options)
  } catch (error) {
    yield fail('configuration', saysOf(error), 'Correct it; docs/reference/node-config.md lists every value.')
    return
  }
  yield ok('configuration', 'It can be read, and every value is in its range.')
  const access = await runningOn(config.dataDir)
  yield* await checkFolder(config.dataDir, access != null)
  const { finding, key } = await secretOf(config)
  yield finding
  const deployment = await deploymentOf(config)
  if ('level' in deployment) yield deployment
  else {
    const endpoints = await endpointsOf(config.chain).catch(() => config.chain.rpc)
    yield* await checkChain(endpoints, deployment, Date.now())
    yield await checkRelayer(endpoints[0] ?? '', deployment.chainId, key)
  }
  if (access == null) yield* await checkPorts(portsOf(config))
  yield* await checkPeers(config.network.peers)
  if (access != null) yield* await checkRunning(access, config.network.peers.length > 0)
}

/** A node that was killed leaves its file behind. */
async function runningOn(dataDir: string): Promise<NodeClientInit | undefined> {
  const access = await readLocalAccess(dataDir).catch(() => undefined)
  if (access == null) return undefined
  const isThere = await fetch(new URL('/healthz', access.url), { signal: AbortSignal.timeout(3_000) }).catch(
    (error: unknown) => error
  )
  return isThere instanceof Error && isThere.name !== 'TimeoutError' ? undefined : access
}

async function secretOf({ relayer: { keyFile } }: NodeConfig): Promise<{ finding: Finding; key?: Wallet }> {
  if (keyFile == null) return { finding: ok('secrets', 'None are configured.') }
  try {
    await checkSecretFile(keyFile)
    return { finding: ok('secrets', 'Only their owner may read them.'), key: await readKeyFile(keyFile) }
  } catch (error) {
    return { finding: fail('secrets', saysOf(error), 'Mend the file, or correct relayer.keyFile.') }
  }
}

async function deploymentOf({ deployment }: NodeConfig): Promise<Deployment | Finding> {
  try {
    return await loadDeployment(deployment)
  } catch (error) {
    return fail(
      'deployment',
      saysOf(error),
      'Get the file from whoever deployed the contracts, and name it in deployment.'
    )
  }
}

function portsOf({ http, network }: NodeConfig): { what: string; host: string; port: number }[] {
  const peers = network.listen.flatMap(address => {
    try {
      return [{ what: 'peers', ...placeOf(address) }]
    } catch {
      return []
    }
  })
  return [{ what: 'the API', host: http.host, port: http.port }, ...peers]
}

function saysOf(error: unknown): string {
  return isSalusError(error) ? `${error.code}: ${error.message}` : 'It failed without a code.'
}

function wordsOf({ check, level, says, todo }: Finding): string {
  const mark = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' }[level]
  return `${mark} ${check}: ${says}${todo == null ? '' : `\n     ${todo}`}`
}
