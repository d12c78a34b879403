/** `salus verify` of proof files of a log, and of folders of batches: offline, each refusal by its code. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Primitives } from '#core/crypto/primitives.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { decodeEvidence } from '#core/identity/evidence.ts'
import { decodeKeyBundle, keyBundleDigest } from '#core/identity/key-bundle.ts'
import { decodeBatch, MAX_BATCH_BYTES } from '#core/batch/batch.ts'
import { requireNext } from '#core/batch/chain.ts'
import { verifyGatewayProof } from '#core/batch/gateway-log.ts'
import { MAX_TLOG_PROOF_LENGTH } from '#core/tlog/proof.ts'
import { decodeVerifierKey } from '#core/tlog/signed-note.ts'

/** What a verifier of a proof file trusts, as text. */
export interface LogTrust {
  readonly log?: string
  readonly witness: readonly string[]
  readonly quorum: number
}

/** What came of it, for one line of JSON. */
export type Summary = Readonly<Record<string, unknown>>

/** Whether bytes begin as a proof file does. */
export function isTlogProof(bytes: Uint8Array): boolean {
  return new TextDecoder('latin1').decode(bytes.subarray(0, 19)) === 'c2sp.org/tlog-proof'
}

/**
 * Checks a proof file.
 *
 * @throws SalusError `CLI_VERIFY` without the key of a log; `NOTE_KEY`; as `verifyGatewayProof`
 */
export function verifyProofFile(p: Primitives, bytes: Uint8Array, { log, witness, quorum }: LogTrust): Summary {
  if (log == null) throw new SalusError('CLI_VERIFY', 'Name the key of the log by --log, from a source you trust.')
  if (bytes.length > MAX_TLOG_PROOF_LENGTH) {
    throw new SalusError('TLOG_PROOF_MALFORMED', 'Refused: this is no proof file of a log.')
  }
  const { name: origin, publicKey } = decodeVerifierKey(p, log)
  const witnesses = witness.map(text => decodeVerifierKey(p, text))
  const text = new TextDecoder('utf-8', { fatal: false }).decode(bytes)
  const policy = { log: { origin, publicKey }, witnesses, quorum }
  const { content, index, checkpoint, cosigned } = verifyGatewayProof(p, text, policy)
  return {
    type: content.type,
    ...(content.type === 'reading'
      ? {
          reading: {
            device: content.reading.stream.device,
            loinc: content.reading.stream.loinc,
            mantissa: content.reading.mantissa,
            exponent: content.reading.stream.exponent,
            unit: content.reading.stream.ucum,
            sequence: content.reading.sequence,
            receivedAt: new Date(content.reading.receivedAtMs).toISOString()
          }
        }
      : { record: { kind: content.record.kind, at: new Date(content.record.atMs).toISOString() } }),
    index,
    origin: checkpoint.origin,
    treeSize: checkpoint.size,
    cosigned: cosigned.map(({ name, timeS }) => ({ name, at: new Date(timeS * 1000).toISOString() }))
  }
}

/**
 * Checks the batches of a folder, in the order of their names: each whole, and each continuing the one before. They may begin anywhere; what
 * is missing between two of them is named.
 *
 * @param evidence - file with the gateway's key bundle, from a source that the verifier trusts; without it the folder's own above
 * @throws SalusError `CLI_VERIFY` if there are no batches; `EVIDENCE_*`, `BATCH_CERTIFICATE` (of another gateway's keys), `BATCH_*`
 */
export async function verifyFolder(p: Primitives, folder: string, evidence: string | undefined): Promise<Summary> {
  const names = (await readdir(folder)).filter(name => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b))
  const { bundle } = decodeEvidence(await readFile(evidence ?? join(folder, '..', 'evidence')).catch(unreadable))
  const { sign } = decodeKeyBundle(bundle)
  const certificate = keyBundleDigest(bundle)
  let previous: Uint8Array | null = null
  let [readings, records, gaps, first, last, treeSize, root] = [0, 0, 0, 0, 0, 0, '']
  for (const name of names) {
    try {
      const bytes = await readFile(join(folder, name))
      const batch = decodeBatch(p, bytes.subarray(0, MAX_BATCH_BYTES + 1), sign)
      const { header, signed } = batch
      if (!equalBytes(header.certificate, certificate)) {
        throw new SalusError('BATCH_CERTIFICATE', 'Refused: the batch is of a gateway with other keys.')
      }
      if (previous != null || header.sequence === 1) requireNext(p, previous, signed.bytes)
      if (first === 0) first = header.sequence
      previous = signed.bytes
      readings += batch.readings.length
      records += batch.records.length
      gaps += header.gaps.length
      ;[last, treeSize, root] = [header.sequence, header.treeTo, toHex(header.root)]
    } catch (error) {
      if (!isSalusError(error)) throw error
      throw new SalusError(error.code, `${error.message} (batch file ${name})`, { cause: error })
    }
  }
  if (previous == null) throw new SalusError('CLI_VERIFY', 'There are no batches in this folder.')
  return { type: 'batches', batches: names.length, first, last, readings, records, gaps, treeSize, root }
}

function unreadable(cause: unknown): never {
  throw new SalusError('CLI_VERIFY', 'The evidence of the gateway cannot be read; name it by --evidence.', { cause })
}
