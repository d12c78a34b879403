/** A chain with a maker's model on it, peers that replicate and devices: all real, in temporary folders. */
import { createHash, hkdfSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keccak256, toUtf8Bytes } from 'ethers'
import type { Hex } from '#core/chain/events.ts'
import { createDeviceState } from '#core/firmware/device-state.ts'
import { listReleases } from '#node/chain/chain-index.ts'
import { createFollower } from '#node/chain/follower.ts'
import { createRelayer } from '#node/chain/relayer.ts'
import { openDeviceFiles, type DeviceFiles } from '#node/firmware/device-files.ts'
import { updateDevice, type UpdateInit, type UpdateOutcome } from '#node/firmware/device.ts'
import { createImageSource } from '#node/firmware/image-source.ts'
import { startFirmwarePeer, type FirmwarePeer } from '#node/firmware/peer.ts'
import {
  activateRelease,
  publishRelease,
  registerModel,
  type ImageToPublish,
  type Submit
} from '#node/firmware/publish.ts'
import { stopRelease } from '#node/firmware/stop.ts'
import { openRegistry, type RegistryReader } from '#node/firmware/registry.ts'
import { createReplicator, type Replicator } from '#node/firmware/replicate.ts'
import { createHaveService } from '#node/network/have.ts'
import { importFile } from '#node/network/import-file.ts'
import { createRateLimiter } from '#node/network/rate-limiter.ts'
import { KEYS, SIGNERS, GUARD } from '#test/core/firmware/maker.ts'
import { account, silentLog, startTestChain, type TestChain } from '#test/node/chain/test-chain.ts'
import { openPeer, type TestPeer } from '#test/node/network/peer.ts'

/** A node that follows the chain and keeps firmware. */
export interface FirmwareNode extends TestPeer {
  readonly replicator: Replicator
}

/** Everything a test of firmware needs. */
export interface World {
  readonly chain: TestChain
  readonly registry: RegistryReader
  readonly registryAddress: Hex
  /** Registers a model of its own for a test. */
  newModel(name: string): Promise<Hex>
  folder(): Promise<string>
  /** A peer that serves what is given to it. */
  maker(peers: readonly string[], listen?: readonly string[]): Promise<FirmwarePeer>
  node(peers?: readonly string[]): Promise<FirmwareNode>
  publish(model: Hex, image: ImageToPublish, version: string, securityCounter?: number): Promise<number>
  stop(action: 'hold' | 'yank', model: Hex, sequence: number, as?: RegistryReader): Promise<void>
  /** A device fresh from the factory, in a folder. */
  device(model: Hex, slotBytes?: number): Promise<{ directory: string; files: DeviceFiles }>
  /** Runs `salus device update` within this process. */
  update(directory: string, peers: readonly string[], init?: UpdateInit): Promise<UpdateOutcome>
  close(): Promise<void>
}

/** Starts the chain. */
export async function startWorld(): Promise<World> {
  const chain = await startTestChain()
  const registryAddress = chain.deployment.contracts.FirmwareRegistry.address.toLowerCase() as Hex
  const registry = await openRegistry({ rpcUrl: chain.rpcUrl, registry: registryAddress })
  // A block for each transaction, so that no test waits for the next second.
  await chain.provider.send('evm_setAutomine', [true])
  const wallet = account(0, chain.provider)
  const relayer = createRelayer(
    { provider: chain.provider, wallet, deployment: chain.deployment, log: silentLog },
    { pollMs: 50 }
  )
  const submit: Submit = async request => relayer.submit(request)
  const components = { registry, submit }
  const closing: (() => Promise<void>)[] = []

  async function folder(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'salus-firmware-'))
    closing.unshift(async () => rm(directory, { recursive: true, force: true }))
    return directory
  }

  return {
    chain,
    registry,
    registryAddress,
    folder,
    async newModel(name) {
      const modelClass = keccak256(toUtf8Bytes(name)) as Hex
      const { salt, ...keysets } = KEYS
      const model = { keysets, salt, modelClass, riskClass: 0, slotMiB: 64 }
      return (await registerModel(components, model, SIGNERS)).model
    },
    async maker(peers, listen = []) {
      const peer = await startFirmwarePeer({ directory: await folder(), listen, peers, log: silentLog })
      closing.unshift(async () => peer.stop())
      return peer
    },
    async node(peers = []) {
      const peer = await openPeer(await folder(), { peers: [...peers] })
      const { db, host, exchange, blockstore, bans } = peer
      const { provider, deployment } = chain
      const follower = createFollower({ provider, deployment, db, log: silentLog }, { pollMs: 50 })
      await follower.start()
      const domain = { chainId: registry.chainId, registry: registryAddress }
      const replicator = createReplicator(
        { db, host, exchange, blockstore, log: silentLog, registry: domain, releases: () => listReleases(db) },
        { retryMs: 100, deadlineMs: 6000 }
      )
      const off = follower.onBlock(({ events }) => {
        if (events.length > 0) replicator.nudge()
      })
      replicator.start()
      const rate = createRateLimiter({ clock: Date.now }, { perSecond: 100, burst: 100 })
      const have = createHaveService({ blockstore, libp2p: host.libp2p, bans, log: silentLog, rate })
      await have.start()
      let stopped = false
      const stop = async (): Promise<void> => {
        if (stopped) return
        stopped = true
        off()
        await replicator.stop()
        await follower.stop()
        await peer.stop()
      }
      closing.unshift(stop)
      return { ...peer, stop, replicator }
    },
    async publish(model, image, version, securityCounter) {
      const release = { model, image, version, ...(securityCounter == null ? {} : { securityCounter }) }
      const { sequence } = (await publishRelease(components, release, SIGNERS.slice(0, 2))).manifest
      await activateRelease(components, { model, sequence })
      return sequence
    },
    async stop(action, model, sequence, as = registry) {
      await stopRelease({ ...components, registry: as }, action, { model, sequence, reason: 1 }, GUARD)
    },
    async device(model, slotBytes = 1 << 24) {
      const directory = await folder()
      const files = openDeviceFiles(directory)
      const keys = await registry.modelKeys(model)
      const { chainId } = registry
      const init = {
        chainId,
        registry: registryAddress,
        rpcUrl: chain.rpcUrl,
        model,
        keys,
        slotBytes,
        rolloutSalt: keccak256('0x') as Hex
      }
      await files.writeState(createDeviceState(init))
      return { directory, files }
    },
    async update(directory, peers, init) {
      const peer = await startFirmwarePeer({ directory: join(directory, 'peer'), listen: [], peers, log: silentLog })
      try {
        const source = createImageSource(peer, { deadlineMs: 6000, tries: 1 })
        return await updateDevice({ files: openDeviceFiles(directory), registry, source, clock: Date.now }, init)
      } finally {
        await peer.stop()
      }
    },
    async close() {
      for (const close of closing) await close()
      registry.close()
      await relayer.stop()
      await chain.stop()
    }
  }
}

/** Bytes that no compressor or chunker finds a pattern in, the same in every run. */
export function generatedImage(name: string, sizeBytes: number): Uint8Array {
  const out = new Uint8Array(sizeBytes)
  for (let offset = 0, block = 0; offset < sizeBytes; offset += 8160, block++) {
    const bytes = new Uint8Array(hkdfSync('sha256', name, String(block), '', 8160))
    out.set(bytes.subarray(0, sizeBytes - offset), offset)
  }
  return out
}

/** Gives an image to a peer. */
export async function importImage(peer: Pick<FirmwarePeer, 'host'>, bytes: Uint8Array): Promise<ImageToPublish> {
  const { cid, sizeBytes } = await importFile(peer.host, [bytes])
  return { cid, sizeBytes, sha256: new Uint8Array(createHash('sha256').update(bytes).digest()) }
}
