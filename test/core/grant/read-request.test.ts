import { expect } from 'chai'
import {
  MAX_READ_REQUEST_BYTES,
  decodeReadRequest,
  signReadRequest,
  verifyReadRequest,
  type ReadRequest
} from '#core/grant/read-request.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { encodeEvidence } from '#core/identity/evidence.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { NETWORK, PATIENT, keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'

describe('a read request', () => {
  let keys: AgentKeys
  let request: ReadRequest
  let bytes: Uint8Array

  before(async () => {
    keys = await keysOf(1)
    request = {
      network: NETWORK,
      patient: PATIENT,
      grant: new Uint8Array(32).fill(1),
      audience: new Uint8Array(38).fill(2),
      issuedAtMs: 1_795_000_000_000,
      nonce: new Uint8Array(16).fill(3),
      author: keys.bundle.sign,
      evidence: encodeEvidence({ bundle: keys.bundleBytes })
    }
    bytes = signReadRequest(p, request, keys.signSeed)
  })

  it('reads back and verifies', () => {
    const decoded = decodeReadRequest(bytes, { network: NETWORK, patient: PATIENT, audience: request.audience })
    expect(decoded.request).to.deep.equal(request)
    expect(verifyReadRequest(p, decoded)).to.equal(true)
  })

  it('is for one node only', async () => {
    await expectCode('READ_REQUEST_AUDIENCE', () => decodeReadRequest(bytes, { audience: new Uint8Array(38) }))
  })

  it('does not verify when it was changed', () => {
    const { signature } = decodeReadRequest(bytes)
    for (const change of [
      { grant: null },
      { issuedAtMs: 0 },
      { nonce: new Uint8Array(16) },
      { audience: new Uint8Array(1) }
    ]) {
      expect(verifyReadRequest(p, { request: { ...request, ...change }, signature })).to.equal(false)
    }
  })

  itRefusesBadInput({
    area: 'READ_REQUEST',
    maxBytes: MAX_READ_REQUEST_BYTES,
    valid: () => bytes,
    decode: decodeReadRequest,
    elsewhere: decodeReadRequest,
    mutations: 15_000
  })
})
