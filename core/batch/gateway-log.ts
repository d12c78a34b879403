/** A gateway's tree as a log that witnesses and verifiers of C2SP's formats know (docs/specs/checkpoint.md, docs/specs/tlog-proof.md). */
import type { Primitives } from '#core/crypto/primitives.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { readBytes, readMap } from '#core/encoding/shape.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { leafIndex, leafParts, type Batch, type LeafParts } from '#core/batch/batch.ts'
import { readingLeaf, SALT_BYTES } from '#core/batch/leaf.ts'
import { decodeReading, type Reading } from '#core/batch/reading.ts'
import { decodeRecord, MAX_RECORD_BYTES, type BatchRecord } from '#core/batch/record.ts'
import { inclusionProof, type Tree } from '#core/batch/tree.ts'
import type { Cosigned } from '#core/tlog/cosignature.ts'
import type { Checkpoint } from '#core/tlog/checkpoint.ts'
import { decodeTlogProof, encodeTlogProof, verifyTlogProof, type TlogPolicy } from '#core/tlog/proof.ts'

const AREA = 'LEAF'
const VERSION = 1
const MAX_LEAF_BYTES = 26_000

/** Name of a gateway's log: the network and the gateway's id. */
export function gatewayLogOrigin(network: Uint8Array, gateway: Uint8Array): string {
  return `salus/${toHex(network.subarray(0, 4)).slice(2)}/gateway/${toHex(gateway).slice(2)}`
}

/**
 * The proof file of the reading or record at `position` of a batch.
 *
 * @param tree - holds the leaves of the batch and all after it up to the checkpoint
 * @throws SalusError `BUNDLE_POSITION` if the batch has nothing there; `MERKLE_INDEX` if the tree does not reach the checkpoint
 */
export function makeTlogProof(
  p: Primitives,
  tree: Tree,
  batch: Batch,
  position: number,
  checkpoint: { readonly note: string; readonly size: number }
): string {
  const { reading: leaf, salt } = leafParts(p, batch, position)
  const index = leafIndex(batch.header, position)
  const extra = encodeCanonical({ v: VERSION, leaf, salt })
  return encodeTlogProof({
    extra,
    index,
    path: inclusionProof(p, tree, index, checkpoint.size),
    checkpoint: checkpoint.note
  })
}

/** What a leaf says. */
export type LeafContent =
  { readonly type: 'reading'; readonly reading: Reading } | { readonly type: 'record'; readonly record: BatchRecord }

/** What a proof file proves. */
export interface VerifiedLeaf {
  readonly content: LeafContent
  readonly index: number
  readonly checkpoint: Checkpoint
  readonly cosigned: readonly Cosigned[]
}

/**
 * Checks a proof file of a gateway's log.
 *
 * @throws SalusError `TLOG_PROOF_MALFORMED`, `LEAF_*` if it does not say what it proves, and as `verifyTlogProof`
 */
export function verifyGatewayProof(p: Primitives, text: string, policy: TlogPolicy): VerifiedLeaf {
  const proof = decodeTlogProof(text)
  const { reading: leaf, salt } = readLeafParts(proof.extra ?? new Uint8Array())
  const { checkpoint, cosigned } = verifyTlogProof(p, proof, readingLeaf(p, leaf, salt), policy)
  return { content: readLeaf(leaf), index: proof.index, checkpoint, cosigned }
}

function readLeafParts(extra: Uint8Array): LeafParts {
  const map = readMap(decodeCanonical(extra, { area: AREA, maxBytes: MAX_LEAF_BYTES }), AREA, ['v', 'leaf', 'salt'])
  if (map['v'] !== VERSION)
    throw new SalusError('LEAF_VERSION', 'Refused: a leaf of another version; use a newer Salus.')
  return {
    reading: readBytes(map['leaf'], AREA, 'leaf', { min: 1, max: MAX_RECORD_BYTES }),
    salt: readBytes(map['salt'], AREA, 'salt', SALT_BYTES)
  }
}

/** The first item of a leaf tells its kind: a reading begins with a number, a record with a text. */
function readLeaf(bytes: Uint8Array): LeafContent {
  try {
    return { type: 'reading', reading: decodeReading(bytes) }
  } catch (error) {
    if (!isSalusError(error)) throw error
  }
  return { type: 'record', record: decodeRecord(bytes) }
}
