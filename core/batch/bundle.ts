/** A proof bundle: one reading, and all that a third party needs to check it offline (docs/specs/bundle.md). */
import type { Primitives } from '#core/crypto/primitives.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import { MAX_EVIDENCE_BYTES } from '#core/identity/evidence.ts'
import { MAX_BLOCK_HEADER_BYTES } from '#core/proof/block.ts'
import { MAX_NODE_BYTES, MAX_PROOF_NODES } from '#core/proof/receipt.ts'
import { leafIndex, leafParts, type Batch } from '#core/batch/batch.ts'
import { MAX_GATEWAY_HEAD_BYTES } from '#core/batch/gateway-head.ts'
import { MAX_HEADER_BYTES, type SignedHeader } from '#core/batch/header.ts'
import { SALT_BYTES } from '#core/batch/leaf.ts'
import { MAX_PROOF_HASHES } from '#core/batch/merkle.ts'
import { MAX_INTEGER, MAX_READING_BYTES } from '#core/batch/reading.ts'
import type { SuperRootPath } from '#core/batch/super-root.ts'
import { consistencyProof, inclusionProof, type Tree } from '#core/batch/tree.ts'

const AREA = 'BUNDLE'
const VERSION = 1
const FIELDS = [
  'v',
  'reading',
  'salt',
  'index',
  'inclusion',
  'header',
  'signature',
  'evidence',
  'consistency',
  'chain',
  'anchor',
  'superRoot'
]

/** Most bytes of a bundle. */
export const MAX_BUNDLE_BYTES: number = 256 * 1024

/** Which chain and contracts, addresses of 20 bytes. */
export interface ChainPlace {
  readonly chainId: number
  readonly accessGrants: Uint8Array
  readonly batchAnchors: Uint8Array
}

/** Proof that a block holds the anchor: the receipt of its transaction under the block's receipts root. */
export interface AnchorProof {
  readonly blockHash: Uint8Array
  /** RLP of the block's header. */
  readonly block: Uint8Array
  /** Index of the transaction in the block. */
  readonly transaction: number
  /** Merkle Patricia proof of the receipt, from the root down. */
  readonly receipt: readonly Uint8Array[]
  /** Index of the event in the receipt. */
  readonly log: number
}

/** A bundle's parts. */
export interface Bundle {
  readonly reading: Uint8Array
  readonly salt: Uint8Array
  /** Index of the reading's leaf in the gateway's tree. */
  readonly index: number
  /** Path of the leaf in the tree at the end of the batch. */
  readonly inclusion: readonly Uint8Array[]
  readonly signed: SignedHeader
  /** core/identity/evidence.ts: the gateway's key bundle, bound to its address; as it travels with the gateway's entries. */
  readonly evidence: Uint8Array
  /** From the tree at the end of the batch to the anchored tree. */
  readonly consistency: readonly Uint8Array[]
  readonly chain: ChainPlace
  readonly anchor: AnchorProof
  /** The gateway's place under the super-root that is anchored; null where its own anchor is. */
  readonly superRoot: SuperRootPath | null
}

/** What a bundle is made of beside the batch. */
export interface BundleEvidence {
  /** As it came with the entry of the batch. */
  readonly evidence: Uint8Array
  readonly chain: ChainPlace
  readonly anchor: AnchorProof
  readonly superRoot?: SuperRootPath
  /** Leaves of the anchored tree. */
  readonly anchoredSize: number
}

/**
 * Makes the bundle of the reading at `position` of a batch.
 *
 * @param tree - holds the leaves of the batch and all after it up to the anchor: the gateway's own, or a reader's from
 * `batchTree` and `extendTree`
 * @throws SalusError `BUNDLE_POSITION` if the batch has no such reading; `MERKLE_INDEX` if the tree does not reach the anchor
 */
export function makeBundle(
  p: Primitives,
  tree: Tree,
  batch: Batch,
  position: number,
  { evidence, chain, anchor, superRoot, anchoredSize }: BundleEvidence
): Uint8Array {
  if (batch.readings[position] == null) {
    throw new SalusError('BUNDLE_POSITION', 'The batch has no reading at this position.')
  }
  const { header, signed } = batch
  const index = leafIndex(header, position)
  return encodeBundle({
    ...leafParts(p, batch, position),
    index,
    inclusion: inclusionProof(p, tree, index, header.treeTo),
    signed,
    evidence,
    consistency: consistencyProof(p, tree, header.treeTo, anchoredSize),
    chain,
    anchor,
    superRoot: superRoot ?? null
  })
}

/** Canonical bytes of a bundle. */
export function encodeBundle({ signed, chain, anchor, superRoot, ...parts }: Bundle): Uint8Array {
  return encodeCanonical({
    v: VERSION,
    ...parts,
    header: signed.bytes,
    signature: signed.signature,
    chain: { ...chain },
    anchor: { ...anchor },
    superRoot: superRoot == null ? null : encodePath(superRoot)
  })
}

/**
 * Reads the parts of a bundle; nothing is checked but their form.
 *
 * @throws SalusError `BUNDLE_*` of the canonical decoder, `BUNDLE_VERSION`, `BUNDLE_SHAPE`
 */
export function decodeBundle(bytes: Uint8Array): Bundle {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BUNDLE_BYTES })
  if (readMap(value, AREA, ['v'], FIELDS)['v'] !== VERSION) {
    throw new SalusError('BUNDLE_VERSION', 'Refused: this bundle has another version; use a newer Salus.')
  }
  const map = readMap(value, AREA, FIELDS)
  const bytesOf = (field: string, max: number): Uint8Array => readBytes(map[field], AREA, field, { min: 1, max })
  const hashes = (field: string): Uint8Array[] =>
    readList(map[field], AREA, field, MAX_PROOF_HASHES, item => readBytes(item, AREA, field, 32))
  return {
    reading: bytesOf('reading', MAX_READING_BYTES),
    salt: readBytes(map['salt'], AREA, 'salt', SALT_BYTES),
    index: readUint(map['index'], AREA, 'index', MAX_INTEGER),
    inclusion: hashes('inclusion'),
    signed: {
      bytes: bytesOf('header', MAX_HEADER_BYTES),
      signature: readBytes(map['signature'], AREA, 'signature', 64)
    },
    evidence: bytesOf('evidence', MAX_EVIDENCE_BYTES),
    consistency: hashes('consistency'),
    chain: readChain(map['chain']),
    anchor: readAnchor(map['anchor']),
    superRoot: map['superRoot'] === null ? null : readPath(map['superRoot'])
  }
}

function readChain(value: unknown): ChainPlace {
  const map = readMap(value, AREA, ['chainId', 'accessGrants', 'batchAnchors'])
  return {
    chainId: readUint(map['chainId'], AREA, 'chainId'),
    accessGrants: readBytes(map['accessGrants'], AREA, 'accessGrants', 20),
    batchAnchors: readBytes(map['batchAnchors'], AREA, 'batchAnchors', 20)
  }
}

function readAnchor(value: unknown): AnchorProof {
  const map = readMap(value, AREA, ['blockHash', 'block', 'transaction', 'receipt', 'log'])
  return {
    blockHash: readBytes(map['blockHash'], AREA, 'blockHash', 32),
    block: readBytes(map['block'], AREA, 'block', { min: 1, max: MAX_BLOCK_HEADER_BYTES }),
    transaction: readUint(map['transaction'], AREA, 'transaction', 0xffff),
    receipt: readList(map['receipt'], AREA, 'receipt', MAX_PROOF_NODES, item =>
      readBytes(item, AREA, 'receipt', { min: 1, max: MAX_NODE_BYTES })
    ),
    log: readUint(map['log'], AREA, 'log', 0xffff)
  }
}

function encodePath({ signed, index, path }: SuperRootPath): Record<string, unknown> {
  return { head: signed.bytes, signature: signed.signature, index, path }
}

function readPath(value: unknown): SuperRootPath {
  const map = readMap(value, AREA, ['head', 'signature', 'index', 'path'])
  return {
    signed: {
      bytes: readBytes(map['head'], AREA, 'head', { min: 1, max: MAX_GATEWAY_HEAD_BYTES }),
      signature: readBytes(map['signature'], AREA, 'signature', 64)
    },
    index: readUint(map['index'], AREA, 'index', MAX_INTEGER),
    path: readList(map['path'], AREA, 'path', MAX_PROOF_HASHES, item => readBytes(item, AREA, 'path', 32))
  }
}
