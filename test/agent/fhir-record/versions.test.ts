import { expect } from 'chai'
import fc from 'fast-check'
import type { Author } from '#core/agent/author.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { createVersions, type EntryVersion } from '#agent/fhir-record/versions.ts'

const PATIENT: Author = { kind: 'patient' }
const DOCTOR: Author = { kind: 'grantee', address: new Uint8Array(20).fill(1), grantId: new Uint8Array(32) }
const NURSE: Author = { kind: 'grantee', address: new Uint8Array(20).fill(2), grantId: new Uint8Array(32) }
const name = (n: number): string => `0x${n.toString(16).padStart(2, '0').repeat(16)}`
const id = (n: number): Uint8Array => fromHex(name(n), 16)
let made = 0
const version = (n: number, more: Partial<EntryVersion> = {}): EntryVersion => ({
  ...{ position: ++made, cid: `c${String(made)}`, entry: name(n), revision: 1, author: PATIENT },
  ...{ compartment: 'documents', type: 'application/fhir+json', recordedAtMs: 0, ...more }
})
const code = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    if (isSalusError(error)) return error.code
    throw error
  }
  return ''
}

describe('the headers of a record', () => {
  it('hand out a part only to a resource of the same author and section', () => {
    const versions = createVersions()
    const secret = version(1, { compartment: 'mental' })
    const part = version(2)
    const resource = version(3)
    const foreign = version(4, { author: DOCTOR })
    for (const each of [secret, part, resource, foreign]) versions.add(each)
    expect(versions.part(id(2), resource)).to.equal(part)
    expect(code(() => versions.part(id(1), resource))).to.equal('FHIR_PART_FOREIGN')
    expect(code(() => versions.part(id(2), foreign))).to.equal('FHIR_PART_FOREIGN')
    expect(code(() => versions.part(id(4), version(5, { author: NURSE })))).to.equal('FHIR_PART_FOREIGN')
    expect(code(() => versions.part(id(9), resource))).to.equal('FHIR_PART_FOREIGN')
  })

  it('believe a manifest for what its author wrote, as it was then', () => {
    const versions = createVersions()
    const first = version(1)
    const manifest = version(2, { compartment: 'mental' })
    const corrected = version(1, { revision: 2 })
    const own = version(3)
    const foreign = version(4, { author: DOCTOR })
    for (const each of [first, manifest, corrected, own, foreign]) versions.add(each)
    expect(versions.asWrittenWith(id(1), manifest)).to.equal(first)
    expect(versions.current(id(1))).to.equal(corrected)
    expect(code(() => versions.asWrittenWith(id(3), foreign))).to.equal('FHIR_PART_FOREIGN')
    expect(code(() => versions.asWrittenWith(id(4), manifest))).to.equal('FHIR_PART_FOREIGN')
  })

  it('let nobody replace an entry from another section', () => {
    const versions = createVersions()
    const mine = version(1, { compartment: 'mental' })
    expect(versions.add(mine)).to.equal(true)
    expect(versions.add(version(1, { revision: 99, compartment: 'vitals', author: DOCTOR }))).to.equal(false)
    expect(versions.current(id(1))).to.equal(mine)
    expect(code(() => versions.current(id(2)))).to.equal('ENTRY_UNKNOWN')
  })

  it('show the same whatever the order in which they came', () => {
    const known = [1, 2, 3, 4].map(revision => version(1, { revision }))
    fc.assert(
      fc.property(fc.shuffledSubarray(known, { minLength: 4 }), order => {
        const versions = createVersions()
        for (const each of order) versions.add(each)
        expect(versions.current(id(1))).to.equal(known[3])
      })
    )
  })
})
