/** Completeness: a gateway's batches follow each other without hole, repetition, exchange or step back. */
import type { Primitives } from '#core/crypto/primitives.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { decodeHeader, headerDigest, type BatchHeader } from '#core/batch/header.ts'

/**
 * Holds the bytes of a header to be the one that follows another; both have been checked for their signature.
 *
 * @param previous - bytes of the header before; null if `next` must be the gateway's first
 * @returns the decoded next header
 * @throws SalusError `BATCH_GATEWAY` (another gateway, patient or network), `BATCH_DUPLICATE` (the same batch again),
 * `BATCH_EQUIVOCATION` (two batches under one number), `BATCH_ORDER` (an earlier batch), `BATCH_MISSING` (batches left
 * out), `BATCH_ROLLBACK` (the tree does not go on where it stood), `BATCH_FORK` (follows another batch)
 */
export function requireNext(p: Pick<Primitives, 'sha256'>, previous: Uint8Array | null, next: Uint8Array): BatchHeader {
  const header = decodeHeader(next)
  if (previous == null) {
    if (header.sequence !== 1) refuse('BATCH_MISSING', 'batches before it were left out')
    return header
  }
  const before = decodeHeader(previous)
  for (const field of ['network', 'gateway', 'patient'] as const) {
    if (!equalBytes(header[field], before[field])) refuse('BATCH_GATEWAY', `it has another ${field}`)
  }
  if (header.sequence === before.sequence) {
    if (equalBytes(previous, next)) refuse('BATCH_DUPLICATE', 'it is the same batch again')
    refuse('BATCH_EQUIVOCATION', 'the gateway signed two different batches under one number')
  }
  if (header.sequence < before.sequence) refuse('BATCH_ORDER', 'it is earlier than the one before')
  if (header.sequence > before.sequence + 1) refuse('BATCH_MISSING', 'batches between them were left out')
  if (header.treeFrom !== before.treeTo) refuse('BATCH_ROLLBACK', 'its tree does not go on where the one before ended')
  if (header.previous == null || !equalBytes(header.previous, headerDigest(p, previous))) {
    refuse('BATCH_FORK', 'it follows another batch')
  }
  return header
}

function refuse(code: string, why: string): never {
  throw new SalusError(code, `Refused: this batch does not follow the one before: ${why}.`)
}
