import { expect } from 'chai'
import { createRecent } from '#agent/record/recent.ts'
import type { StoredEntry } from '#node/http/client.ts'

const MIB = 1_048_576
const stored = (blobBytes: number | null): StoredEntry => ({
  ...{ position: 1, header: new Uint8Array(1), slot: new Uint8Array(1), evidence: new Uint8Array(1) },
  blob: blobBytes == null ? null : new Uint8Array(blobBytes)
})

describe('entries that were fetched a moment ago', () => {
  it('are kept for a minute', () => {
    let nowMs = 0
    const recent = createRecent(() => nowMs)
    recent.put('a', stored(null))
    expect(recent.get('a')).to.deep.equal(stored(null))
    nowMs = 60_000
    expect(recent.get('a')).to.equal(undefined)
  })

  it('take no more than 32 MiB, and the oldest go first', () => {
    const recent = createRecent(() => 0)
    for (let i = 0; i < 12; i++) recent.put(String(i), stored(3 * MIB))
    expect(recent.get('0')).to.equal(undefined)
    expect(recent.get('1')).to.equal(undefined)
    expect(recent.get('2')?.blob).to.have.lengthOf(3 * MIB)
    for (let i = 0; i < 12; i++) recent.put('same', stored(3 * MIB))
    expect(recent.get('11')?.blob).to.have.lengthOf(3 * MIB)
  })

  it('are kept without a blob that is too large', () => {
    const recent = createRecent(() => 0)
    recent.put('a', stored(5 * MIB))
    expect(recent.get('a')).to.deep.equal(stored(null))
  })
})
