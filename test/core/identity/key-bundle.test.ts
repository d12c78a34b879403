import { expect } from 'chai'
import { keccak256 } from 'ethers'
import { toHex } from '#core/encoding/bytes.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { MAX_KEY_BUNDLE_BYTES, decodeKeyBundle, encodeKeyBundle, keyBundleDigest } from '#core/identity/key-bundle.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'

describe('a key bundle', () => {
  let keys: AgentKeys

  before(async () => {
    keys = await keysOf(1, [1, 2, 3])
  })

  it('comes from the seed alone', async () => {
    expect((await keysOf(1, [1, 2, 3])).bundleBytes).to.deep.equal(keys.bundleBytes)
    expect((await keysOf(2, [1, 2, 3])).bundleBytes).to.not.deep.equal(keys.bundleBytes)
  })

  it('reads back', () => {
    expect(decodeKeyBundle(keys.bundleBytes)).to.deep.equal(keys.bundle)
  })

  it('is known to the chain by its keccak-256', () => {
    expect(toHex(keyBundleDigest(keys.bundleBytes))).to.equal(keccak256(keys.bundleBytes))
  })

  it('is refused with suites out of order, twice, unknown or none, and with a weak signing key', async () => {
    const { sign, kem } = keys.bundle
    const [first] = kem
    for (const bundle of [
      { sign, kem: [...kem].reverse() },
      { sign, kem: [...kem, ...kem] },
      { sign, kem: [] },
      { sign, kem: first == null ? [] : [{ ...first, suite: 9 as 1 }] },
      { sign, kem: first == null ? [] : [{ ...first, suite: 2 as const }] },
      { sign: new Uint8Array(32), kem }
    ]) {
      await expectCode('KEY_BUNDLE_SHAPE', () => decodeKeyBundle(encodeKeyBundle(bundle)))
    }
  })

  itRefusesBadInput({
    area: 'KEY_BUNDLE',
    maxBytes: MAX_KEY_BUNDLE_BYTES,
    valid: () => keys.bundleBytes,
    decode: decodeKeyBundle,
    mutations: 15_000
  })
})
