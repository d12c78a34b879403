/** What the agent remembers of each header of a record, and the rows it lies in (docs/specs/agent-index.md). */
import type { Author } from '#core/agent/author.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readText, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import { ACTS, type Act } from '#core/log/statement.ts'
import { readCompartment, type Compartment } from '#core/record/compartment.ts'

const AREA = 'AGENT_INDEX'
const MAX_ROW_BYTES = 16_384
const MAX_TYPE_LENGTH = 128
const MAX_REASON_LENGTH = 1000
const MAX_KIND_LENGTH = 256

/** What an entry is, without its body. */
export interface EntrySummary {
  readonly compartment: Compartment
  readonly author: Author
  /** Media type of what it says; of a statement, of what that brings. */
  readonly type: string
  readonly recordedAtMs: number
  /** Bytes of the body. */
  readonly bodyBytes: number
  /** FHIR resource type where there is one, else the media type. */
  readonly kind: string
  /** `state` for content that speaks for itself. */
  readonly act: Act | 'state'
  readonly reason: string
  /** Id of the entry that a comment is about, hexadecimal. */
  readonly about: string | null
}

/** Why an entry does not open, and with which keys that was found. */
export interface EntryRefusal {
  readonly code: string
  /** Changes with whatever may overcome it. */
  readonly tried: string
}

/** A header that the agent holds. */
export interface KnownEntry {
  /** CID of the header. */
  readonly name: string
  /** Counts from 1: the order in which the agent took them in. */
  readonly number: number
  /** Where the node has it. */
  readonly position: number
  readonly headerBytes: Uint8Array
  /** Absent while it was not opened. */
  readonly opened?: EntrySummary | EntryRefusal
}

/** The bytes to keep; what is read back is trusted, so they have to be sealed. */
export function encodeKnown({ name, number, position, headerBytes, opened }: KnownEntry): Uint8Array {
  return encodeCanonical([1, name, number, position, headerBytes, opened == null ? null : encodeOpened(opened)])
}

/**
 * Reads them back.
 *
 * @throws SalusError `AGENT_INDEX_*`
 */
export function decodeKnown(bytes: Uint8Array): KnownEntry {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_ROW_BYTES })
  const [version, name, number, position, header, opened] = Array.isArray(value) ? (value as unknown[]) : []
  if (version !== 1) throw shape()
  return {
    name: readText(name, AREA, 'name', MAX_TYPE_LENGTH),
    number: readUint(number, AREA, 'number'),
    position: readUint(position, AREA, 'position'),
    headerBytes: readBytes(header, AREA, 'header', { min: 1, max: MAX_ROW_BYTES }),
    ...(opened === null ? {} : { opened: decodeOpened(opened) })
  }
}

function encodeOpened(opened: EntrySummary | EntryRefusal): unknown[] {
  if ('code' in opened) return [opened.code, opened.tried]
  const { compartment, author, type, recordedAtMs, bodyBytes, kind, act, reason, about } = opened
  const by = author.kind === 'patient' ? null : [author.address, author.grantId]
  return [compartment, by, type, recordedAtMs, bodyBytes, kind, act, reason, about]
}

function decodeOpened(value: unknown): EntrySummary | EntryRefusal {
  const parts = Array.isArray(value) ? (value as unknown[]) : []
  if (parts.length === 2) {
    return { code: readText(parts[0], AREA, 'code', 64), tried: readText(parts[1], AREA, 'tried', 128) }
  }
  const [compartment, by, type, recordedAtMs, bodyBytes, kind, acted, reason, about] = parts
  const act = acted === 'state' ? acted : ACTS.find(each => each === acted)
  if (act == null) throw shape()
  return {
    compartment: readCompartment(compartment, AREA),
    author: decodeAuthor(by),
    type: readText(type, AREA, 'type', MAX_TYPE_LENGTH),
    recordedAtMs: readUint(recordedAtMs, AREA, 'recordedAt'),
    bodyBytes: readUint(bodyBytes, AREA, 'size'),
    kind: readText(kind, AREA, 'kind', MAX_KIND_LENGTH),
    act,
    reason: readText(reason, AREA, 'reason', MAX_REASON_LENGTH),
    about: about === null ? null : readText(about, AREA, 'about', 64)
  }
}

function decodeAuthor(by: unknown): Author {
  if (by === null) return { kind: 'patient' }
  const [address, grantId] = Array.isArray(by) ? (by as unknown[]) : []
  return {
    kind: 'grantee',
    address: readBytes(address, AREA, 'address', 20),
    grantId: readBytes(grantId, AREA, 'grant', 32)
  }
}

function shape(): SalusError {
  return new SalusError('AGENT_INDEX_SHAPE', 'The agent’s own index is damaged; it is made again from the record.')
}
