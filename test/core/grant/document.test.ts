import { expect } from 'chai'
import { keccak256 } from 'ethers'
import { toHex } from '#core/encoding/bytes.ts'
import {
  MAX_GRANT_DOCUMENT_BYTES,
  MAX_GRANT_ITEMS,
  decodeGrantDocument,
  encodeGrantDocument,
  grantScope,
  type GrantDocument,
  type GrantItem
} from '#core/grant/document.ts'
import { DAG_CBOR_CODEC, cidOfDigest } from '#core/record/cid.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import { survivesMutations } from '#test/mutations.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { NETWORK, PATIENT } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'

const DOCUMENT: GrantDocument = {
  network: NETWORK,
  patient: PATIENT,
  grantee: new Uint8Array(20).fill(2),
  compartments: ['vitals', 'labs'],
  purpose: 'TREAT',
  salt: new Uint8Array(32).fill(3)
}

function item(number: number, paths: readonly string[] = []): GrantItem {
  return { name: cidOfDigest(DAG_CBOR_CODEC, new Uint8Array(32).fill(number)), paths }
}

describe('a grant document', () => {
  it('reads back, and is known to the chain by its keccak-256', () => {
    const bytes = encodeGrantDocument(DOCUMENT)
    expect(decodeGrantDocument(bytes, { network: NETWORK, patient: PATIENT })).to.deep.equal(DOCUMENT)
    expect(toHex(grantScope(bytes))).to.equal(keccak256(bytes))
  })

  it('is refused with compartments unknown, twice, out of order or none', async () => {
    for (const compartments of [[], ['labs', 'vitals'], ['vitals', 'vitals'], ['horoscope']]) {
      const bytes = encodeGrantDocument({ ...DOCUMENT, compartments: compartments as GrantDocument['compartments'] })
      await expectCode('GRANT_SHAPE', () => decodeGrantDocument(bytes))
    }
  })

  it('reads back with the days and items that narrow it', async () => {
    const limits = { days: { fromDay: 10, toDay: 10 }, items: [item(1, ['/code', '/value']), item(2)] }
    for (const document of [
      { ...DOCUMENT, ...limits },
      { ...DOCUMENT, days: limits.days },
      { ...DOCUMENT, items: limits.items }
    ]) {
      const bytes = encodeGrantDocument(document)
      expect(decodeGrantDocument(bytes)).to.deep.equal(document)
      await survivesMutations(bytes, { seed: 'limited grant', count: 1500 }, bytes => decodeGrantDocument(bytes))
    }
  })

  it('is refused with days out of order, no items, too many of them, or one twice', async () => {
    const many = Array.from({ length: MAX_GRANT_ITEMS + 1 }, (_, i) => item(i))
    const paths = Array.from({ length: 40 }, (_, i) => `/${String(i)}`)
    const bad: Partial<GrantDocument>[] = [
      { days: { fromDay: 2, toDay: 1 } },
      { days: { fromDay: 0, toDay: 65_536 } },
      { items: [] },
      { items: many },
      { items: [item(1), item(1)] },
      { items: [item(1, ['/a', '/a'])] },
      { items: [item(1, paths), item(2, paths)] }
    ]
    for (const limits of bad) {
      await expectCode('GRANT_SHAPE', () => decodeGrantDocument(encodeGrantDocument({ ...DOCUMENT, ...limits })))
    }
    const raw = { v: 1, ...DOCUMENT }
    for (const limits of [{ days: [1] }, { days: [1, 2, 3] }, { items: [[item(1).name, [], 1]] }, { items: [1] }]) {
      await expectCode('GRANT_SHAPE', () => decodeGrantDocument(encodeCanonical({ ...raw, ...limits })))
    }
  })

  itRefusesBadInput({
    area: 'GRANT',
    maxBytes: MAX_GRANT_DOCUMENT_BYTES,
    valid: () => encodeGrantDocument(DOCUMENT),
    decode: decodeGrantDocument,
    elsewhere: decodeGrantDocument,
    mutations: 5000
  })
})
