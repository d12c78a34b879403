/** The emergencies that a responder declared, with what was released for them until they end. */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { MAX_SHARED_PAYLOAD_BYTES } from '#core/custody/plan.ts'
import type { ShelfDocument, ShelfFormat } from '#agent/glass/shelf.ts'

const AREA = 'HELD_EMERGENCIES'
const MAX_HELD = 256
const MAX_URL_LENGTH = 2048
const MAX_CUSTODIANS = 32
const MAX_REASON_LENGTH = 1024
/** For how long an emergency that is over is remembered, seconds. */
const REMEMBERED_S = 90 * 86_400

/** An emergency that this responder declared. */
export interface HeldEmergency {
  /** Id on the chain; of one without a network, the SHA-256 of its record. */
  readonly id: Uint8Array
  readonly patient: Uint8Array
  readonly credential: Uint8Array
  /** Of the id. */
  readonly salt: Uint8Array
  readonly reasonSalt: Uint8Array
  readonly reasonText: string
  /** Seconds since 1970. */
  readonly sinceS: number
  readonly untilS: number
  readonly isOffline: boolean
  /** Where shares are asked for. */
  readonly custodians: readonly string[]
  /** Encoded shared keys (core/custody/shared-keys.ts); empty before they were released, and once it is over. */
  readonly keys: Uint8Array
}

/** The file. */
export const heldEmergenciesFormat: ShelfFormat<readonly HeldEmergency[]> = {
  name: 'emergencies',
  encode: emergencies =>
    encodeCanonical({ v: 1, emergencies: emergencies.map(each => ({ ...each, custodians: [...each.custodians] })) }),
  decode(bytes) {
    if (bytes == null) return []
    const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_HELD * (MAX_SHARED_PAYLOAD_BYTES + 65_536) })
    readVersion(value, AREA)
    const map = readMap(value, AREA, ['v', 'emergencies'])
    return readList(map['emergencies'], AREA, 'emergencies', MAX_HELD, readHeld)
  }
}

function readHeld(item: unknown): HeldEmergency {
  const strings = ['id', 'patient', 'credential', 'salt', 'reasonSalt'] as const
  const map = readMap(item, AREA, [...strings, 'reasonText', 'sinceS', 'untilS', 'isOffline', 'custodians', 'keys'])
  const word = (field: (typeof strings)[number]): Uint8Array => readBytes(map[field], AREA, field, 32)
  return {
    id: word('id'),
    patient: word('patient'),
    credential: word('credential'),
    salt: word('salt'),
    reasonSalt: word('reasonSalt'),
    reasonText: readText(map['reasonText'], AREA, 'reasonText', MAX_REASON_LENGTH),
    sinceS: readUint(map['sinceS'], AREA, 'sinceS'),
    untilS: readUint(map['untilS'], AREA, 'untilS'),
    isOffline: map['isOffline'] === true,
    custodians: readList(map['custodians'], AREA, 'custodians', MAX_CUSTODIANS, url =>
      readText(url, AREA, 'custodians', MAX_URL_LENGTH)
    ),
    keys: readBytes(map['keys'], AREA, 'keys', { min: 0, max: MAX_SHARED_PAYLOAD_BYTES })
  }
}

/** With one more, without those that are long over; keys of what is over are dropped. */
export function withEmergency(held: readonly HeldEmergency[], added: HeldEmergency, nowS: number): HeldEmergency[] {
  const kept = withoutEnded(held, nowS).filter(({ id }) => !equalBytes(id, added.id))
  return [...kept.slice(-(MAX_HELD - 1)), added]
}

/** What is over opens nothing: its keys are forgotten, and after three months that it was. */
export function withoutEnded(held: readonly HeldEmergency[], nowS: number): HeldEmergency[] {
  return held
    .filter(({ untilS }) => untilS + REMEMBERED_S > nowS)
    .map(each => (each.untilS <= nowS && each.keys.length > 0 ? { ...each, keys: new Uint8Array() } : each))
}

/** Changes one emergency, if it is there. */
export async function changeHeld(
  shelf: ShelfDocument<readonly HeldEmergency[]>,
  id: Uint8Array,
  change: (held: HeldEmergency) => HeldEmergency
): Promise<void> {
  await shelf.update(held => held.map(each => (equalBytes(each.id, id) ? change(each) : each)))
}
