import { decode, encode } from '@ipld/dag-cbor'
import { concat } from '#core/encoding/bytes.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'

/** A decoder of canonical maps, and one valid input of it. */
export interface DecoderUnderTest {
  /** Prefix of its error codes. */
  readonly area: string
  readonly maxBytes: number
  readonly valid: () => Uint8Array
  readonly decode: (bytes: Uint8Array) => unknown
  /** Decodes where another network, or another patient, is expected. */
  readonly elsewhere?: (bytes: Uint8Array, expected: { network?: Uint8Array; patient?: Uint8Array }) => unknown
  /** Mutations to try. */
  readonly mutations?: number
}

const OTHER = new Uint8Array(32).fill(0xee)

/** A text key and a value as they stand in a map, without the map's head. */
function field(key: string, value: unknown): Uint8Array {
  return encode({ [key]: value }).slice(1)
}

/** The map with more bytes behind its last field and `extra` more fields counted in its head. */
function withFields(bytes: Uint8Array, extra: number, fields: Uint8Array): Uint8Array {
  return concat(Uint8Array.of((bytes[0] ?? 0) + extra), bytes.slice(1), fields)
}

function changed(bytes: Uint8Array, change: (map: Record<string, unknown>) => void): Uint8Array {
  const map = decode<Record<string, unknown>>(bytes)
  change(map)
  return encode(map)
}

/** Declares the tests that every decoder of a canonical map must pass. */
export function itRefusesBadInput({
  area,
  maxBytes,
  valid,
  decode: read,
  elsewhere,
  mutations = 4000
}: DecoderUnderTest): void {
  it('refuses truncated input', async () => {
    const bytes = valid()
    for (let length = 0; length < bytes.length; length += 1 + (length >> 6)) {
      await expectCode(`${area}_TRUNCATED`, () => read(bytes.slice(0, length)))
    }
  })

  it('refuses oversize input before reading it', async () => {
    await expectCode(`${area}_OVERSIZE`, () => read(new Uint8Array(maxBytes + 1)))
  })

  it('refuses a duplicate key', async () => {
    await expectCode(`${area}_DUPLICATE_KEY`, () => read(withFields(valid(), 1, field('v', 1))))
  })

  it('refuses trailing bytes', async () => {
    await expectCode(`${area}_TRAILING`, () => read(concat(valid(), Uint8Array.of(0))))
  })

  it('refuses keys in another order', async () => {
    await expectCode(`${area}_NOT_CANONICAL`, () => read(withFields(valid(), 1, field('A', 1))))
  })

  it('refuses what is not dag-cbor', async () => {
    await expectCode(`${area}_MALFORMED`, () => read(Uint8Array.of(0xff)))
  })

  it('refuses another version', async () => {
    await expectCode(`${area}_VERSION`, () => read(changed(valid(), map => (map['v'] = 2))))
  })

  it('refuses an unknown field, a missing one, one of another type, and what is no map', async () => {
    await expectCode(`${area}_SHAPE`, () => read(changed(valid(), map => (map['zz'] = 1))))
    for (const key of Object.keys(decode<Record<string, unknown>>(valid()))) {
      await expectCode(`${area}_SHAPE`, () => read(changed(valid(), map => Reflect.deleteProperty(map, key))))
      if (key !== 'v') await expectCode(`${area}_SHAPE`, () => read(changed(valid(), map => (map[key] = true))))
    }
    await expectCode(`${area}_SHAPE`, () => read(encode([])))
  })

  if (elsewhere != null) {
    it('refuses what belongs to another network or patient', async () => {
      await expectCode(`${area}_NETWORK`, () => elsewhere(valid(), { network: OTHER }))
      await expectCode(`${area}_PATIENT`, () => elsewhere(valid(), { patient: OTHER }))
    })
  }

  it('fails on no mutation but with a code', async function () {
    this.timeout(60_000)
    await survivesMutations(valid(), { seed: area, count: mutations }, read)
  })
}
