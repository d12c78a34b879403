/** What a patient's agent has seen of emergencies: how far it read, whose reasons it opened, which of them it has dealt with. */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { ShelfFormat } from '#agent/glass/shelf.ts'

const AREA = 'SEEN_EMERGENCIES'
const MAX_SEEN = 4_096
const MAX_BYTES = 16 << 20
const MAX_PLANS = 256
const MAX_WATCHED = 256

/** A responder's record that was found. */
export interface SeenRecord {
  /** SHA-256 of the record, 32 bytes. */
  readonly id: Uint8Array
  /** keccak-256 of the salted reason: what ties it to an emergency on the chain. */
  readonly commitment: Uint8Array
  readonly credential: Uint8Array
  /** Empty if it did not open. */
  readonly reason: string
  /** Seconds since 1970. */
  readonly sinceS: number
  readonly untilS: number
  /** Whether it names shares of this patient for emergencies without a network. */
  readonly isOffline: boolean
}

/** All that was seen. */
export interface Seen {
  /** Position at the node up to which notices were read. */
  readonly after: number
  readonly records: readonly SeenRecord[]
  /** Emergencies after which keys were replaced; 32 bytes each. */
  readonly settled: readonly Uint8Array[]
  /** SHA-256 of plans for emergencies without a network. */
  readonly offlinePlans: readonly Uint8Array[]
  /** Pseudonyms of others whom this person looks after; 32 bytes each. */
  readonly watched: readonly Uint8Array[]
}

/** Nothing yet. */
const NOTHING: Seen = { after: 0, records: [], settled: [], offlinePlans: [], watched: [] }

/** The file. */
export const seenFormat: ShelfFormat<Seen> = {
  name: 'seen',
  encode: ({ after, records, settled, offlinePlans, watched }) =>
    encodeCanonical({
      ...{ v: 1, after, settled: settled.slice(-MAX_SEEN), offlinePlans: offlinePlans.slice(-MAX_PLANS) },
      ...{ watched: watched.slice(-MAX_WATCHED), records: records.slice(-MAX_SEEN).map(each => ({ ...each })) }
    }),
  decode(bytes) {
    if (bytes == null) return NOTHING
    const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BYTES })
    readVersion(value, AREA)
    const map = readMap(value, AREA, ['v', 'after', 'records', 'settled', 'offlinePlans', 'watched'])
    const words = (field: string, max: number): Uint8Array[] =>
      readList(map[field], AREA, field, max, item => readBytes(item, AREA, field, 32))
    return {
      after: readUint(map['after'], AREA, 'after'),
      records: readList(map['records'], AREA, 'records', MAX_SEEN, readRecord),
      settled: words('settled', MAX_SEEN),
      offlinePlans: words('offlinePlans', MAX_PLANS),
      watched: words('watched', MAX_WATCHED)
    }
  }
}

function readRecord(item: unknown): SeenRecord {
  const map = readMap(item, AREA, ['id', 'commitment', 'credential', 'reason', 'sinceS', 'untilS', 'isOffline'])
  return {
    id: readBytes(map['id'], AREA, 'id', 32),
    commitment: readBytes(map['commitment'], AREA, 'commitment', 32),
    credential: readBytes(map['credential'], AREA, 'credential', 32),
    reason: readText(map['reason'], AREA, 'reason', 1024),
    sinceS: readUint(map['sinceS'], AREA, 'sinceS'),
    untilS: readUint(map['untilS'], AREA, 'untilS'),
    isOffline: map['isOffline'] === true
  }
}
