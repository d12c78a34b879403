import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { AbiCoder, keccak256, Wallet } from 'ethers'
import { networkIdOf as networkIdByEthers } from '#core/chain/network-id.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { keyBindingDomain, keyBindingTypedData } from '#core/identity/key-binding.ts'
import { decodeBundle } from '#core/batch/bundle.ts'
import { encodeBlockHeader, readBlockHeader } from '#core/proof/block.ts'
import { gatewayIdOf, networkIdOf, wordUint } from '#core/proof/keccak.ts'
import { bindingSigner } from '#core/proof/key-binding.ts'
import { readReceipt } from '#core/proof/receipt.ts'
import { expectCode } from '#test/error-code.ts'

const ADDRESS = '0x00000000000000000000000000000000000000ff'
const DIGEST = new Uint8Array(32).fill(9)

describe('checks without a chain library', () => {
  it('derive the same ids as the contracts and ethers', () => {
    for (const chainId of [1, 31_337, Number.MAX_SAFE_INTEGER]) {
      expect(toHex(networkIdOf(chainId, fromHex(ADDRESS)))).to.equal(toHex(networkIdByEthers(chainId, ADDRESS)))
    }
    const encoded = AbiCoder.defaultAbiCoder().encode(['bytes32', 'bytes32'], [keccak256(ADDRESS), toHex(DIGEST)])
    expect(toHex(gatewayIdOf(fromHex(ADDRESS), DIGEST))).to.equal(keccak256(encoded))
  })

  it('recover the signer of a key binding as ethers does, and nothing from another form of signature', async () => {
    const wallet = new Wallet(toHex(new Uint8Array(32).fill(7)))
    const claim = { chainId: 31_337, accessGrants: fromHex(ADDRESS), bundleDigest: DIGEST, notAfter: 1_800_000_000 }
    const typed = keyBindingTypedData(keyBindingDomain(31_337, ADDRESS), DIGEST, claim.notAfter)
    const signature = fromHex(await wallet.signTypedData(typed.domain, typed.types, typed.value), 65)
    const signer = fromHex(wallet.address)
    expect(bindingSigner(claim, signature)).to.deep.equal(signer)
    expect(bindingSigner({ ...claim, notAfter: 1 }, signature)).to.not.deep.equal(signer)
    expect(bindingSigner(claim, signature.subarray(0, 64))).to.equal(undefined)
    expect(bindingSigner(claim, new Uint8Array(65).fill(27))).to.not.deep.equal(signer)
    expect(bindingSigner(claim, signature.with(64, (signature[64] ?? 0) - 27))).to.equal(undefined)
    // The same point with the larger s: valid mathematics, another signature.
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const s = order - BigInt(toHex(signature.subarray(32, 64)))
    const large = signature.slice()
    large.set(fromHex(s.toString(16).padStart(64, '0')), 32)
    large[64] = large[64] === 27 ? 28 : 27
    expect(bindingSigner(claim, large)).to.equal(undefined)
  })

  it('read blocks and receipts, and nothing from damaged ones', async () => {
    const file = await readFile(new URL('../../vectors/bundle.json', import.meta.url), 'utf8')
    const { anchor } = decodeBundle(fromHex((JSON.parse(file) as { bundle: string }).bundle))
    const block = readBlockHeader(anchor.block)!
    expect(toHex(block.hash)).to.equal(toHex(anchor.blockHash))
    const logs = await readReceipt(block.receiptsRoot, anchor.transaction, anchor.receipt)
    expect(logs).to.have.length(1)
    expect(await readReceipt(block.receiptsRoot, anchor.transaction + 1, anchor.receipt)).to.equal(undefined)
    expect(await readReceipt(block.receiptsRoot, anchor.transaction, [])).to.equal(undefined)
    expect(readBlockHeader(anchor.block.subarray(1))).to.equal(undefined)
    await expectCode('PROOF_BLOCK', () => encodeBlockHeader({ parentHash: '0x00', hash: '0x00' }))
  })

  it('take no number above 2^53 - 1 for a whole number', () => {
    expect(wordUint(fromHex('1fffffffffffff'))).to.equal(Number.MAX_SAFE_INTEGER)
    expect(wordUint(fromHex('20000000000000'))).to.equal(undefined)
  })
})
