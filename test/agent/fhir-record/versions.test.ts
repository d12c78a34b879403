import { expect } from 'chai'
import fc from 'fast-check'
import type { Author } from '#core/agent/author.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { createVersions, type EntryVersion, type Versions } from '#agent/fhir-record/versions.ts'

const PATIENT: Author = { kind: 'patient' }
const DOCTOR: Author = { kind: 'grantee', address: new Uint8Array(20).fill(1), grantId: new Uint8Array(32) }
const NURSE: Author = { kind: 'grantee', address: new Uint8Array(20).fill(2), grantId: new Uint8Array(32) }
const name = (n: number): string => `0x${n.toString(16).padStart(2, '0').repeat(16)}`
const id = (n: number): Uint8Array => fromHex(name(n), 16)
let made = 0
const version = (n: number, more: Partial<EntryVersion> = {}): EntryVersion => ({
  ...{ position: ++made, cid: `c${String(made)}`, entry: name(n), revision: 1, parents: [], author: PATIENT },
  ...{
    place: 'stands',
    act: 'state',
    compartment: 'documents',
    type: 'application/fhir+json',
    recordedAtMs: 0,
    ...more
  }
})
const versionsOf = (...all: EntryVersion[]): Versions => {
  const versions = createVersions()
  const of = (entry: string): EntryVersion[] => all.filter(each => each.entry === entry)
  for (const { entry } of all) versions.set(entry, of(entry))
  return versions
}
const code = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    if (isSalusError(error)) return error.code
    throw error
  }
  return ''
}

describe('the versions of a record', () => {
  it('hand out a part only to a resource of the same author and section', () => {
    const secret = version(1, { compartment: 'mental' })
    const part = version(2)
    const resource = version(3)
    const foreign = version(4, { author: DOCTOR })
    const versions = versionsOf(secret, part, resource, foreign)
    expect(versions.part(id(2), resource)).to.equal(part)
    expect(code(() => versions.part(id(1), resource))).to.equal('FHIR_PART_FOREIGN')
    expect(code(() => versions.part(id(2), foreign))).to.equal('FHIR_PART_FOREIGN')
    expect(code(() => versions.part(id(4), version(5, { author: NURSE })))).to.equal('FHIR_PART_FOREIGN')
    expect(code(() => versions.part(id(9), resource))).to.equal('FHIR_PART_FOREIGN')
  })

  it('believe a manifest for what its author wrote, as it was then', () => {
    const first = version(1, { place: 'superseded' })
    const manifest = version(2, { compartment: 'mental' })
    const corrected = version(1, { revision: 2 })
    const own = version(3)
    const foreign = version(4, { author: DOCTOR })
    const versions = versionsOf(first, manifest, corrected, own, foreign)
    expect(versions.asWrittenWith(id(1), manifest)).to.equal(first)
    expect(versions.current(id(1))).to.equal(corrected)
    expect(code(() => versions.asWrittenWith(id(3), foreign))).to.equal('FHIR_PART_FOREIGN')
    expect(code(() => versions.asWrittenWith(id(4), manifest))).to.equal('FHIR_PART_FOREIGN')
  })

  it('know what was there when a manifest was written by what it follows, whatever the order in which they came', () => {
    const first = version(1, { position: 9, place: 'superseded' })
    const between = version(3, { position: 8, parents: [first.cid] })
    const manifest = version(2, { position: 7, parents: [between.cid] })
    const second = version(1, { position: 2, revision: 2, parents: [first.cid] })
    const versions = versionsOf(second, manifest, between, first)
    expect(versions.asWrittenWith(id(1), manifest)).to.equal(first)
    expect(versions.current(id(1))).to.equal(second)
  })

  it('show what stands: no proposal, nothing that was replaced, and nothing after a retraction', () => {
    const old = version(1, { place: 'superseded' })
    const proposal = version(1, { revision: 2, place: 'proposed', author: DOCTOR })
    const correction = version(1, { revision: 2, act: 'correct' })
    expect(versionsOf(old, proposal, correction).current(id(1))).to.equal(correction)
    const retraction = version(1, { revision: 3, act: 'retract' })
    const versions = versionsOf(old, proposal, { ...correction, place: 'superseded' }, retraction)
    expect(code(() => versions.current(id(1)))).to.equal('ENTRY_UNKNOWN')
    expect([...versions.shown()]).to.deep.equal([])
    expect(versions.lastStated(id(1))).to.equal(old)
    expect(code(() => versionsOf(version(1, { act: 'comment' })).current(id(1)))).to.equal('ENTRY_UNKNOWN')
  })

  it('let nobody replace an entry from another section', () => {
    const mine = version(1, { compartment: 'mental' })
    const theirs = version(1, { revision: 99, compartment: 'vitals', author: DOCTOR })
    const versions = versionsOf(mine, theirs)
    expect(versions.current(id(1))).to.equal(mine)
    expect(code(() => versions.current(id(2)))).to.equal('ENTRY_UNKNOWN')
  })

  it('show the same of a conflict whatever the order in which they are listed', () => {
    const known = [1, 2, 3, 4].map(revision => version(1, { revision }))
    fc.assert(
      fc.property(fc.shuffledSubarray(known, { minLength: 4 }), order => {
        expect(versionsOf(...order).current(id(1))).to.equal(known[3])
      })
    )
  })
})
