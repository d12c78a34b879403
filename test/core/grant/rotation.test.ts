import { expect } from 'chai'
import {
  MAX_ROTATION_BYTES,
  MAX_ROTATION_REVISION,
  decodeRotation,
  signRotation,
  verifyRotation
} from '#core/grant/rotation.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { NETWORK, PATIENT, keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'

describe('a rotation', () => {
  const rotation = {
    network: NETWORK,
    patient: PATIENT,
    revision: 1,
    day: 20_000,
    retired: [new Uint8Array(16).fill(1)]
  }
  let keys: AgentKeys
  let bytes: Uint8Array

  before(async () => {
    keys = await keysOf(1)
    bytes = signRotation(p, rotation, keys)
  })

  it('reads back and verifies under the bundle it carries', () => {
    const decoded = decodeRotation(bytes, { network: NETWORK, patient: PATIENT })
    expect(decoded).to.deep.include(rotation)
    expect(decoded.bundle).to.deep.equal(keys.bundleBytes)
    expect(verifyRotation(p, decoded)).to.equal(true)
  })

  it('does not verify when it was changed', async () => {
    const decoded = decodeRotation(bytes)
    expect(verifyRotation(p, { ...decoded, revision: 2 })).to.equal(false)
    expect(verifyRotation(p, { ...decoded, day: 20_001 })).to.equal(false)
    expect(verifyRotation(p, { ...decoded, retired: [] })).to.equal(false)
    expect(verifyRotation(p, { ...decoded, bundle: (await keysOf(2)).bundleBytes })).to.equal(false)
  })

  it('is refused with more tags than allowed', async () => {
    const retired = Array.from({ length: 257 }, () => new Uint8Array(16))
    await expectCode('ROTATION_SHAPE', () => decodeRotation(signRotation(p, { ...rotation, retired }, keys)))
  })

  it('counts from 1 to a bound', async () => {
    for (const revision of [0, MAX_ROTATION_REVISION + 1]) {
      await expectCode('ROTATION_SHAPE', () => decodeRotation(signRotation(p, { ...rotation, revision }, keys)))
    }
    const revision = MAX_ROTATION_REVISION
    expect(decodeRotation(signRotation(p, { ...rotation, revision }, keys)).revision).to.equal(revision)
  })

  itRefusesBadInput({
    area: 'ROTATION',
    maxBytes: MAX_ROTATION_BYTES,
    valid: () => bytes,
    decode: decodeRotation,
    elsewhere: decodeRotation,
    mutations: 15_000
  })
})
