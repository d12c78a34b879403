/** Proves to peers that blobs are here, and has peers prove it (docs/specs/proof.md). */
import { peerIdFromString } from '@libp2p/peer-id'
import type { Libp2p } from '@libp2p/interface'
import type { Primitives } from '#core/crypto/primitives.ts'
import {
  decodeProofAnswer,
  decodeProofRequest,
  encodeProofAnswer,
  encodeProofRequest,
  isProven,
  MAX_PROOF_ANSWER_BYTES,
  MAX_PROOF_REQUEST_BYTES,
  proofOf,
  provenRanges,
  type AskedBlob,
  type ProofRequest
} from '#core/placement/proof.ts'
import { handleRequests, request, type AnswerComponents, type RequestProtocol } from '#node/network/request.ts'
import type { Leases } from '#node/placement/leases.ts'
import { isWhole, readRanges } from '#node/placement/stored-blob.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'

const PROTOCOL: RequestProtocol = {
  id: '/salus/proof/1',
  maxRequestBytes: MAX_PROOF_REQUEST_BYTES,
  maxAnswerBytes: MAX_PROOF_ANSWER_BYTES,
  timeoutMs: 20_000
}

/** What proving needs. */
export interface ProverComponents extends AnswerComponents {
  readonly p: Primitives
  readonly blockstore: DiskBlockstore
  readonly leases: Leases
  /** Whether a peer may be promised something: one that pledged itself. */
  readonly isMember: (peer: string) => boolean
}

/** Proves to peers. */
export interface Prover {
  start(): Promise<void>
  stop(): Promise<void>
}

/** The `/salus/proof/1` service of a node. */
export function createProver(components: ProverComponents): Prover {
  const { libp2p, p, blockstore, leases, isMember } = components
  let unhandle: (() => Promise<void>) | undefined

  async function prove({ nonce, leaseS }: ProofRequest, blob: AskedBlob, from: string): Promise<Uint8Array | null> {
    const { cid, sizeBytes } = blob
    if (leaseS > 0) {
      if (!isMember(from) || !(await isWhole(blockstore, cid, sizeBytes))) return null
      // Before the bytes are read: what is promised cannot be dropped between.
      if (!leases.promise(cid, leaseS * 1_000)) return null
    }
    const parts = await readRanges(blockstore, cid, sizeBytes, provenRanges(p, nonce, blob))
    return parts == null ? null : proofOf(p, nonce, libp2p.peerId.toMultihash().bytes, blob, parts)
  }

  return {
    async start() {
      unhandle = await handleRequests(components, PROTOCOL, {
        decode: decodeProofRequest,
        answer: async (asked, from) => {
          const proofs: (Uint8Array | null)[] = []
          // One after the other: the disk is not to be kept busy by one peer.
          for (const blob of asked.blobs) proofs.push(await prove(asked, blob, from.toString()))
          return encodeProofAnswer(proofs)
        }
      })
    },
    async stop() {
      await unhandle?.()
    }
  }
}

/** What having peers prove needs. */
export interface AskProofsComponents {
  readonly libp2p: Libp2p
  readonly p: Primitives
  /** The node's own store: a proof is checked against the same bytes. */
  readonly blockstore: DiskBlockstore
}

/**
 * Has a peer prove that it holds blobs that are here as well, at most 32.
 *
 * @param leaseS - time for which the peer shall promise to keep them; 0 for none
 * @returns for each blob whether it was proven; undefined where it is not here any more, so that nothing can be said
 * @throws SalusError `PEER_UNREACHABLE`, `PEER_PROTOCOL_UNKNOWN`, `PEER_NO_ANSWER`; the `PROOF_*` codes
 */
export async function askProofs(
  { libp2p, p, blockstore }: AskProofsComponents,
  peer: string,
  blobs: readonly AskedBlob[],
  { leaseS, signal }: { readonly leaseS: number; readonly signal?: AbortSignal }
): Promise<(boolean | undefined)[]> {
  const peerId = peerIdFromString(peer)
  const nonce = crypto.getRandomValues(new Uint8Array(32))
  const asked = encodeProofRequest({ nonce, leaseS, blobs })
  const answer = await request(libp2p, peerId, PROTOCOL, asked, signal == null ? {} : { signal })
  const proofs = decodeProofAnswer(answer, blobs.length)
  const outcome: (boolean | undefined)[] = []
  for (const [index, blob] of blobs.entries()) {
    const parts = await readRanges(blockstore, blob.cid, blob.sizeBytes, provenRanges(p, nonce, blob))
    const expected = parts == null ? undefined : proofOf(p, nonce, peerId.toMultihash().bytes, blob, parts)
    outcome.push(expected == null ? undefined : isProven(expected, proofs[index] ?? null))
  }
  return outcome
}
