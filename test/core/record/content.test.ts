import { expect } from 'chai'
import { decode, encode } from '@ipld/dag-cbor'
import { utf8 } from '#core/encoding/bytes.ts'
import { openContent, signContent, MAX_CONTENT_BYTES, type ContentPlace } from '#core/record/content.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { NETWORK, PATIENT, keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'

const CONTENT = { type: 'text/plain', recordedAtMs: 1_795_000_000_000, body: utf8('spo2 97') }

describe('content', () => {
  let keys: AgentKeys
  let place: ContentPlace
  let bytes: Uint8Array

  before(async () => {
    keys = await keysOf(1)
    const entry = new Uint8Array(16).fill(7)
    place = { network: NETWORK, patient: PATIENT, entry, revision: 2, author: keys.bundle.sign }
    bytes = signContent(p, place, CONTENT, keys.signSeed)
  })

  it('reads back what its author signed', () => {
    expect(openContent(p, bytes, place)).to.deep.equal(CONTENT)
  })

  it('is refused in any other place', async () => {
    const { bundle } = await keysOf(2)
    await expectCode('CONTENT_PLACE', () => openContent(p, bytes, { ...place, entry: new Uint8Array(16) }))
    await expectCode('CONTENT_PLACE', () => openContent(p, bytes, { ...place, revision: 3 }))
    await expectCode('CONTENT_PLACE', () => openContent(p, bytes, { ...place, author: bundle.sign }))
  })

  it('is refused when any field was changed after signing', async () => {
    for (const change of [
      { type: 'text/html' },
      { recordedAt: 1 },
      { body: utf8('spo2 79') },
      { sig: new Uint8Array(64) }
    ]) {
      const forged = encode({ ...decode<Record<string, unknown>>(bytes), ...change })
      await expectCode('CONTENT_SIGNATURE', () => openContent(p, forged, place))
    }
  })

  itRefusesBadInput({
    area: 'CONTENT',
    maxBytes: MAX_CONTENT_BYTES,
    valid: () => bytes,
    decode: mutated => openContent(p, mutated, place),
    elsewhere: (mutated, expected) => openContent(p, mutated, { ...place, ...expected }),
    mutations: 2000
  })
})
