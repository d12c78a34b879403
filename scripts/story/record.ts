/** What a person's agent does with a node: hand in, ask for, fetch. */
import { peerIdFromString } from '@libp2p/peer-id'
import type { ReceivedEntry } from '#core/agent/author.ts'
import type { ChainCall } from '#core/agent/chain-call.ts'
import { signReadRequest } from '#core/grant/read-request.ts'
import { encodeMessage } from '#core/network/envelope.ts'
import { decodeEntry } from '#core/record/entry.ts'
import type { SealedEntry } from '#core/record/seal-entry.ts'
import type { NodeClient } from '#node/http/client.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { osRandom, type DemoClinician, type DemoPatient } from '#scripts/story/people.ts'

/** Sends a signed request through a node's relayer; gives the number of the block it is in. */
export async function relay(client: NodeClient, call: ChainCall): Promise<number> {
  const { blockNumber } = await client.relay({ ...call, args: [...call.args] })
  return blockNumber
}

/** Hands in a sealed entry of the author. */
export async function publishEntry(
  client: NodeClient,
  network: Uint8Array,
  entry: SealedEntry,
  evidence: Uint8Array
): Promise<void> {
  const { headerBytes: header, slotBytes: slot, blob } = entry
  await client.publish(encodeMessage({ kind: 'entry', network, header, slot, evidence, blob }))
}

/** Asks a node for all entries of a patient, page by page, and fetches the blobs that are not inline. */
export async function readRecord(
  client: NodeClient,
  reader: DemoPatient | DemoClinician,
  patient: Uint8Array,
  grant: Uint8Array | null
): Promise<ReceivedEntry[]> {
  const { peerId } = await client.status()
  const found: ReceivedEntry[] = []
  let after: number | null = 0
  while (after != null) {
    const request = {
      network: reader.state.network,
      patient,
      grant,
      audience: peerIdFromString(peerId).toMultihash().bytes,
      issuedAtMs: Date.now(),
      nonce: osRandom(16),
      author: reader.keys.bundle.sign,
      evidence: reader.evidence
    }
    const authorization = signReadRequest(nativePrimitives, request, reader.keys.signSeed)
    const page = await client.queryEntries({ authorization, after })
    for (const { header: headerBytes, slot: slotBytes, evidence: evidenceBytes, blob } of page.entries) {
      found.push({ headerBytes, slotBytes, evidenceBytes, blob: blob ?? (await fetchBlob(client, headerBytes)) })
    }
    after = page.next
  }
  return found
}

async function fetchBlob(client: NodeClient, headerBytes: Uint8Array): Promise<Uint8Array> {
  return client.getBlob(decodeEntry(headerBytes).header.blob.toString())
}
