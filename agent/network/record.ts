/** What a person's agent does with a node: hand in, ask for, fetch. */
import { peerIdFromString } from '@libp2p/peer-id'
import type { ReceivedEntry } from '#core/agent/author.ts'
import type { ChainCall } from '#core/agent/chain-call.ts'
import type { Clock, Primitives, Random } from '#core/crypto/primitives.ts'
import { signReadRequest } from '#core/grant/read-request.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { encodeMessage, MAX_INLINE_BLOB_BYTES } from '#core/network/envelope.ts'
import { decodeEntry } from '#core/record/entry.ts'
import type { SealedEntry } from '#core/record/seal-entry.ts'
import type { NodeClient, StoredEntry } from '#node/http/client.ts'

/** Whose questions a node is asked. */
export interface Reader {
  readonly state: { readonly network: Uint8Array }
  readonly keys: Pick<AgentKeys, 'bundle' | 'signSeed'>
  /** Encoded evidence. */
  readonly evidence: Uint8Array
}

/** What asking takes. */
export interface AskComponents {
  readonly p: Primitives
  readonly random: Random
  readonly clock: Clock
}

/** Whose record is asked for; `grant` is null where the patient asks. */
export interface RecordQuery {
  readonly patient: Uint8Array
  readonly grant: Uint8Array | null
  /** Position at the node after which to begin. */
  readonly after?: number
  readonly limit?: number
}

/** Sends a signed request through a node's relayer; gives the number of the block it is in. */
export async function relay(client: NodeClient, call: ChainCall): Promise<number> {
  const { blockNumber } = await client.relay({ ...call, args: [...call.args] })
  return blockNumber
}

/** A sealed entry as a message, with its blob beside it where that is too large to be inside. */
export interface OutgoingEntry {
  readonly message: Uint8Array
  readonly blob: { readonly cid: string; readonly bytes: Uint8Array } | null
}

/** Packs a sealed entry of an author for the network. */
export function packEntry(network: Uint8Array, entry: SealedEntry, evidence: Uint8Array): OutgoingEntry {
  const { headerBytes: header, slotBytes: slot, blob } = entry
  const isInline = blob.length <= MAX_INLINE_BLOB_BYTES
  const message = encodeMessage({ kind: 'entry', network, header, slot, evidence, blob: isInline ? blob : null })
  return { message, blob: isInline ? null : { cid: decodeEntry(header).header.blob.toString(), bytes: blob } }
}

/** Hands in a packed entry: the entry first, since a node stores no blob that no accepted entry names. */
export async function publishPacked(client: NodeClient, { message, blob }: OutgoingEntry): Promise<void> {
  await client.publish(message)
  if (blob != null) await client.putBlob(blob.cid, blob.bytes)
}

/** Hands in a sealed entry of the author. */
export async function publishEntry(
  client: NodeClient,
  network: Uint8Array,
  entry: SealedEntry,
  evidence: Uint8Array
): Promise<void> {
  await publishPacked(client, packEntry(network, entry, evidence))
}

/** Asks a node for one page of a record, under a request signed for this question. */
export async function readPage(
  components: AskComponents,
  client: NodeClient,
  reader: Reader,
  { after = 0, limit, ...of }: RecordQuery
): Promise<{ readonly entries: readonly StoredEntry[]; readonly next: number | null }> {
  const authorization = await authorize(components, client, reader, of)
  return client.queryEntries({ authorization, after, ...(limit == null ? {} : { limit }) })
}

/** Signs a question about a record for one node. */
export async function authorize(
  { p, random, clock }: AskComponents,
  client: NodeClient,
  reader: Reader,
  { patient, grant }: Pick<RecordQuery, 'patient' | 'grant'>
): Promise<Uint8Array> {
  const { peerId } = await client.status()
  const request = {
    network: reader.state.network,
    patient,
    grant,
    audience: peerIdFromString(peerId).toMultihash().bytes,
    issuedAtMs: clock(),
    nonce: random(16),
    author: reader.keys.bundle.sign,
    evidence: reader.evidence
  }
  return signReadRequest(p, request, reader.keys.signSeed)
}

/** Asks a node for all entries of a patient, page by page, and fetches the blobs that are not inline. */
export async function readRecord(
  components: AskComponents,
  client: NodeClient,
  reader: Reader,
  query: RecordQuery
): Promise<ReceivedEntry[]> {
  const found: ReceivedEntry[] = []
  let after: number | null = query.after ?? 0
  while (after != null) {
    const page = await readPage(components, client, reader, { ...query, after })
    for (const entry of page.entries) found.push(await withBlob(client, entry))
    after = page.next
  }
  return found
}

/** An entry with its blob, fetched where the node did not send it along. */
export async function withBlob(client: NodeClient, stored: StoredEntry): Promise<ReceivedEntry> {
  const { header: headerBytes, slot: slotBytes, evidence: evidenceBytes } = stored
  if (stored.blob != null) return { headerBytes, slotBytes, evidenceBytes, blob: stored.blob }
  const { blob: cid, sizeBytes } = decodeEntry(headerBytes).header
  const blob = await client.getBlob(cid.toString(), sizeBytes)
  return { headerBytes, slotBytes, evidenceBytes, blob }
}
