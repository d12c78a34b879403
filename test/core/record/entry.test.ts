import { expect } from 'chai'
import { cidOfCanonical, cidOfDigest, RAW_CODEC } from '#core/record/cid.ts'
import { MAX_ENTRY_BYTES, decodeEntry, signEntry, verifyEntry, type EntryHeader } from '#core/record/entry.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { NETWORK, PATIENT, keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'

describe('an entry header', () => {
  let keys: AgentKeys
  let header: EntryHeader
  let bytes: Uint8Array

  before(async () => {
    keys = await keysOf(1)
    header = {
      network: NETWORK,
      patient: PATIENT,
      tag: new Uint8Array(16).fill(1),
      entry: new Uint8Array(16).fill(2),
      revision: 3,
      parents: [cidOfCanonical(new Uint8Array(1))],
      generation: 4,
      day: 20_777,
      author: keys.bundle.sign,
      grant: new Uint8Array(32).fill(5),
      blob: cidOfDigest(RAW_CODEC, new Uint8Array(32).fill(6)),
      sizeBytes: 2120
    }
    bytes = signEntry(p, header, keys.signSeed)
  })

  it('reads back what was signed, named by the hash of its bytes', () => {
    const decoded = decodeEntry(bytes, { network: NETWORK, patient: PATIENT })
    expect({
      ...decoded.header,
      parents: decoded.header.parents.map(String),
      blob: String(decoded.header.blob)
    }).to.deep.equal({
      ...header,
      parents: header.parents.map(String),
      blob: String(header.blob)
    })
    expect(decoded.cid.equals(cidOfCanonical(bytes))).to.equal(true)
    expect(verifyEntry(p, decoded)).to.equal(true)
  })

  it('does not verify when any field was changed', () => {
    for (const change of [
      { day: 1 },
      { revision: 4 },
      { generation: 5 },
      { grant: null },
      { sizeBytes: 1 },
      { parents: [] },
      { tag: new Uint8Array(16) }
    ]) {
      const { signature } = decodeEntry(bytes)
      const decoded = decodeEntry(signEntry(p, { ...header, ...change }, keys.signSeed))
      expect(verifyEntry(p, { ...decoded, signature })).to.equal(false)
    }
  })

  it('refuses a blob that is named by something else than a raw or UnixFS SHA-256', async () => {
    const blob = cidOfCanonical(new Uint8Array(1))
    await expectCode('ENTRY_SHAPE', () => decodeEntry(signEntry(p, { ...header, blob }, keys.signSeed)))
  })

  it('refuses too many parents and days that do not exist', async () => {
    const parents = Array.from({ length: 17 }, (_, i) => cidOfCanonical(Uint8Array.of(i)))
    await expectCode('ENTRY_SHAPE', () => decodeEntry(signEntry(p, { ...header, parents }, keys.signSeed)))
    await expectCode('ENTRY_SHAPE', () => decodeEntry(signEntry(p, { ...header, day: 65_536 }, keys.signSeed)))
  })

  itRefusesBadInput({
    area: 'ENTRY',
    maxBytes: MAX_ENTRY_BYTES,
    valid: () => bytes,
    decode: decodeEntry,
    elsewhere: decodeEntry,
    mutations: 15_000
  })
})
