import { readFileSync } from 'node:fs'
import { Interface } from 'ethers'
import { expect } from 'chai'
import { firmwareRegistryAbi } from '#core/abi/FirmwareRegistry.ts'
import type { Hex } from '#core/chain/events.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { readPublication, readRegistration } from '#core/firmware/calldata.ts'
import type { ModelKeys } from '#core/firmware/keyset.ts'
import { verifyRelease } from '#core/firmware/verify.ts'
import { releaseDigest } from '#core/firmware/release.ts'
import { device, KEYS, published } from '#test/core/firmware/maker.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'

const registry = new Interface(firmwareRegistryAbi)
const release = published()
const quorum = { threshold: 2, ids: KEYS.release.signers, approvals: release.approvals }
const publication = registry.encodeFunctionData('publish', [release.terms, release.manifest, quorum])
const registration = registry.encodeFunctionData('registerManufacturer', [KEYS, KEYS.salt])

const ACTIVE = { status: 'active', rotations: [] } as const

describe('calldata of the registry', () => {
  it('gives the publication back', () => {
    const { terms, manifest, approvals } = release
    expect(readPublication(publication)).to.deep.equal({ terms, manifest, approvals })
  })

  it('gives the keys of a manufacturer back', () => {
    expect({ ...readRegistration(registration), modelClass: KEYS.modelClass }).to.deep.equal(KEYS)
  })

  it('is refused when it is of another call, cut or too long', async () => {
    await expectCode('FIRMWARE_CALLDATA', () => readPublication(registration))
    await expectCode('FIRMWARE_CALLDATA', () => readRegistration(publication))
    await expectCode('FIRMWARE_CALLDATA', () => readPublication('0x'))
    await expectCode('FIRMWARE_CALLDATA', () => readPublication('nothing'))
    await expectCode('FIRMWARE_CALLDATA', () => readPublication(publication.slice(0, -64)))
    await expectCode('FIRMWARE_CALLDATA', () => readPublication(`0x${'00'.repeat(70_000)}`))
  })

  it('answers every mutation with a value or a code', async () => {
    const read = (bytes: Uint8Array): unknown => readPublication(toHex(bytes))
    await survivesMutations(fromHex(publication), { seed: 'calldata', count: 2000 }, read)
    const readKeys = (bytes: Uint8Array): unknown => readRegistration(toHex(bytes))
    await survivesMutations(fromHex(registration), { seed: 'keys', count: 1000 }, readKeys)
  })

  it('verifies after a mutation only as what was signed', async () => {
    const state = device()
    const read = (bytes: Uint8Array): void => {
      const manifest = verifyRelease({ ...readPublication(toHex(bytes)), ...ACTIVE }, state, 1)
      expect(manifest.sha256).to.deep.equal(fromHex(release.terms.imageSha256))
    }
    const { refused } = await survivesMutations(fromHex(publication), { seed: 'publication', count: 200 }, read)
    expect(Object.keys(refused)).to.include.members([
      'FIRMWARE_CALLDATA',
      'FIRMWARE_THRESHOLD',
      'FIRMWARE_BAD_MANIFEST'
    ])
  })

  it('equals the published vectors', () => {
    const { vectors } = JSON.parse(readFileSync('test/vectors/firmware-release.json', 'utf8')) as { vectors: Vector[] }
    for (const { chainId, registry: address, keys, model, calldata, digest, code } of vectors) {
      const state = device({ chainId, registry: address, keys, model })
      try {
        const read = readPublication(calldata)
        expect(releaseDigest(state, read.terms)).to.equal(digest)
        expect(verifyRelease({ ...read, ...ACTIVE }, state, 1).sequence).to.equal(1)
        expect(code).to.equal(undefined)
      } catch (error) {
        if (!isSalusError(error)) throw error
        expect(error.code).to.equal(code)
      }
    }
  })
})

interface Vector {
  readonly chainId: number
  readonly registry: Hex
  readonly keys: ModelKeys
  readonly model: Hex
  readonly calldata: string
  readonly digest: string
  readonly code?: string
}
