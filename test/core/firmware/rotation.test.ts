import { expect } from 'chai'
import { Interface, Wallet, id } from 'ethers'
import { firmwareRegistryAbi } from '#core/abi/FirmwareRegistry.ts'
import type { Hex } from '#core/chain/events.ts'
import { readRotation } from '#core/firmware/calldata.ts'
import { manufacturerIdOf, type Keysets, type SignerSet } from '#core/firmware/keyset.ts'
import { releaseDigest, releaseTermsOf, type Approval } from '#core/firmware/release.ts'
import { keysOfVersion, rotationDigest, type Rotation } from '#core/firmware/rotation.ts'
import { verifyRelease } from '#core/firmware/verify.ts'
import { EXAMPLE_DOMAIN } from '#test/core/firmware/example.ts'
import { device, KEYS, manifestFor, published, ROOTS, SIGNERS } from '#test/core/firmware/maker.ts'
import { expectCode } from '#test/error-code.ts'

const NEXT_ROOTS = ['next root one', 'next root two'].map(name => new Wallet(id(name)))
const NEXT_SIGNERS = ['next one', 'next two'].map(name => new Wallet(id(name)))
const NEXT: Keysets = {
  root: setOf(NEXT_ROOTS, 2),
  release: setOf(NEXT_SIGNERS, 2),
  guard: KEYS.guard,
  steward: KEYS.steward,
  silenceDays: 100
}

function setOf(wallets: readonly Wallet[], threshold: number): SignerSet {
  return { threshold, signers: wallets.map(({ address }) => address.toLowerCase() as Hex) }
}

function sign(digest: string, wallets: readonly Wallet[]): Approval[] {
  return wallets.map(({ signingKey }, index) => ({
    index,
    signer: '0x',
    signature: signingKey.sign(digest).serialized as Hex
  }))
}

/** A rotation to {@link NEXT}, signed by these. */
function rotation(old: readonly Wallet[], fresh: readonly Wallet[], changes: Partial<Rotation> = {}): Rotation {
  const about = { manufacturer: manufacturerIdOf(KEYS, KEYS.salt), next: NEXT, nonce: 0, deadline: 1n }
  const digest = rotationDigest(EXAMPLE_DOMAIN, about)
  return { ...about, byOld: sign(digest, old), byNew: sign(digest, fresh), ...changes }
}

describe('rotations of a maker’s keys', () => {
  const sound = rotation(ROOTS, NEXT_ROOTS)

  it('are followed from the keys that the model’s id is made of', () => {
    expect(keysOfVersion(EXAMPLE_DOMAIN, KEYS, [], 1)).to.equal(KEYS)
    expect(keysOfVersion(EXAMPLE_DOMAIN, KEYS, [sound], 2)).to.equal(NEXT)
    expect(keysOfVersion(EXAMPLE_DOMAIN, KEYS, [sound], 1)).to.equal(KEYS)
  })

  it('let a device install what the new keys signed, and nothing that the old ones sign as new', async () => {
    const terms = releaseTermsOf(manifestFor(), 1_800_000_000n, { keysetVersion: 2 })
    const digest = releaseDigest(EXAMPLE_DOMAIN, terms)
    const release = { ...published(), terms, approvals: sign(digest, NEXT_SIGNERS), rotations: [sound] }
    expect(verifyRelease(release, device(), 1)).to.deep.equal(manifestFor())
    const byOld = { ...release, approvals: sign(digest, SIGNERS) }
    await expectCode('FIRMWARE_THRESHOLD', () => verifyRelease(byOld, device(), 1))
    await expectCode('FIRMWARE_BAD_ROTATION', () => verifyRelease({ ...release, rotations: [] }, device(), 1))
  })

  const refused: [string, Rotation][] = [
    ['too few of the old root keys', rotation(ROOTS.slice(0, 1), NEXT_ROOTS)],
    ['too few of the new root keys', rotation(ROOTS, NEXT_ROOTS.slice(0, 1))],
    ['release keys in place of root keys', rotation(SIGNERS, NEXT_ROOTS)],
    ['another maker', rotation(ROOTS, NEXT_ROOTS, { manufacturer: id('x') as Hex })],
    ['another nonce', rotation(ROOTS, NEXT_ROOTS, { nonce: 1 })],
    ['other keys than were signed', rotation(ROOTS, NEXT_ROOTS, { next: { ...NEXT, silenceDays: 101 } })],
    ['keys that nobody has to sign', rotation(ROOTS, [], { next: { ...NEXT, root: setOf(NEXT_ROOTS, 0) } })]
  ]
  for (const [name, bad] of refused) {
    it(`are refused by ${name}`, async () => {
      await expectCode('FIRMWARE_BAD_ROTATION', () => keysOfVersion(EXAMPLE_DOMAIN, KEYS, [bad], 2))
    })
  }

  it('are read from the calldata that proposed them', async () => {
    const abi = new Interface(firmwareRegistryAbi)
    const { manufacturer, next, nonce, deadline, byOld, byNew } = sound
    const quorum = (set: SignerSet, approvals: readonly Approval[]): unknown => ({
      threshold: set.threshold,
      ids: set.signers,
      approvals
    })
    const data = abi.encodeFunctionData('proposeRotation', [
      manufacturer,
      next,
      nonce,
      deadline,
      quorum(KEYS.root, byOld),
      quorum(NEXT.root, byNew)
    ])
    expect(readRotation(data)).to.deep.equal(sound)
    await expectCode('FIRMWARE_CALLDATA', () => readRotation(data.slice(0, -64)))
  })
})
