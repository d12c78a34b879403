import { expect } from 'chai'
import { keccak256 } from 'ethers'
import { toHex } from '#core/encoding/bytes.ts'
import {
  MAX_GRANT_DOCUMENT_BYTES,
  decodeGrantDocument,
  encodeGrantDocument,
  grantScope,
  type GrantDocument
} from '#core/grant/document.ts'
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

  itRefusesBadInput({
    area: 'GRANT',
    maxBytes: MAX_GRANT_DOCUMENT_BYTES,
    valid: () => encodeGrantDocument(DOCUMENT),
    decode: decodeGrantDocument,
    elsewhere: decodeGrantDocument,
    mutations: 5000
  })
})
