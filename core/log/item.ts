/** What the log keeps of one header, and the rows it is kept in (docs/specs/log.md). */
import { CID } from 'multiformats/cid'
import { SalusError } from '#core/error.ts'
import type { AuthorEvidence } from '#core/agent/author.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readText, readUint } from '#core/encoding/shape.ts'
import { DAG_CBOR_CODEC, cidOfDigest } from '#core/record/cid.ts'
import { LAST_DAY } from '#core/record/day.ts'
import { ENTRY_ID_BYTES, MAX_PARENTS, type EntryHeader } from '#core/record/entry.ts'
import { TAG_BYTES } from '#core/record/generation.ts'

const AREA = 'LOG_ROW'
const MAX_ROW_BYTES = 4096
const UINT32_MAX = 0xffff_ffff
const HEADER_PARTS = 11
const EVIDENCE_PARTS = 6

/** A header whose signature was checked, with names as text: CIDs, and hexadecimal for ids. */
export interface LogItem {
  /** CID of the header. */
  readonly name: string
  readonly entry: string
  readonly revision: number
  /** CIDs of the headers it follows, each once. */
  readonly parents: readonly string[]
  readonly tag: string
  readonly generation: number
  readonly day: number
  /** The author's signing key, 32 bytes. */
  readonly author: Uint8Array
  readonly grant: Uint8Array | null
  readonly sizeBytes: number
  /** SHA-256 of the evidence that came with it. */
  readonly evidence: string
}

/** A row as read back. */
export type LogRow =
  | { readonly kind: 'header'; readonly item: LogItem }
  | { readonly kind: 'evidence'; readonly name: string; readonly evidence: AuthorEvidence }

/** The item of a header. */
export function itemOf(header: EntryHeader, cid: CID, evidence: string): LogItem {
  const { revision, generation, day, author, grant, sizeBytes } = header
  return {
    name: cid.toString(),
    entry: toHex(header.entry),
    revision,
    parents: [...new Set(header.parents.map(String))],
    tag: toHex(header.tag),
    generation,
    day,
    author,
    grant,
    sizeBytes,
    evidence
  }
}

/** The bytes to keep of a header that was checked. They are trusted when read back: keep them sealed. */
export function encodeHeaderRow(item: LogItem): Uint8Array {
  const { revision, generation, day, author, grant, sizeBytes } = item
  const [digest, ...digests] = [item.name, ...item.parents].map(name => CID.parse(name).multihash.digest)
  const ids = [fromHex(item.entry), fromHex(item.tag), fromHex(item.evidence)]
  return encodeCanonical([1, digest, ...ids, revision, digests, generation, day, author, [grant, sizeBytes]])
}

/** The bytes to keep of evidence that was read, by the SHA-256 of its own bytes. */
export function encodeEvidenceRow(name: string, { sign, bundleDigest, binding }: AuthorEvidence): Uint8Array {
  const bound = 'refused' in binding ? [binding.refused.code] : [fromHex(binding.address, 20), binding.notAfterS]
  return encodeCanonical([1, 'evidence', fromHex(name), sign, bundleDigest, bound])
}

/**
 * Reads a row back.
 *
 * @throws SalusError `LOG_ROW_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_SHAPE`
 */
export function decodeLogRow(bytes: Uint8Array): LogRow {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_ROW_BYTES })
  const parts: unknown[] = Array.isArray(value) ? value : []
  if (parts[0] !== 1 || parts.length !== (parts[1] === 'evidence' ? EVIDENCE_PARTS : HEADER_PARTS)) throw shape()
  return parts[1] === 'evidence' ? readEvidenceRow(parts) : { kind: 'header', item: readHeaderRow(parts) }
}

function readHeaderRow(parts: readonly unknown[]): LogItem {
  const [, digest, entry, tag, evidence, revision, parents, generation, day, author, rest] = parts
  const [grant, sizeBytes] = Array.isArray(rest) ? (rest as unknown[]) : []
  const nameOf = (item: unknown): string => cidOfDigest(DAG_CBOR_CODEC, readBytes(item, AREA, 'name', 32)).toString()
  return {
    name: nameOf(digest),
    entry: toHex(readBytes(entry, AREA, 'entry', ENTRY_ID_BYTES)),
    revision: readUint(revision, AREA, 'revision', UINT32_MAX),
    parents: readList(parents, AREA, 'parents', MAX_PARENTS, nameOf),
    tag: toHex(readBytes(tag, AREA, 'tag', TAG_BYTES)),
    generation: readUint(generation, AREA, 'generation', UINT32_MAX),
    day: readUint(day, AREA, 'day', LAST_DAY),
    author: readBytes(author, AREA, 'author', 32),
    grant: grant === null ? null : readBytes(grant, AREA, 'grant', 32),
    sizeBytes: readUint(sizeBytes, AREA, 'size'),
    evidence: toHex(readBytes(evidence, AREA, 'evidence', 32))
  }
}

function readEvidenceRow(parts: readonly unknown[]): LogRow {
  const [, , name, sign, bundleDigest, bound] = parts
  if (!Array.isArray(bound) || bound.length < 1 || bound.length > 2) throw shape()
  const [first, notAfterS] = bound as unknown[]
  const binding =
    bound.length === 1
      ? { refused: new SalusError(readText(first, AREA, 'code', 64), 'Refused: the key binding was refused before.') }
      : { address: toHex(readBytes(first, AREA, 'address', 20)), notAfterS: readUint(notAfterS, AREA, 'notAfter') }
  const read = { sign: readBytes(sign, AREA, 'sign', 32), bundleDigest: readBytes(bundleDigest, AREA, 'digest', 32) }
  return { kind: 'evidence', name: toHex(readBytes(name, AREA, 'evidence', 32)), evidence: { ...read, binding } }
}

function shape(): SalusError {
  return new SalusError('LOG_ROW_SHAPE', 'The log’s own rows are damaged; verify the log again from its headers.')
}
