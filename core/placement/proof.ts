/** `/salus/proof/1`: a peer proves that it can read a blob's bytes now, and that it will keep them for a while (docs/specs/proof.md). */
import type { CID } from 'multiformats/cid'
import type { Primitives } from '#core/crypto/primitives.ts'
import { concat, equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { DAG_PB_CODEC, RAW_CODEC, readSha256Cid } from '#core/record/cid.ts'
import { SalusError } from '#core/error.ts'

const AREA = 'PROOF'
const LABEL = utf8('salus/proof/1')

/** Most blobs of one request. */
export const MAX_PROOF_BLOBS = 32

/** Most bytes of a request. */
export const MAX_PROOF_REQUEST_BYTES: number = MAX_PROOF_BLOBS * 96 + 128

/** Most bytes of an answer. */
export const MAX_PROOF_ANSWER_BYTES: number = MAX_PROOF_BLOBS * 40 + 128

/** Longest time for which a peer can be asked to keep what it proves, in seconds. */
export const MAX_LEASE_S = 3_600

/** Stretches of a blob that are looked at, and the bytes of each. Each may cost its prover a whole block; whoever lacks a quarter is found out nine times in ten. */
const RANGES = 8
const RANGE_BYTES = 4_096

/** A blob that is asked about. */
export interface AskedBlob {
  readonly cid: CID
  readonly sizeBytes: number
}

/** A request for proofs. */
export interface ProofRequest {
  /** Fresh and random, 32 bytes: which stretches are looked at follows from it. */
  readonly nonce: Uint8Array
  /** Time for which the peer shall not drop what it proves, in seconds; 0 for none. */
  readonly leaseS: number
  readonly blobs: readonly AskedBlob[]
}

/** A stretch of a blob. */
export interface Range {
  readonly from: number
  readonly length: number
}

/** The stretches of a blob that a nonce asks for: all of a small one. */
export function provenRanges(p: Primitives, nonce: Uint8Array, { cid, sizeBytes }: AskedBlob): Range[] {
  if (sizeBytes <= RANGES * RANGE_BYTES) return [{ from: 0, length: sizeBytes }]
  const ranges: Range[] = []
  for (let i = 0; i < RANGES; i++) {
    const digest = p.hmacSha256(nonce, concat(LABEL, cid.multihash.bytes, Uint8Array.of(i)))
    const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength)
    // 53 bits: more than any size, and exact.
    const number = view.getUint32(0) * 2 ** 21 + (view.getUint32(4) >>> 11)
    ranges.push({ from: number % (sizeBytes - RANGE_BYTES + 1), length: RANGE_BYTES })
  }
  return ranges
}

/**
 * The proof, 32 bytes.
 *
 * @param prover - bytes of the prover's peer id: a proof that somebody else made is of no use to it
 * @param parts - the bytes of {@link provenRanges}, in order
 */
export function proofOf(
  p: Primitives,
  nonce: Uint8Array,
  prover: Uint8Array,
  { cid, sizeBytes }: AskedBlob,
  parts: readonly Uint8Array[]
): Uint8Array {
  const about = encodeCanonical({ prover, blob: cid, sizeBytes, parts: p.sha256(concat(...parts)) })
  return p.hmacSha256(nonce, concat(LABEL, new Uint8Array(1), about))
}

/** The canonical bytes of a request. */
export function encodeProofRequest({ nonce, leaseS, blobs }: ProofRequest): Uint8Array {
  return encodeCanonical({ v: 1, nonce, leaseS, blobs: blobs.map(({ cid, sizeBytes }) => [cid, sizeBytes]) })
}

/**
 * Reads a request.
 *
 * @throws SalusError the `PROOF_*` codes of the canonical decoder; `PROOF_SHAPE`, `PROOF_VERSION`
 */
export function decodeProofRequest(bytes: Uint8Array): ProofRequest {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_PROOF_REQUEST_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'nonce', 'leaseS', 'blobs'])
  return {
    nonce: readBytes(map['nonce'], AREA, 'nonce', 32),
    leaseS: readUint(map['leaseS'], AREA, 'leaseS', MAX_LEASE_S),
    blobs: readList(map['blobs'], AREA, 'blobs', MAX_PROOF_BLOBS, readAsked)
  }
}

function readAsked(item: unknown): AskedBlob {
  if (!Array.isArray(item) || item.length !== 2) throw shape('blobs')
  const [cid, size] = item as readonly unknown[]
  return {
    cid: readSha256Cid(cid, AREA, 'blobs', [RAW_CODEC, DAG_PB_CODEC]),
    sizeBytes: readUint(size, AREA, 'blobs')
  }
}

/** The canonical bytes of an answer: a proof for each blob in order, null for one that is not held. */
export function encodeProofAnswer(proofs: readonly (Uint8Array | null)[]): Uint8Array {
  return encodeCanonical({ v: 1, proofs })
}

/**
 * Reads the answer to a request for `count` blobs.
 *
 * @throws SalusError the `PROOF_*` codes of the canonical decoder; `PROOF_SHAPE`, `PROOF_VERSION`
 */
export function decodeProofAnswer(bytes: Uint8Array, count: number): (Uint8Array | null)[] {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_PROOF_ANSWER_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'proofs'])
  const proofs = readList(map['proofs'], AREA, 'proofs', count, item =>
    item === null ? null : readBytes(item, AREA, 'proofs', 32)
  )
  if (proofs.length !== count) throw shape('proofs')
  return proofs
}

/** Whether a proof is what the verifier, who holds the bytes as well, makes itself. */
export function isProven(expected: Uint8Array, given: Uint8Array | null): boolean {
  return given != null && equalBytes(expected, given)
}

function shape(field: string): SalusError {
  return new SalusError('PROOF_SHAPE', `Refused: field "${field}" must be as docs/specs/proof.md says.`)
}
