/**
 * What a device remembers between updates. It is written as a whole and replaced in one step, so that a power cut
 * leaves the old state or the new one; floors in it only rise (docs/specs/firmware-release.md).
 */
import type { Hex } from '#core/chain/events.ts'
import { SalusError } from '#core/error.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import type { HeadFacts } from '#core/firmware/facts.ts'
import { checkModelKeys, MAX_SIGNERS, type ModelKeys, type SignerSet } from '#core/firmware/keyset.ts'
import { MAX_IMAGE_BYTES, type Manifest } from '#core/firmware/manifest.ts'
import type { RegistryDomain } from '#core/firmware/release.ts'

const AREA = 'DEVICE_STATE'
const VERSION = 2
const MAX_BYTES = 65_536
const MAX_SIGNER_BYTES = 1024
const UINT32 = 2 ** 32 - 1

/** The image a device has stored and verified. */
export interface InstalledImage {
  readonly sequence: number
  readonly version: string
  readonly sizeBytes: number
  readonly sha256: Hex
}

/** State of one device. */
export interface DeviceState extends RegistryDomain {
  readonly rpcUrl: string
  readonly model: Hex
  readonly keys: ModelKeys
  /** Largest image there is room for. */
  readonly slotBytes: number
  /** 32 random bytes that only this device knows: by them it draws whether it goes first. */
  readonly rolloutSalt: Hex
  /** Highest security counter ever installed. */
  readonly securityFloor: number
  /** Highest sequence ever seen published. */
  readonly latestSequence: number
  /** Highest block ever seen, and its time in seconds since 1970. */
  readonly blockNumber: number
  readonly blockTimeS: number
  readonly installed: InstalledImage | null
  /** What was installed before it, kept to go back to. */
  readonly previous: InstalledImage | null
}

/** What a device is given when it is made. */
export interface DeviceInit extends RegistryDomain {
  readonly rpcUrl: string
  readonly model: Hex
  readonly keys: ModelKeys
  readonly slotBytes: number
  /** 32 random bytes. */
  readonly rolloutSalt: Hex
}

/**
 * The state of a device that has seen and installed nothing.
 *
 * @throws SalusError `FIRMWARE_BAD_KEYSET` if the keys are not the model's
 */
export function createDeviceState(init: DeviceInit): DeviceState {
  checkModelKeys(init.keys, init.model)
  return {
    ...init,
    securityFloor: 0,
    latestSequence: 0,
    blockNumber: 0,
    blockTimeS: 0,
    installed: null,
    previous: null
  }
}

/** The state after a head was accepted: never forgets the newest it has seen. */
export function rememberHead(state: DeviceState, head: HeadFacts): DeviceState {
  return {
    ...state,
    latestSequence: Math.max(state.latestSequence, head.latest),
    blockNumber: Math.max(state.blockNumber, head.blockNumber),
    blockTimeS: Math.max(state.blockTimeS, head.blockTimeS)
  }
}

/** The state after an image was stored and read back: the floor rises with it. */
export function rememberInstalled(state: DeviceState, manifest: Manifest): DeviceState {
  const { securityCounter, sequence, sha256, sizeBytes, version } = manifest
  return {
    ...state,
    securityFloor: Math.max(state.securityFloor, securityCounter),
    installed: { sequence, version, sizeBytes, sha256: toHex(sha256) },
    previous: state.installed
  }
}

/** The canonical bytes of a state. */
export function encodeDeviceState(state: DeviceState): Uint8Array {
  const { keys } = state
  return encodeCanonical({
    v: VERSION,
    chainId: state.chainId,
    registry: fromHex(state.registry, 20),
    rpcUrl: state.rpcUrl,
    model: fromHex(state.model, 32),
    keys: {
      root: writeSet(keys.root),
      release: writeSet(keys.release),
      guard: writeSet(keys.guard),
      steward: writeSet(keys.steward),
      silenceDays: keys.silenceDays,
      salt: fromHex(keys.salt, 32),
      modelClass: fromHex(keys.modelClass, 32)
    },
    slotBytes: state.slotBytes,
    rolloutSalt: fromHex(state.rolloutSalt, 32),
    securityFloor: state.securityFloor,
    latestSequence: state.latestSequence,
    blockNumber: state.blockNumber,
    blockTimeS: state.blockTimeS,
    installed: writeImage(state.installed),
    previous: writeImage(state.previous)
  })
}

/**
 * Reads a state.
 *
 * @throws SalusError `DEVICE_STATE_OVERSIZE`, `_TRUNCATED`, `_DUPLICATE_KEY`, `_TRAILING`, `_MALFORMED`,
 * `_NOT_CANONICAL`, `_VERSION`, `_SHAPE`; `FIRMWARE_BAD_KEYSET`
 */
export function decodeDeviceState(bytes: Uint8Array): DeviceState {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BYTES })
  if (typeof value === 'object' && value !== null && 'v' in value && value.v !== VERSION) {
    throw new SalusError('DEVICE_STATE_VERSION', 'This device was set up by another version of the software.')
  }
  const counters = ['securityFloor', 'latestSequence', 'blockNumber', 'blockTimeS']
  const identity = ['v', 'chainId', 'registry', 'rpcUrl', 'model', 'keys', 'slotBytes', 'rolloutSalt']
  const map = readMap(value, AREA, [...identity, ...counters, 'installed', 'previous'])
  const state: DeviceState = {
    chainId: readUint(map['chainId'], AREA, 'chainId'),
    registry: toHex(readBytes(map['registry'], AREA, 'registry', 20)),
    rpcUrl: readText(map['rpcUrl'], AREA, 'rpcUrl', 2048),
    model: toHex(readBytes(map['model'], AREA, 'model', 32)),
    keys: readKeys(map['keys']),
    slotBytes: readUint(map['slotBytes'], AREA, 'slotBytes', MAX_IMAGE_BYTES),
    rolloutSalt: toHex(readBytes(map['rolloutSalt'], AREA, 'rolloutSalt', 32)),
    securityFloor: readUint(map['securityFloor'], AREA, 'securityFloor', UINT32),
    latestSequence: readUint(map['latestSequence'], AREA, 'latestSequence', UINT32),
    blockNumber: readUint(map['blockNumber'], AREA, 'blockNumber'),
    blockTimeS: readUint(map['blockTimeS'], AREA, 'blockTimeS'),
    installed: readImage(map['installed']),
    previous: readImage(map['previous'])
  }
  checkModelKeys(state.keys, state.model)
  return state
}

function readKeys(value: unknown): ModelKeys {
  const map = readMap(value, AREA, ['root', 'release', 'guard', 'steward', 'silenceDays', 'salt', 'modelClass'])
  return {
    root: readSet(map['root']),
    release: readSet(map['release']),
    guard: readSet(map['guard']),
    steward: readSet(map['steward']),
    silenceDays: readUint(map['silenceDays'], AREA, 'silenceDays', 2 ** 16 - 1),
    salt: toHex(readBytes(map['salt'], AREA, 'salt', 32)),
    modelClass: toHex(readBytes(map['modelClass'], AREA, 'modelClass', 32))
  }
}

function writeSet({ threshold, signers }: SignerSet): unknown {
  return { threshold, signers: signers.map(signer => fromHex(signer)) }
}

function readSet(value: unknown): SignerSet {
  const map = readMap(value, AREA, ['threshold', 'signers'])
  return {
    threshold: readUint(map['threshold'], AREA, 'threshold', MAX_SIGNERS),
    signers: readList(map['signers'], AREA, 'signers', MAX_SIGNERS, item =>
      toHex(readBytes(item, AREA, 'signers', { min: 20, max: MAX_SIGNER_BYTES }))
    )
  }
}

function writeImage(image: InstalledImage | null): unknown {
  return image == null ? null : { ...image, sha256: fromHex(image.sha256, 32) }
}

function readImage(value: unknown): InstalledImage | null {
  if (value === null) return null
  const map = readMap(value, AREA, ['sequence', 'version', 'sizeBytes', 'sha256'])
  return {
    sequence: readUint(map['sequence'], AREA, 'sequence', UINT32),
    version: readText(map['version'], AREA, 'version', 32),
    sizeBytes: readUint(map['sizeBytes'], AREA, 'sizeBytes', MAX_IMAGE_BYTES),
    sha256: toHex(readBytes(map['sha256'], AREA, 'sha256', 32))
  }
}
