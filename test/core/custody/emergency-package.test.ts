import { decode, encode } from '@ipld/dag-cbor'
import { expect } from 'chai'
import fc from 'fast-check'
import {
  MAX_PACKAGED_BLOB_BYTES,
  MAX_PACKAGED_ENTRIES,
  MAX_PACKAGE_BYTES,
  decodePackage,
  encodePackage
} from '#core/custody/emergency-package.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { expectCode } from '#test/error-code.ts'

const part = (n: number, length = 40): Uint8Array => new Uint8Array(length).fill(n)
const entry = { headerBytes: part(1), slotBytes: part(2), evidenceBytes: part(3), blob: part(4) }
const valid = (): Uint8Array => encodePackage({ share: part(9), entries: [entry] })

describe('a package for an emergency without a network', () => {
  it('is read as it was written', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 60 })
    const entries = fc.record({ headerBytes: bytes, slotBytes: bytes, evidenceBytes: bytes, blob: bytes })
    fc.assert(
      fc.property(bytes, fc.array(entries, { maxLength: 5 }), (share, all) => {
        expect(decodePackage(encodePackage({ share, entries: all }))).to.deep.equal({ share, entries: all })
      })
    )
  })

  it('has bounds', async () => {
    const refused = async (fields: Record<string, unknown>) =>
      expectCode('EMERGENCY_PACKAGE_SHAPE', () =>
        decodePackage(encode({ ...decode<Record<string, unknown>>(valid()), ...fields }))
      )
    const fields = { header: part(1), slot: part(2), evidence: part(3), blob: part(4) }
    await refused({ share: new Uint8Array() })
    await refused({ entries: Array.from({ length: MAX_PACKAGED_ENTRIES + 1 }, () => fields) })
    await refused({ entries: [{ ...fields, blob: new Uint8Array(MAX_PACKAGED_BLOB_BYTES + 1) }] })
    await refused({ entries: [{ ...fields, header: new Uint8Array() }] })
    await refused({ entries: [{ ...fields, more: 1 }] })
  })

  itRefusesBadInput({
    ...{ area: 'EMERGENCY_PACKAGE', maxBytes: MAX_PACKAGE_BYTES, valid },
    decode: decodePackage
  })
})
