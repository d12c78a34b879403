/** A device's folder: its state, the update it is in the middle of, and its images (docs/specs/firmware-release.md). */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, mkdir, open, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Hex } from '#core/chain/events.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { decodeDeviceState, encodeDeviceState, type DeviceState } from '#core/firmware/device-state.ts'
import { decodeManifest, encodeManifest, type Manifest } from '#core/firmware/manifest.ts'
import { verifyImage, type ImageDigest } from '#core/firmware/verify.ts'
import { flushFolderOf, readIfThere, removeDurably, writeDurably } from '#node/store/durable-file.ts'

/** What a device keeps; everything is on the disk when a promise resolves. */
export interface DeviceFiles {
  /** Whether there is a device in the folder. */
  isSetUp(): Promise<boolean>
  /** @throws SalusError `DEVICE_NOT_SET_UP`, or what {@link decodeDeviceState} throws */
  readState(): Promise<DeviceState>
  writeState(state: DeviceState): Promise<void>
  /** The release whose update was begun and not ended. */
  readPending(): Promise<Manifest | undefined>
  writePending(manifest: Manifest | undefined): Promise<void>
  /** Path of an image's file, whether or not it is there. */
  imagePath(sha256: Hex): string
  /** Whether an image is stored, whole and undamaged. */
  hasImage(image: { readonly sha256: Hex; readonly sizeBytes: number }): Promise<boolean>
  /**
   * Stores an image: verifies while it streams, flushes, reads it back, verifies again, and only then gives it its name.
   *
   * @throws SalusError `FIRMWARE_OVERSIZE`, `FIRMWARE_TRUNCATED`, `FIRMWARE_WRONG_HASH`
   */
  storeImage(manifest: Manifest, bytes: AsyncIterable<Uint8Array>, onBytes?: (bytes: number) => void): Promise<void>
  /** Removes every other image, and what a power cut left half-written. */
  keepImages(sha256s: readonly Hex[]): Promise<void>
}

/** Opens a device's folder. */
export function openDeviceFiles(directory: string): DeviceFiles {
  const statePath = join(directory, 'device.cbor')
  const pendingPath = join(directory, 'update.cbor')
  const images = join(directory, 'images')
  const imagePath = (sha256: Hex): string => join(images, `${sha256.replace(/^0x/, '')}.bin`)

  return {
    imagePath,
    isSetUp: async () => isThere(statePath),
    async readState() {
      const bytes = await readIfThere(statePath)
      if (bytes != null) return decodeDeviceState(bytes)
      throw new SalusError('DEVICE_NOT_SET_UP', `There is no device in ${directory}; run "salus device init" first.`)
    },
    async writeState(state) {
      await mkdir(directory, { recursive: true })
      await writeDurably(statePath, encodeDeviceState(state))
    },
    async readPending() {
      const bytes = await readIfThere(pendingPath)
      return bytes == null ? undefined : decodeManifest(bytes)
    },
    async writePending(manifest) {
      if (manifest == null) await removeDurably(pendingPath)
      else await writeDurably(pendingPath, encodeManifest(manifest))
    },
    async hasImage(image) {
      const path = imagePath(image.sha256)
      if (!(await isThere(path))) return false
      const { sizeBytes, sha256 } = await digestOf(path)
      return sizeBytes === image.sizeBytes && toHex(sha256) === image.sha256
    },
    async storeImage(manifest, bytes, onBytes) {
      await mkdir(images, { recursive: true })
      const path = imagePath(toHex(manifest.sha256))
      const partial = `${path}.part`
      verifyImage(manifest, await writeStream(partial, manifest.sizeBytes, bytes, onBytes))
      // What the disk gives back is what will run: a bad cell or a full cache shows here.
      verifyImage(manifest, await digestOf(partial))
      await rename(partial, path)
      await flushFolderOf(path)
    },
    async keepImages(sha256s) {
      const kept = new Set(sha256s.map(imagePath))
      await mkdir(images, { recursive: true })
      for (const name of await readdir(images)) {
        const path = join(images, name)
        if (!kept.has(path)) await removeDurably(path)
      }
    }
  }
}

/** Writes a stream and flushes it, measuring what comes; one byte over the limit ends it. */
async function writeStream(
  path: string,
  limitBytes: number,
  bytes: AsyncIterable<Uint8Array>,
  onBytes?: (bytes: number) => void
): Promise<ImageDigest> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  const file = await open(path, 'w', 0o600)
  try {
    for await (const chunk of bytes) {
      sizeBytes += chunk.length
      if (sizeBytes > limitBytes) break
      hash.update(chunk)
      await file.writeFile(chunk)
      onBytes?.(sizeBytes)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return { sizeBytes, sha256: new Uint8Array(hash.digest()) }
}

async function digestOf(path: string): Promise<ImageDigest> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
    hash.update(chunk)
    sizeBytes += chunk.length
  }
  return { sizeBytes, sha256: new Uint8Array(hash.digest()) }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false
  )
}
