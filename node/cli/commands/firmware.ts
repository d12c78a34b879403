/** `salus firmware`: what a manufacturer does (docs/guides/publish-firmware.md). */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { Option, type Command } from 'commander'
import { keccak256, toUtf8Bytes } from 'ethers'
import type { Hex } from '#core/chain/events.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { loadDeployment } from '#node/chain/deployment-file.ts'
import { registerFirmwareSteps } from '#node/cli/commands/firmware-steps.ts'
import { onChain, signerSet, withChain, type ChainOptions } from '#node/cli/maker-chain.ts'
import { readBytes32, readCount } from '#node/cli/options.ts'
import { createProgress } from '#node/cli/progress.ts'
import { createKeyFile, readKeyFile } from '#node/firmware/keys.ts'
import { startFirmwarePeer } from '#node/firmware/peer.ts'
import { activateRelease, publishRelease, registerModel, type MakerComponents } from '#node/firmware/publish.ts'
import { openRegistry } from '#node/firmware/registry.ts'
import { seedUntilHeld } from '#node/firmware/seed.ts'
import { createLog } from '#node/log.ts'
import { importFile } from '#node/network/import-file.ts'

interface RegisterOptions extends ChainOptions {
  readonly class: string
  readonly keys: readonly string[]
  readonly guardKeys: readonly string[]
  readonly rootKeys?: readonly string[]
  readonly stewardKeys: readonly string[]
  readonly threshold?: number
  readonly rootThreshold?: number
  readonly silenceDays: number
  readonly risk: string
  readonly slotMib: number
  readonly salt: Hex
}

interface PublishOptions extends ChainOptions {
  readonly model: Hex
  readonly version: string
  readonly security?: number
  readonly keys: readonly string[]
  readonly data: string
  readonly peer: readonly string[]
  readonly listen: readonly string[]
  readonly replicas: number
  readonly timeout: number
  readonly stay: boolean
}

/** In the order of `FirmwareRegistry`'s risk classes. */
const RISKS = ['test', 'low', 'medium', 'high']

/** Adds the commands. */
export function registerFirmware(program: Command): void {
  const firmware = program.command('firmware').description('publish firmware and stop it, as its manufacturer')

  firmware
    .command('keygen')
    .description('make signing keys, each in a new file that only its owner can read')
    .argument('<files...>')
    .option('--json', 'print one JSON object a line', false)
    .action(keygen)

  withChain(firmware.command('register'))
    .description('register a manufacturer by its keys, and one model of device')
    .requiredOption('--class <text>', "the manufacturer's own name of the model; only its hash is published")
    .requiredOption('--keys <files...>', 'keys of all release signers')
    .requiredOption(
      '--guard-keys <files...>',
      'keys of the guards, each of whom can stop a release; the first is on duty'
    )
    .option('--root-keys <files...>', 'keys that replace keys (default: the release keys)')
    .option('--steward-keys <files...>', 'keys that may stop releases once the manufacturer is gone', [])
    .option('--threshold <n>', 'how many release signers it takes (default: all)', readCount)
    .option('--root-threshold <n>', 'how many root signers it takes (default: all)', readCount)
    .option(
      '--silence-days <n>',
      'days without a sign of life after which the manufacturer counts as gone',
      readCount,
      400
    )
    .addOption(new Option('--risk <class>', 'what a bad release could do').choices(RISKS).default('medium'))
    .option('--slot-mib <n>', 'largest image of the model, MiB', readCount, 64)
    .option('--salt <hex>', 'tells manufacturers with equal keys apart', readBytes32, `0x${'00'.repeat(32)}`)
    .action(register)

  withChain(firmware.command('publish'))
    .description('publish a file as the next release of a model and serve it until peers hold it')
    .argument('<file>')
    .requiredOption('--model <id>', 'the model, as "register" printed it', readBytes32)
    .requiredOption('--version <text>', 'for people: letters, digits and . + ~ -')
    .requiredOption('--keys <files...>', 'keys of enough release signers')
    .requiredOption('--data <dir>', 'folder for the peer that serves the file')
    .requiredOption('--peer <multiaddrs...>', 'nodes to give it to')
    .option('--security <n>', 'security counter, raised when the release closes a hole (default: as it is)', readCount)
    .option('--listen <multiaddrs...>', 'addresses to serve on (default: only over connections to peers)', [])
    .option('--replicas <n>', 'peers that must hold all of it', readCount, 1)
    .option('--timeout <seconds>', 'longest wait for them', readCount, 600)
    .option('--stay', 'go on serving afterwards', false)
    .action(publish)

  registerFirmwareSteps(firmware)

  withChain(firmware.command('status'))
    .description('show where a model stands on the chain')
    .requiredOption('--model <id>', 'the model', readBytes32)
    .action(status)
}

async function keygen(files: readonly string[], { json }: { readonly json: boolean }): Promise<void> {
  const progress = createProgress(json)
  for (const file of files) {
    const address = await createKeyFile(file)
    progress({ event: 'key', file, address }, `${address} in ${file}`)
  }
}

async function register(options: RegisterOptions): Promise<void> {
  const { keys: files, rootKeys = files, guardKeys, stewardKeys, silenceDays, salt, slotMib: slotMiB } = options
  const keys = await Promise.all(files.map(readKeyFile))
  const keysets = {
    root: await signerSet(rootKeys, options.rootThreshold ?? rootKeys.length),
    release: await signerSet(files, options.threshold ?? files.length),
    guard: await signerSet(guardKeys, 1),
    steward: await signerSet(stewardKeys, stewardKeys.length),
    silenceDays
  }
  const modelClass = keccak256(toUtf8Bytes(options.class)) as Hex
  const riskClass = RISKS.indexOf(options.risk)
  await onChain(options, async components => {
    const wanted = { keysets, salt, modelClass, riskClass, slotMiB }
    const { manufacturer, model } = await registerModel(components, wanted, keys)
    createProgress(options.json)(
      { event: 'registered', manufacturer, model },
      `manufacturer ${manufacturer}\nmodel        ${model}`
    )
  })
}

async function publish(file: string, options: PublishOptions): Promise<void> {
  const progress = createProgress(options.json)
  const log = createLog({ name: 'maker', level: 'warn' })
  await access(file).catch((cause: unknown) => {
    throw new SalusError('FIRMWARE_FILE', `Cannot read ${file}.`, { cause })
  })
  const keys = await Promise.all(options.keys.map(readKeyFile))
  const { data, listen, peer: peers, model, version, security, replicas } = options
  const peer = await startFirmwarePeer({ directory: join(data, 'peer'), listen, peers, log })
  const ended = new AbortController()
  const end = (): void => ended.abort()
  process.once('SIGINT', end).once('SIGTERM', end)
  try {
    // The bytes are there before the chain speaks of them, so that whoever hears of the release finds it.
    const hash = createHash('sha256')
    const { cid, sizeBytes } = await importFile(peer.host, hashed(file, hash))
    const image = { cid, sizeBytes, sha256: new Uint8Array(hash.digest()) }
    progress(
      { event: 'imported', cid: cid.toString(), sizeBytes },
      `imported ${String(sizeBytes)} bytes as ${String(cid)}`
    )
    await onChain(options, async components => {
      const release = { model, image, version, ...(security == null ? {} : { securityCounter: security }) }
      const { manifest, status: state } = await publishRelease(components, release, keys)
      const { sequence, securityCounter } = manifest
      progress(
        {
          event: 'published',
          state,
          sequence,
          version: manifest.version,
          securityCounter,
          sha256: toHex(image.sha256)
        },
        `${state === 'already' ? 'is on the chain already' : 'published'} as release ${String(sequence)}`
      )
      await startIfDue(components, model, sequence, progress)
    })
    await serve(peer, cid, replicas, { ended: ended.signal, timeoutS: options.timeout, progress })
    if (options.stay && !ended.signal.aborted) {
      progress({ event: 'serving' }, 'serving until interrupted')
      await new Promise(resolve => ended.signal.addEventListener('abort', resolve, { once: true }))
    }
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end)
    await peer.stop()
  }
}

/** A release of a test model starts at once; others wait, and `activate` starts them. */
async function startIfDue(
  components: MakerComponents,
  model: Hex,
  sequence: number,
  progress: ReturnType<typeof createProgress>
): Promise<void> {
  const { status, notBefore } = await components.registry.facts(model, sequence)
  if (status !== 'published') return
  if (notBefore > (await components.registry.newestBlockTimeS())) {
    const when = new Date(notBefore * 1000).toISOString()
    progress({ event: 'waiting', sequence, notBefore }, `can be started with "salus firmware activate" from ${when}`)
    return
  }
  await activateRelease(components, { model, sequence })
  progress({ event: 'activated', sequence }, `release ${String(sequence)} started`)
}

async function serve(
  peer: Awaited<ReturnType<typeof startFirmwarePeer>>,
  cid: Parameters<typeof seedUntilHeld>[1],
  replicas: number,
  { ended, timeoutS, progress }: { ended: AbortSignal; timeoutS: number; progress: ReturnType<typeof createProgress> }
): Promise<void> {
  const timeout = AbortSignal.timeout(timeoutS * 1000)
  const onHolders = (holders: number): void =>
    progress({ event: 'held', holders, replicas }, `held by ${String(holders)} of ${String(replicas)} peers`)
  try {
    await seedUntilHeld(peer, cid, { replicas, onHolders, signal: AbortSignal.any([ended, timeout]) })
    progress({ event: 'replicated', replicas }, 'enough peers hold it; this one may go')
  } catch (cause) {
    if (ended.aborted) return
    if (!timeout.aborted) throw cause
    throw new SalusError(
      'FIRMWARE_NOT_REPLICATED',
      'Published, but too few peers hold the image yet. Run the same command again to go on serving it.',
      { cause }
    )
  }
}

async function status({ rpc, deployment, model, json }: ChainOptions & { readonly model: Hex }): Promise<void> {
  const { contracts } = await loadDeployment(deployment)
  const registry = await openRegistry({ rpcUrl: rpc, registry: contracts.FirmwareRegistry.address })
  try {
    const { latest, active, staged, rolloutBps, minimum, securityFloor, blockNumber } = await registry.head(model)
    createProgress(json)(
      { event: 'status', model, latest, active, staged, rolloutBps, minimum, securityFloor, blockNumber },
      `latest ${String(latest)}, active ${String(active)}, staged ${String(staged)}, minimum ${String(minimum)}, security ${String(securityFloor)}`
    )
  } finally {
    registry.close()
  }
}

async function* hashed(file: string, hash: ReturnType<typeof createHash>): AsyncGenerator<Uint8Array> {
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>) {
    hash.update(chunk)
    yield chunk
  }
}
