import { sha256 } from '@noble/hashes/sha2.js'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { SalusError } from '#core/error.ts'
import { readCid } from '#core/encoding/shape.ts'

/** Multicodec code of plain bytes. */
export const RAW_CODEC = 0x55

/** Multicodec code of dag-pb, in which UnixFS trees are written. */
export const DAG_PB_CODEC = 0x70

/** Multicodec code of dag-cbor. */
export const DAG_CBOR_CODEC = 0x71

const SHA2_256 = 0x12

/** A CIDv1 of an SHA-256 digest. */
export function cidOfDigest(codec: number, digest: Uint8Array): CID {
  return CID.createV1(codec, create(SHA2_256, digest))
}

/** The CID of the bytes of a small, canonical value: CIDv1, dag-cbor, SHA-256. */
export function cidOfCanonical(bytes: Uint8Array): CID {
  return cidOfDigest(DAG_CBOR_CODEC, sha256(bytes))
}

/**
 * Reads a CID of version 1 with an SHA-256 digest and one of the codecs: one content, one name.
 *
 * @throws SalusError `<area>_SHAPE`
 */
export function readSha256Cid(value: unknown, area: string, field: string, codecs: readonly number[]): CID {
  const cid = readCid(value, area, field)
  if (cid.version !== 1 || cid.multihash.code !== SHA2_256 || cid.multihash.size !== 32 || !codecs.includes(cid.code)) {
    throw new SalusError(`${area}_SHAPE`, `Refused: field "${field}" must be a CIDv1 with SHA-256 of a known codec.`)
  }
  return cid
}
