import { expect } from 'chai'
import { Wallet } from 'ethers'
import { fromHex } from '#core/encoding/bytes.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { MAX_EVIDENCE_BYTES, decodeEvidence, encodeEvidence } from '#core/identity/evidence.ts'
import {
  checkBinding,
  keyBindingDomain,
  keyBindingTypedData,
  recoverBindingAddress
} from '#core/identity/key-binding.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'

const DOMAIN = keyBindingDomain(31_337, '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512')
const NOT_AFTER = 1_800_000_000
const wallet = new Wallet(`0x${'22'.repeat(32)}`)

describe('evidence', () => {
  let keys: AgentKeys
  let signature: Uint8Array

  before(async () => {
    keys = await keysOf(2)
    const { domain, types, value } = keyBindingTypedData(DOMAIN, keyBundleDigest(keys.bundleBytes), NOT_AFTER)
    signature = fromHex(await wallet.signTypedData(domain, types, value))
  })

  it('reads back, with a binding and without', () => {
    for (const evidence of [
      { bundle: keys.bundleBytes },
      { bundle: keys.bundleBytes, binding: { notAfter: NOT_AFTER, signature } }
    ]) {
      expect(decodeEvidence(encodeEvidence(evidence))).to.deep.equal(evidence)
    }
  })

  it('names the address that bound the keys', () => {
    const evidence = { bundle: keys.bundleBytes, binding: { notAfter: NOT_AFTER, signature } }
    expect(recoverBindingAddress(DOMAIN, evidence)).to.equal(wallet.address.toLowerCase())
    checkBinding(DOMAIN, evidence, { address: wallet.address, nowS: NOT_AFTER })
  })

  it('names another address for other keys, another time or another network', async () => {
    const { bundleBytes } = await keysOf(3)
    const expected = { address: wallet.address, nowS: 0 }
    const binding = { notAfter: NOT_AFTER, signature }
    await expectCode('BINDING_ADDRESS', () => {
      checkBinding(DOMAIN, { bundle: bundleBytes, binding }, expected)
    })
    await expectCode('BINDING_ADDRESS', () => {
      checkBinding(DOMAIN, { bundle: keys.bundleBytes, binding: { ...binding, notAfter: NOT_AFTER + 1 } }, expected)
    })
    await expectCode('BINDING_ADDRESS', () => {
      checkBinding({ ...DOMAIN, chainId: 1 }, { bundle: keys.bundleBytes, binding }, expected)
    })
  })

  it('is refused when expired, absent, malformed, or signed by what only the chain can judge', async () => {
    const expected = { address: wallet.address, nowS: NOT_AFTER + 1 }
    const bundle = keys.bundleBytes
    await expectCode('BINDING_EXPIRED', () => {
      checkBinding(DOMAIN, { bundle, binding: { notAfter: NOT_AFTER, signature } }, expected)
    })
    await expectCode('BINDING_ABSENT', () => {
      checkBinding(DOMAIN, { bundle }, expected)
    })
    await expectCode('BINDING_SIGNATURE', () => {
      checkBinding(DOMAIN, { bundle, binding: { notAfter: NOT_AFTER, signature: new Uint8Array(65) } }, expected)
    })
    await expectCode('BINDING_UNSUPPORTED', () => {
      checkBinding(DOMAIN, { bundle, binding: { notAfter: NOT_AFTER, signature: new Uint8Array(96) } }, expected)
    })
  })

  itRefusesBadInput({
    area: 'EVIDENCE',
    maxBytes: MAX_EVIDENCE_BYTES,
    valid: () => encodeEvidence({ bundle: keys.bundleBytes, binding: { notAfter: NOT_AFTER, signature } }),
    decode: decodeEvidence,
    mutations: 15_000
  })
})
