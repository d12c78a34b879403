import { expect } from 'chai'
import { decodeKnown, encodeKnown, type KnownEntry } from '#agent/record/known-entry.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import { expectCode } from '#test/error-code.ts'

const HEADER = { name: 'bafy', number: 3, position: 9, headerBytes: new Uint8Array(200).fill(1) }
const SUMMARY = {
  compartment: 'labs',
  type: 'application/fhir+json',
  recordedAtMs: 1_795_180_000_000,
  bodyBytes: 12,
  kind: 'Observation',
  act: 'comment',
  reason: 'because',
  about: `0x${'ab'.repeat(16)}`
} as const

describe('rows of headers that an agent knows', () => {
  it('come back as they were', () => {
    const grantee = {
      kind: 'grantee',
      address: new Uint8Array(20).fill(2),
      grantId: new Uint8Array(32).fill(3)
    } as const
    const entries: KnownEntry[] = [
      HEADER,
      { ...HEADER, opened: { code: 'GRANT_NO_KEY', tried: '1/2/3' } },
      { ...HEADER, opened: { ...SUMMARY, author: { kind: 'patient' } } },
      { ...HEADER, opened: { ...SUMMARY, author: grantee, act: 'state', about: null } }
    ]
    for (const entry of entries) expect(decodeKnown(encodeKnown(entry))).to.deep.equal(entry)
  })

  it('are refused where they are of another shape', async () => {
    const good = [1, 'bafy', 3, 9, HEADER.headerBytes, null]
    const bad: unknown[] = [
      [2, ...good.slice(1)],
      good.slice(0, 4),
      [...good.slice(0, 5), ['labs', null, 'x', 1, 1, 'x', 'destroy', '', null]],
      [...good.slice(0, 5), ['attic', null, 'x', 1, 1, 'x', 'state', '', null]],
      [...good.slice(0, 5), ['labs', [new Uint8Array(19), new Uint8Array(32)], 'x', 1, 1, 'x', 'state', '', null]],
      { v: 1 }
    ]
    for (const value of bad) await expectCode('AGENT_INDEX_SHAPE', () => decodeKnown(encodeCanonical(value)))
    await expectCode('AGENT_INDEX_OVERSIZE', () => decodeKnown(new Uint8Array(20_000)))
  })
})
