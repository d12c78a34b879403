/**
 * What one release of firmware is: the signed, canonical record that a device compares its image with
 * (docs/specs/manifest.md, test/vectors/manifest.json).
 */
import type { CID } from 'multiformats/cid'
import type { Hex } from '#core/chain/events.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { SalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readCid, readMap, readText, readUint } from '#core/encoding/shape.ts'

const AREA = 'MANIFEST'
const VERSION = 1
const FIELDS = [
  'v',
  'network',
  'model',
  'sequence',
  'version',
  'securityCounter',
  'sizeBytes',
  'sha256',
  'cid',
  'pieceBytes'
]
/** No slash, no control character, no leading dot: a version can never be taken for a path. */
const VERSION_TEXT = /^[0-9A-Za-z][0-9A-Za-z.+~-]{0,31}$/
const RAW = 0x55
const DAG_PB = 0x70
const SHA2_256 = 0x12

/** Most bytes of an encoded manifest. */
export const MAX_MANIFEST_BYTES = 512
/** Most bytes of an image: what 40 bits on the chain hold. */
export const MAX_IMAGE_BYTES: number = 2 ** 40 - 1
/** Most bytes of one leaf of an image's tree, and what the publisher uses. */
export const PIECE_BYTES: number = 2 ** 20

/** One release. Counters are 32-bit, lengths in bytes. */
export interface Manifest {
  /** The registry that vouches, 32 bytes: see {@link registryIdOf}. */
  readonly network: Uint8Array
  /** 32 bytes. */
  readonly model: Uint8Array
  /** 1, 2, 3 … without gaps: this alone orders releases. */
  readonly sequence: number
  /** For people only: up to 32 of `0-9 A-Z a-z . + ~ -`, beginning with a letter or digit. */
  readonly version: string
  /** Raised when a release closes a hole; a device never goes back behind the highest it has installed. */
  readonly securityCounter: number
  readonly sizeBytes: number
  /** Of the whole image, 32 bytes. */
  readonly sha256: Uint8Array
  /** Root of the image's UnixFS tree (CIDv1, sha2-256, raw or dag-pb). */
  readonly cid: CID
  /** Bytes of the tree's leaves, a power of two. */
  readonly pieceBytes: number
}

/** Which registry and model a manifest must be for. */
export interface ManifestExpectation {
  readonly network: Uint8Array
  readonly model: Uint8Array
}

/**
 * Names a registry on its chain: keccak256(abi.encode(uint256 chainId, address registry)), 32 bytes. A manifest is
 * bound to it and not to the records' network, because the registry's address is all a device is given.
 */
export function registryIdOf(chainId: number, registry: Hex): Uint8Array {
  return networkIdOf(chainId, registry)
}

/**
 * The canonical bytes of a manifest.
 *
 * @throws SalusError `MANIFEST_SHAPE` if a field is out of its bounds
 */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const bytes = encodeCanonical({ v: VERSION, ...manifest })
  decodeManifest(bytes)
  return bytes
}

/**
 * Reads a manifest.
 *
 * @param bytes - at most 512
 * @param expected - refuse a manifest for another registry or model
 * @throws SalusError `MANIFEST_OVERSIZE`, `_TRUNCATED`, `_DUPLICATE_KEY`, `_TRAILING`, `_MALFORMED`, `_NOT_CANONICAL`,
 * `_VERSION`, `_SHAPE`, `_NETWORK`, `_MODEL`
 */
export function decodeManifest(bytes: Uint8Array, expected?: ManifestExpectation): Manifest {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_MANIFEST_BYTES })
  if (typeof value === 'object' && value !== null && 'v' in value && value.v !== VERSION) {
    throw new SalusError('MANIFEST_VERSION', 'Refused: this manifest has a version this software does not know.')
  }
  const map = readMap(value, AREA, FIELDS)
  const manifest: Manifest = {
    network: readBytes(map['network'], AREA, 'network', 32),
    model: readBytes(map['model'], AREA, 'model', 32),
    sequence: readUint(map['sequence'], AREA, 'sequence', 2 ** 32 - 1),
    version: readText(map['version'], AREA, 'version', 32),
    securityCounter: readUint(map['securityCounter'], AREA, 'securityCounter', 2 ** 32 - 1),
    sizeBytes: readUint(map['sizeBytes'], AREA, 'sizeBytes', MAX_IMAGE_BYTES),
    sha256: readBytes(map['sha256'], AREA, 'sha256', 32),
    cid: readCid(map['cid'], AREA, 'cid'),
    pieceBytes: readUint(map['pieceBytes'], AREA, 'pieceBytes', PIECE_BYTES)
  }
  checkFields(manifest)
  if (expected != null && !equalBytes(manifest.network, expected.network)) {
    throw new SalusError('MANIFEST_NETWORK', 'Refused: this manifest belongs to another chain or registry.')
  }
  if (expected != null && !equalBytes(manifest.model, expected.model)) {
    throw new SalusError('MANIFEST_MODEL', 'Refused: this manifest is for another model of device.')
  }
  return manifest
}

/** Bounds that go beyond a single field's type. */
function checkFields(manifest: Manifest): void {
  const { cid, pieceBytes, sequence, sha256, sizeBytes, version } = manifest
  if (sequence === 0) refuse('sequence', 'at least 1')
  if (sizeBytes === 0) refuse('sizeBytes', 'at least 1')
  if (!VERSION_TEXT.test(version)) refuse('version', 'letters, digits and . + ~ - only')
  if (pieceBytes < 2 ** 14 || (pieceBytes & (pieceBytes - 1)) !== 0) refuse('pieceBytes', 'a power of two from 16 KiB')
  if (cid.version !== 1 || cid.multihash.code !== SHA2_256 || cid.multihash.digest.length !== 32) {
    refuse('cid', 'a CIDv1 with sha2-256')
  }
  if (cid.code === RAW) {
    // An image of one piece is its own tree, so that its CID holds the very same digest.
    if (sizeBytes > pieceBytes) refuse('cid', 'a tree, the image being longer than one piece')
    if (!equalBytes(cid.multihash.digest, sha256)) refuse('cid', 'the digest of the image')
  } else if (cid.code !== DAG_PB) refuse('cid', 'raw or dag-pb')
}

function refuse(field: string, wanted: string): never {
  throw new SalusError('MANIFEST_SHAPE', `Refused: field "${field}" must be ${wanted}.`)
}
