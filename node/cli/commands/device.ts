/** `salus device`: a device that was given the chain's address and finds its firmware itself. */
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Hex } from '#core/chain/events.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { createDeviceState } from '#core/firmware/device-state.ts'
import { readAddress, readBytes32, readCount } from '#node/cli/options.ts'
import { createProgress } from '#node/cli/progress.ts'
import { openDeviceFiles } from '#node/firmware/device-files.ts'
import { updateDevice } from '#node/firmware/device.ts'
import { createImageSource } from '#node/firmware/image-source.ts'
import { startFirmwarePeer } from '#node/firmware/peer.ts'
import { openRegistry } from '#node/firmware/registry.ts'
import { createLog } from '#node/log.ts'
import { importFile } from '#node/network/import-file.ts'

interface DeviceOptions {
  readonly data: string
  readonly json: boolean
}

interface InitOptions extends DeviceOptions {
  readonly model: Hex
  readonly rpc: string
  readonly registry: Hex
  readonly slotBytes: number
}

interface UpdateOptions extends DeviceOptions {
  readonly peer: readonly string[]
  readonly rpc?: string
  readonly timeout: number
}

interface ShareOptions extends DeviceOptions {
  readonly peer: readonly string[]
  readonly listen: readonly string[]
}

/** Adds the commands. */
export function registerDevice(program: Command): void {
  const device = program.command('device').description('find, verify and store firmware, as the device it is for')
  const withData = (name: string): Command =>
    device
      .command(name)
      .requiredOption('--data <dir>', "the device's folder")
      .option('--json', 'print one JSON object a line', false)

  withData('init')
    .description('set a device up with what its factory gives it')
    .requiredOption('--model <id>', 'which model it is', readBytes32)
    .requiredOption('--rpc <url>', 'JSON-RPC endpoint of the chain')
    .requiredOption('--registry <address>', 'address of FirmwareRegistry', readAddress)
    .option('--slot-bytes <n>', 'largest image there is room for', readCount, 64 << 20)
    .action(init)

  withData('update')
    .description('fetch and store the release that the device should run')
    .requiredOption('--peer <multiaddrs...>', 'one peer is enough, whoever it is')
    .option('--rpc <url>', 'another endpoint than the device was set up with')
    .option('--timeout <seconds>', 'longest time for all of it; what was fetched is kept', readCount, 600)
    .action(update)

  withData('share')
    .description('serve the installed image to other devices until interrupted')
    .requiredOption('--listen <multiaddrs...>', 'addresses to serve on')
    .option('--peer <multiaddrs...>', 'peers to connect with', [])
    .action(share)

  withData('status').description('show what is installed').action(status)
}

async function init({ model, rpc, registry, slotBytes, data, json }: InitOptions): Promise<void> {
  const files = openDeviceFiles(data)
  if (await files.isSetUp()) {
    throw new SalusError(
      'DEVICE_EXISTS',
      `${data} holds a device already; its floors are never reset. Take another folder.`
    )
  }
  const reader = await openRegistry({ rpcUrl: rpc, registry })
  try {
    const { chainId } = reader
    const keys = await reader.modelKeys(model)
    const rolloutSalt = toHex(randomBytes(32))
    const state = { chainId, registry, rpcUrl: rpc, model, keys, slotBytes, rolloutSalt }
    await files.writeState(createDeviceState(state))
    createProgress(json)({ event: 'ready', chainId, model }, `ready: a device of model ${model}`)
  } finally {
    reader.close()
  }
}

async function update({ data, peer: peers, rpc, timeout, json }: UpdateOptions): Promise<void> {
  const progress = createProgress(json)
  const log = createLog({ name: 'device', level: 'warn' })
  const files = openDeviceFiles(data)
  const { registry: address, rpcUrl } = await files.readState()
  const peer = await startFirmwarePeer({ directory: join(data, 'peer'), listen: [], peers, log })
  const limit = AbortSignal.timeout(timeout * 1000)
  try {
    const registry = await openRegistry({ rpcUrl: rpc ?? rpcUrl, registry: address })
    try {
      const source = createImageSource(peer)
      const onStep = ({ step, ...fields }: { step: string }): void =>
        progress({ event: step, ...fields }, `${step} ${JSON.stringify(fields)}`)
      const components = { files, registry, source, clock: Date.now }
      const { outcome, installed, path } = await updateDevice(components, { onStep, signal: limit })
      const words = outcome === 'current' ? 'is up to date with' : 'now has'
      progress({ event: 'done', outcome, ...installed, path }, `the device ${words} ${installed.version} (${path})`)
    } finally {
      registry.close()
    }
  } catch (cause) {
    if (!limit.aborted || cause instanceof SalusError) throw cause
    throw new SalusError('DEVICE_TIMEOUT', 'The update took too long. Run it again: what was fetched is kept.', {
      cause
    })
  } finally {
    await peer.stop()
  }
}

async function share({ data, listen, peer: peers, json }: ShareOptions): Promise<void> {
  const files = openDeviceFiles(data)
  const { installed } = await files.readState()
  if (installed == null || !(await files.hasImage(installed))) {
    throw new SalusError('FIRMWARE_NONE', 'No firmware is installed on this device yet.')
  }
  const log = createLog({ name: 'device', level: 'warn' })
  const peer = await startFirmwarePeer({ directory: join(data, 'share'), listen, peers, log })
  try {
    const { cid } = await importFile(peer.host, createReadStream(files.imagePath(installed.sha256)))
    const multiaddrs = peer.host.libp2p.getMultiaddrs().map(String)
    createProgress(json)(
      { event: 'serving', cid: cid.toString(), multiaddrs },
      `serving ${installed.version} on ${multiaddrs.join(' ')}`
    )
    await new Promise(resolve => process.once('SIGINT', resolve).once('SIGTERM', resolve))
  } finally {
    await peer.stop()
  }
}

async function status({ data, json }: DeviceOptions): Promise<void> {
  const { model, installed, previous, securityFloor, latestSequence } = await openDeviceFiles(data).readState()
  createProgress(json)(
    { event: 'status', model, installed, previous, securityFloor, latestSequence },
    installed == null ? 'nothing is installed' : `release ${String(installed.sequence)}, version ${installed.version}`
  )
}
