/** Entries, capsules and blobs, in the HTTP API's words. */
import { base64url } from 'multiformats/bases/base64'
import { CID } from 'multiformats/cid'
import { SalusError } from '#core/error.ts'
import { decodeMessage } from '#core/network/envelope.ts'
import { readSha256Cid, DAG_PB_CODEC, RAW_CODEC } from '#core/record/cid.ts'
import { noticeOf, noticesKey } from '#core/network/notice.ts'
import { tooLarge } from '#node/http/body.ts'
import type { HttpComponents } from '#node/http/components.ts'
import { MAX_PAGE_ITEMS, type CapsulesAnswer, type EntriesAnswer, type NoticesAnswer } from '#node/http/wire.ts'

/** Most bytes of messages in one page. */
const MAX_PAGE_BYTES = 4 << 20
/** Most time until a blob that is not here begins to come, ms. */
const BLOB_TIMEOUT_MS = 60_000
/** Largest blob that is served, whatever size entries name: a firmware image has none. */
const MAX_SERVED_BYTES = 256 << 20

/** Bytes that are set aside for a blob before any came. */
const FIRST_BUFFER_BYTES = 1 << 20
/** Most bytes that are read to give a refusal a chance to be heard. */
const MAX_DRAINED_BYTES = 64 << 20

type Query = {
  readonly authorization: string
  readonly after?: number | undefined
  readonly limit?: number | undefined
}

/** @throws SalusError the codes of `ReadGuard.admit`; `RECEIPT_READER_UNKNOWN`, `STORE_*` where the node writes receipts */
export async function answerEntries(
  { guard, messages, noteRead }: HttpComponents,
  { authorization, after = 0, limit = MAX_PAGE_ITEMS }: Query
): Promise<EntriesAnswer> {
  const request = readBase64url(authorization)
  const admitted = guard.admit(request)
  const { network, patient } = admitted
  // Before anything leaves: no receipt, no slot.
  await noteRead?.(admitted, request)
  const records = await messages.byPatient(patient, after, limit, MAX_PAGE_BYTES)
  const entries: EntriesAnswer['entries'] = []
  for (const { position, bytes } of records) {
    const message = decodeMessage(bytes, network)
    if (message.kind !== 'entry') continue
    const { header, slot, evidence, blob } = message
    entries.push({
      position,
      header: base64url.baseEncode(header),
      slot: base64url.baseEncode(slot),
      evidence: base64url.baseEncode(evidence),
      blob: blob == null ? null : base64url.baseEncode(blob)
    })
  }
  const last = records.at(-1)?.position
  const more = last != null && (await messages.byPatient(patient, last, 1)).length > 0
  return { entries, next: more ? last : null }
}

/**
 * Erasures, rotations and records of emergencies. They hold no keys, so nothing of them is written down.
 *
 * @throws SalusError the codes of `ReadGuard.admit`
 */
export async function answerNotices(
  { guard, messages }: HttpComponents,
  { authorization, after = 0, limit = MAX_PAGE_ITEMS }: Query
): Promise<NoticesAnswer> {
  const { network, patient } = guard.admit(readBase64url(authorization))
  const key = noticesKey(patient)
  const records = await messages.byPatient(key, after, limit, MAX_PAGE_BYTES)
  const notices = records.flatMap(({ position, bytes }) => {
    const notice = noticeOf(decodeMessage(bytes, network))
    return notice == null ? [] : { position, kind: notice.kind, body: base64url.baseEncode(notice.body) }
  })
  const last = records.at(-1)?.position
  const more = last != null && (await messages.byPatient(key, last, 1)).length > 0
  return { notices, next: more ? last : null }
}

/** @throws SalusError `HTTP_BODY_SHAPE` */
export function readBase64url(text: string): Uint8Array {
  try {
    return base64url.baseDecode(text)
  } catch (cause) {
    throw new SalusError('HTTP_BODY_SHAPE', 'The authorization is not base64url without padding.', { cause })
  }
}

/** The newest capsule of a grant, or none. */
export async function answerCapsules(
  { index, messages }: HttpComponents,
  network: Uint8Array,
  grantId: string
): Promise<CapsulesAnswer> {
  const position = index.capsulePosition(grantId)
  const record = position == null ? undefined : await messages.at(position)
  if (record == null || record.isDamaged) return { capsules: [] }
  const message = decodeMessage(record.bytes, network)
  if (message.kind !== 'capsule') return { capsules: [] }
  return { capsules: [{ position: record.position, capsule: base64url.baseEncode(message.capsule) }] }
}

/**
 * Reads a CID of a path.
 *
 * @throws SalusError `HTTP_CID_SHAPE`
 */
export function readCidParam(text: string): CID {
  try {
    return readSha256Cid(CID.parse(text), 'HTTP_CID', 'cid', [RAW_CODEC, DAG_PB_CODEC])
  } catch (cause) {
    throw new SalusError('HTTP_CID_SHAPE', 'This is no CID of version 1 with SHA-256, raw or dag-pb.', { cause })
  }
}

/**
 * Takes a blob's bytes off the wire, never more than an entry says.
 *
 * @throws SalusError `HTTP_BODY_TOO_LARGE`, `HTTP_BODY_TRUNCATED`, `BLOB_NOT_NAMED`, `BLOB_DIGEST`
 */
export async function takeBlob(
  { blobs }: HttpComponents,
  cid: CID,
  body: ReadableStream<Uint8Array> | null
): Promise<number> {
  const reader = body?.getReader()
  try {
    const bytes = await readAtMost(reader, await blobs.maxSizeOf(cid))
    if (!blobs.names(cid, bytes.length)) {
      throw new SalusError('HTTP_BODY_TRUNCATED', 'The blob ended before a size that an entry names was reached.')
    }
    await blobs.put(cid, bytes)
    return bytes.length
  } catch (error) {
    // An answer while the body is still being sent is lost with the connection.
    await drain(reader)
    throw error
  }
}

type BodyReader = ReadableStreamDefaultReader<Uint8Array> | undefined

async function readAtMost(reader: BodyReader, maxBytes: number): Promise<Uint8Array> {
  // Grows with what comes: what an entry says of the size may be anyone's word.
  let bytes = new Uint8Array(Math.min(maxBytes, FIRST_BUFFER_BYTES))
  let filled = 0
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    const end = filled + part.value.length
    if (end > maxBytes) throw tooLarge(maxBytes)
    if (end > bytes.length) {
      const larger = new Uint8Array(Math.min(maxBytes, Math.max(end, 2 * bytes.length)))
      larger.set(bytes.subarray(0, filled))
      bytes = larger
    }
    bytes.set(part.value, filled)
    filled = end
  }
  return bytes.subarray(0, filled)
}

async function drain(reader: BodyReader): Promise<void> {
  let drained = 0
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    drained += part.value.length
    if (drained > MAX_DRAINED_BYTES) return
  }
}

/**
 * A blob's bytes; the first part is there when this resolves, so that a failure still has a status of its own.
 *
 * @throws SalusError `BLOB_NOT_FOUND`, `FETCH_*`
 */
export async function openBlob(
  { blobs, index, hasBlock }: HttpComponents,
  cid: CID,
  gone: AbortSignal
): Promise<ReadableStream<Uint8Array>> {
  const named = await index.largestSize(cid)
  const isHere = await hasBlock(cid)
  if (named == null && !isHere) {
    throw new SalusError('BLOB_NOT_FOUND', 'This node knows no such blob.')
  }
  const signal = AbortSignal.any([gone, AbortSignal.timeout(BLOB_TIMEOUT_MS)])
  const parts = blobs.read(cid, {
    maxBytes: isHere ? MAX_SERVED_BYTES : Math.min(named ?? 0, MAX_SERVED_BYTES),
    signal
  })
  let next = await parts.next()
  return new ReadableStream({
    async pull(controller) {
      if (next.done === true) {
        controller.close()
        return
      }
      controller.enqueue(next.value)
      next = await parts.next()
    },
    async cancel() {
      await parts.return(undefined)
    }
  })
}
