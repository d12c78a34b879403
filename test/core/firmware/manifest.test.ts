import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { isSalusError } from '#core/error.ts'
import { concat, fromHex, toHex } from '#core/encoding/bytes.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import { decodeManifest, encodeManifest, MAX_MANIFEST_BYTES, registryIdOf } from '#core/firmware/manifest.ts'
import { EXAMPLE_DOMAIN, exampleManifest } from '#test/core/firmware/example.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'

const TREE = CID.createV1(0x70, create(0x12, new Uint8Array(32).fill(7)))

/** Encodes the example with changes that the encoder itself would refuse. */
function forged(changes: Record<string, unknown>): Uint8Array {
  return encodeCanonical({ v: 1, ...exampleManifest(), ...changes })
}

describe('manifest', () => {
  it('comes back from its bytes', () => {
    const manifest = exampleManifest({ sizeBytes: 2 ** 40 - 1, cid: TREE, version: '2022.11-6+deb12u1' })
    expect(decodeManifest(encodeManifest(manifest))).to.deep.equal(manifest)
  })

  it('fits its bound with every field at its largest', () => {
    const uint32 = 2 ** 32 - 1
    const counters = { sequence: uint32, securityCounter: uint32, sizeBytes: 2 ** 40 - 1 }
    const manifest = exampleManifest({ ...counters, cid: TREE, version: 'v'.repeat(32) })
    expect(encodeManifest(manifest).length).to.be.lessThan(MAX_MANIFEST_BYTES)
  })

  it('equals the published vectors', () => {
    const { vectors } = JSON.parse(readFileSync('test/vectors/manifest.json', 'utf8')) as {
      vectors: { bytes: string; code?: string; version?: string; cid?: string }[]
    }
    for (const { bytes, code, version, cid } of vectors) {
      try {
        const manifest = decodeManifest(fromHex(bytes))
        expect([manifest.version, manifest.cid.toString()]).to.deep.equal([version, cid])
        expect(toHex(encodeManifest(manifest))).to.equal(bytes)
      } catch (error) {
        if (!isSalusError(error)) throw error
        expect(error.code).to.equal(code)
      }
    }
  })

  it('refuses bytes that are cut, too long, doubled or followed by others', async () => {
    const bytes = encodeManifest(exampleManifest())
    for (const length of [0, 1, 17, bytes.length - 1]) {
      await expectCode('MANIFEST_TRUNCATED', () => decodeManifest(bytes.subarray(0, length)))
    }
    await expectCode('MANIFEST_OVERSIZE', () => decodeManifest(new Uint8Array(MAX_MANIFEST_BYTES + 1)))
    await expectCode('MANIFEST_TRAILING', () => decodeManifest(concat(bytes, Uint8Array.of(0))))
    await expectCode('MANIFEST_DUPLICATE_KEY', () => decodeManifest(fromHex('a2617601617601')))
    await expectCode('MANIFEST_NOT_CANONICAL', () => decodeManifest(fromHex('a2617601616101')))
    await expectCode('MANIFEST_MALFORMED', () => decodeManifest(fromHex('ff')))
  })

  it('refuses other versions and unknown or missing fields', async () => {
    await expectCode('MANIFEST_VERSION', () => decodeManifest(forged({ v: 2 })))
    await expectCode('MANIFEST_SHAPE', () => decodeManifest(forged({ path: '../../etc/passwd' })))
    await expectCode('MANIFEST_SHAPE', () => decodeManifest(encodeCanonical({ v: 1 })))
    await expectCode('MANIFEST_SHAPE', () => decodeManifest(encodeCanonical([1])))
  })

  it('refuses fields out of their bounds', async () => {
    const wrong = [
      { network: new Uint8Array(31) },
      { model: new Uint8Array(33) },
      { sequence: 0 },
      { sequence: 2 ** 32 },
      { securityCounter: -1 },
      { sizeBytes: 0 },
      { sizeBytes: 2 ** 40 },
      { sizeBytes: 2 ** 21 },
      { sha256: new Uint8Array(32) },
      { version: '' },
      { version: '../1.0' },
      { version: 'a/b' },
      { version: '1.0\n' },
      { version: 'v'.repeat(33) },
      { cid: CID.createV0(create(0x12, new Uint8Array(32))) },
      { cid: CID.createV1(0x71, create(0x12, new Uint8Array(32))) },
      { cid: CID.createV1(0x70, create(0x00, new Uint8Array(32))) },
      { pieceBytes: 1000 },
      { pieceBytes: 2 ** 21 }
    ]
    for (const change of wrong) await expectCode('MANIFEST_SHAPE', () => decodeManifest(forged(change)))
  })

  it('refuses another chain, another registry and another model', async () => {
    const bytes = encodeManifest(exampleManifest())
    const { network, model } = exampleManifest()
    expect(decodeManifest(bytes, { network, model }).sequence).to.equal(1)
    const otherChain = registryIdOf(1, EXAMPLE_DOMAIN.registry)
    const otherRegistry = registryIdOf(EXAMPLE_DOMAIN.chainId, `0x${'13'.repeat(20)}`)
    await expectCode('MANIFEST_NETWORK', () => decodeManifest(bytes, { network: otherChain, model }))
    await expectCode('MANIFEST_NETWORK', () => decodeManifest(bytes, { network: otherRegistry, model }))
    await expectCode('MANIFEST_MODEL', () => decodeManifest(bytes, { network, model: network }))
  })

  it('answers every mutation with a value or a code', async () => {
    const bytes = encodeManifest(exampleManifest())
    const { refused } = await survivesMutations(bytes, { seed: 'manifest', count: 20_000 }, mutated => {
      expect(encodeManifest(decodeManifest(mutated))).to.deep.equal(mutated)
    })
    const codes = ['MANIFEST_TRUNCATED', 'MANIFEST_TRAILING', 'MANIFEST_SHAPE', 'MANIFEST_MALFORMED']
    expect(Object.keys(refused)).to.include.members(codes)
  })
})
