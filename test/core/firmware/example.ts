/** One example manifest that the tests of firmware share; the same as in test/vectors/manifest.json. */
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { sha256 } from '@noble/hashes/sha2.js'
import { fromHex, utf8 } from '#core/encoding/bytes.ts'
import { PIECE_BYTES, registryIdOf, type Manifest } from '#core/firmware/manifest.ts'

/** Where the example's registry is. */
export const EXAMPLE_DOMAIN = { chainId: 31337, registry: `0x${'12'.repeat(20)}` } as const

/** The image that the example describes. */
export const EXAMPLE_IMAGE: Uint8Array = utf8('firmware of an infusion pump, first release\n')

/** The manifest of {@link EXAMPLE_IMAGE}, with changes. */
export function exampleManifest(changes: Partial<Manifest> = {}): Manifest {
  const digest = sha256(EXAMPLE_IMAGE)
  return {
    network: registryIdOf(EXAMPLE_DOMAIN.chainId, EXAMPLE_DOMAIN.registry),
    model: fromHex('ab'.repeat(32)),
    sequence: 1,
    version: '1.0.0',
    securityCounter: 0,
    sizeBytes: EXAMPLE_IMAGE.length,
    sha256: digest,
    cid: CID.createV1(0x55, create(0x12, digest)),
    pieceBytes: PIECE_BYTES,
    ...changes
  }
}
