/** Who keeps a patient's shares for emergencies, as its agent remembers it. */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { ShelfFormat } from '#agent/glass/shelf.ts'

const AREA = 'EMERGENCY_PREPARATION'

/** Who keeps shares, and what they open. */
export interface Preparation {
  /** Addresses of the custodians' nodes. */
  readonly custodians: readonly string[]
  readonly threshold: number
  /** Vitals of so many hours back. */
  readonly hours: number
  /** Of the newest shares. */
  readonly revision: number
  /** Days since 1970; 0 before the shares were kept by all. */
  readonly fromDay: number
  readonly throughDay: number
  /** What the keys were that are shared out, 32 bytes. */
  readonly keys: Uint8Array
}

/** The file. */
export const preparationFormat: ShelfFormat<Preparation | null> = {
  name: 'preparation',
  encode: value =>
    encodeCanonical({ v: 1, preparation: value == null ? null : { ...value, custodians: [...value.custodians] } }),
  decode(bytes) {
    if (bytes == null) return null
    const value = decodeCanonical(bytes, { area: AREA, maxBytes: 131_072 })
    readVersion(value, AREA)
    const { preparation } = readMap(value, AREA, ['v', 'preparation'])
    if (preparation === null) return null
    const fields = ['custodians', 'threshold', 'hours', 'revision', 'fromDay', 'throughDay', 'keys']
    const map = readMap(preparation, AREA, fields)
    return {
      custodians: readList(map['custodians'], AREA, 'custodians', 32, url => readText(url, AREA, 'custodians', 2048)),
      threshold: readUint(map['threshold'], AREA, 'threshold', 32),
      hours: readUint(map['hours'], AREA, 'hours', 24 * 365),
      revision: readUint(map['revision'], AREA, 'revision', 0xffff_ffff),
      fromDay: readUint(map['fromDay'], AREA, 'fromDay'),
      throughDay: readUint(map['throughDay'], AREA, 'throughDay'),
      keys: readBytes(map['keys'], AREA, 'keys', 32)
    }
  }
}
