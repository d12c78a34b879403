/** Has the head of the gateway's tree cosigned by witnesses over HTTP (C2SP tlog-witness). */
import type { Primitives } from '#core/crypto/primitives.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { decodeBatchInSteps } from '#core/batch/batch.ts'
import type { BatchHeader } from '#core/batch/header.ts'
import { gatewayLogOrigin } from '#core/batch/gateway-log.ts'
import { consistencyProof, createTree, type Tree } from '#core/batch/tree.ts'
import { extendTree } from '#core/batch/batch.ts'
import { parseCheckpointNote, signCheckpoint } from '#core/tlog/checkpoint.ts'
import { readCosignature, type WitnessKey } from '#core/tlog/cosignature.ts'
import { encodeWitnessRequest } from '#core/tlog/witness.ts'
import { findBatch, type BatchFiles } from '#gateway/batch-files.ts'
import type { GatewayIdentity } from '#gateway/identity.ts'
import { withPauses } from '#gateway/with-pauses.ts'

const TIMEOUT_MS = 10_000
const MAX_ANSWER_LENGTH = 4096

/** A witness and where it answers. */
export interface WitnessPlace extends WitnessKey {
  /** Submission prefix, without a slash at its end. */
  readonly url: string
}

/** What asking needs. */
export interface WitnessClientComponents {
  readonly p: Primitives
  readonly files: BatchFiles
  readonly identity: GatewayIdentity
  /** Ends what is under way. */
  readonly signal?: AbortSignal
}

/** The signed checkpoint of the tree at the end of a batch, without cosignatures. */
export function checkpointAt(p: Primitives, { keys }: GatewayIdentity, header: BatchHeader): string {
  const { network, gateway, treeTo: size, root } = header
  return signCheckpoint(p, { origin: gatewayLogOrigin(network, gateway), size, root }, keys.signSeed)
}

/**
 * Asks one witness; returns its line of the note, which was checked.
 *
 * @throws SalusError `WITNESS_UNREACHABLE`, `WITNESS_REFUSED` (it serves other logs, or has another history of this one),
 * `WITNESS_ANSWER` (what it said is no cosignature of its key), `GATEWAY_BATCH_GONE` if it is further behind than batches are kept
 */
export async function askWitness(
  components: WitnessClientComponents,
  witness: WitnessPlace,
  header: BatchHeader
): Promise<string> {
  const { p, identity } = components
  const checkpoint = checkpointAt(p, identity, header)
  let oldSize = 0
  for (let attempt = 0; attempt < 3; attempt++) {
    const path = await growthOf(components, oldSize, header)
    const { status, text } = await post(
      witness.url,
      encodeWitnessRequest({ oldSize, path, checkpoint }),
      components.signal
    )
    if (status === 200) return checkedLine(p, checkpoint, text, witness)
    const [, size] = /^(0|[1-9][0-9]{0,14})\n$/.exec(text) ?? []
    if (status !== 409 || size == null || Number(size) > header.treeTo) break
    oldSize = Number(size)
  }
  throw new SalusError('WITNESS_REFUSED', 'The witness did not cosign; look at its list of logs, and at what it has.')
}

/** Proof that the tree at the end of a batch continues the one of `oldSize` leaves. */
async function growthOf(
  { p, files, identity }: WitnessClientComponents,
  oldSize: number,
  { sequence, treeTo }: BatchHeader
): Promise<readonly Uint8Array[]> {
  if (oldSize === 0 || oldSize === treeTo) return []
  const signKey = identity.keys.bundle.sign
  const first = await findBatch(p, files, signKey, oldSize)
  const tree: Tree = createTree(first.before)
  extendTree(p, tree, first)
  for (let next = first.header.sequence + 1; next <= sequence; next++) {
    extendTree(p, tree, await withPauses(decodeBatchInSteps(p, await files.readBatch(next), signKey)))
  }
  return consistencyProof(p, tree, oldSize, treeTo)
}

function checkedLine(p: Primitives, checkpoint: string, text: string, witness: WitnessKey): string {
  try {
    const lines = text.split('\n').filter(line => line.startsWith(`— ${witness.name} `))
    const line = `${lines[0] ?? ''}\n`
    if (readCosignature(p, parseCheckpointNote(checkpoint + line), witness) != null) return line
  } catch (error) {
    if (!isSalusError(error)) throw error
  }
  throw new SalusError('WITNESS_ANSWER', 'The witness answered with no cosignature of its key; check the key.')
}

async function post(
  url: string,
  body: string,
  signal: AbortSignal | undefined
): Promise<{ readonly status: number; readonly text: string }> {
  const limit = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const response = await fetch(`${url}/add-checkpoint`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'text/plain' },
      signal: signal == null ? limit : AbortSignal.any([signal, limit])
    })
    return { status: response.status, text: (await boundedText(response)) ?? '' }
  } catch (cause) {
    throw new SalusError('WITNESS_UNREACHABLE', 'The witness does not answer; it is asked again.', { cause })
  }
}

/** The answer's text, or `undefined` once it is longer than any answer of a witness. */
async function boundedText({ body }: Response): Promise<string | undefined> {
  const parts: Uint8Array[] = []
  let length = 0
  if (body == null) return ''
  for await (const part of body as AsyncIterable<Uint8Array>) {
    length += part.length
    if (length > MAX_ANSWER_LENGTH) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
