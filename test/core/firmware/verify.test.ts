import { expect } from 'chai'
import { create } from 'multiformats/hashes/digest'
import { CID } from 'multiformats/cid'
import { keccak256, toBeHex } from 'ethers'
import type { Hex } from '#core/chain/events.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import type { DeviceState } from '#core/firmware/device-state.ts'
import type { HeadFacts, PublishedRelease } from '#core/firmware/facts.ts'
import { encodeManifest } from '#core/firmware/manifest.ts'
import { countApprovals, releaseDigest, releaseTermsOf, type Approval } from '#core/firmware/release.ts'
import { selectRelease } from '#core/firmware/select.ts'
import { checkHead, MAX_HEAD_AGE_S, verifyImage, verifyRelease } from '#core/firmware/verify.ts'
import { EXAMPLE_DOMAIN } from '#test/core/firmware/example.ts'
import { approve, device, head, KEYS, manifestFor, MODEL, published, SIGNERS } from '#test/core/firmware/maker.ts'
import { expectCode } from '#test/error-code.ts'

const NOW_S = 1_800_000_060
const OTHER: Hex = `0x${'99'.repeat(32)}`
const INSTALLED = { sequence: 3, version: '3', sizeBytes: 1, sha256: OTHER }

describe('checks of a head', () => {
  it('accept a recent head of the right chain and model', () => {
    checkHead(head(), device({ blockNumber: 100, latestSequence: 1 }), NOW_S)
  })

  const refused: [string, string, Partial<HeadFacts>, Partial<DeviceState>][] = [
    ['another chain', 'FIRMWARE_WRONG_NETWORK', { chainId: 1 }, {}],
    ['another registry', 'FIRMWARE_WRONG_NETWORK', { registry: `0x${'34'.repeat(20)}` }, {}],
    ['another model', 'FIRMWARE_WRONG_MODEL', { model: OTHER }, {}],
    ['a block below the last seen', 'FIRMWARE_STALE_HEAD', { blockNumber: 99 }, { blockNumber: 100 }],
    ['fewer releases than seen', 'FIRMWARE_STALE_HEAD', { latest: 1 }, { latestSequence: 2 }],
    ['a chain that stands still', 'FIRMWARE_FREEZE', { blockTimeS: NOW_S - MAX_HEAD_AGE_S - 1 }, {}]
  ]
  for (const [attack, code, facts, state] of refused) {
    it(`refuse ${attack}`, async () => {
      await expectCode(code, () => checkHead(head(facts), device(state), NOW_S))
    })
  }

  it('do not believe a clock that lags behind the chain', async () => {
    const state = device({ blockTimeS: NOW_S })
    await expectCode('FIRMWARE_FREEZE', () => checkHead(head({ blockTimeS: NOW_S - MAX_HEAD_AGE_S - 1 }), state, 0))
  })
})

describe('selection of a release', () => {
  it('takes the active one, and nothing when it is installed', () => {
    expect(selectRelease(head(), 'active', device())).to.deep.equal({ kind: 'install', sequence: 1 })
    const state = device({ installed: INSTALLED })
    expect(selectRelease(head({ latest: 3, active: 3 }), 'active', state)).to.deep.equal({ kind: 'current' })
  })

  it('falls back to an older release only where nothing newer is installed', async () => {
    const fallen = head({ latest: 3, active: 2 })
    expect(selectRelease(fallen, 'yanked', device())).to.deep.equal({ kind: 'install', sequence: 2 })
    await expectCode('FIRMWARE_YANKED', () => selectRelease(fallen, 'yanked', device({ installed: INSTALLED })))
  })

  it('takes the staged one where the draw falls on this device, and about as often as its share says', () => {
    const facts = head({ latest: 2, active: 1, staged: 2, rolloutBps: 2500 })
    const chosen = Array.from({ length: 1000 }, (_, index) => {
      const rolloutSalt = keccak256(toBeHex(index, 32)) as Hex
      return selectRelease(facts, 'staged', device({ rolloutSalt }))
    }).filter(selection => selection.kind === 'install' && selection.sequence === 2)
    expect(chosen.length).to.be.within(200, 300)
    expect(selectRelease({ ...facts, rolloutBps: 0 }, 'staged', device())).to.deep.equal({
      kind: 'install',
      sequence: 1
    })
  })

  it('keeps a staged one when the share is made smaller', () => {
    const facts = head({ latest: 3, active: 1, staged: 3, rolloutBps: 0 })
    expect(selectRelease(facts, 'staged', device({ installed: INSTALLED }))).to.deep.equal({ kind: 'current' })
  })

  it('waits for what has not started, and for its turn', async () => {
    await expectCode('FIRMWARE_NOT_ACTIVE', () => selectRelease(head({ active: 0 }), 'published', device()))
    const others = head({ active: 0, staged: 1, rolloutBps: 0 })
    await expectCode('FIRMWARE_NOT_IN_ROLLOUT', () => selectRelease(others, 'staged', device()))
  })

  it('says why there is nothing', async () => {
    await expectCode('FIRMWARE_NONE', () => selectRelease(head({ latest: 0, active: 0 }), 'active', device()))
    await expectCode('FIRMWARE_HELD', () => selectRelease(head({ active: 0 }), 'held', device()))
    await expectCode('FIRMWARE_YANKED', () => selectRelease(head({ active: 0 }), 'yanked', device()))
    await expectCode('FIRMWARE_BELOW_MINIMUM', () => selectRelease(head({ minimum: 2 }), 'active', device()))
  })
})

describe('checks of a release', () => {
  it('accept a release that two of three keys signed', () => {
    expect(verifyRelease(published(), device(), 1)).to.deep.equal(manifestFor())
  })

  it('accept one that closes a hole, and one that repeats the counter', () => {
    const manifest = manifestFor({ sequence: 4, securityCounter: 2 })
    const state = device({ installed: INSTALLED, securityFloor: 2 })
    expect(verifyRelease(published(manifest), state, 4).securityCounter).to.equal(2)
  })

  const refused: [string, string, () => PublishedRelease, Partial<DeviceState>?][] = [
    ['one that was yanked', 'FIRMWARE_YANKED', () => published(manifestFor(), { status: 'yanked' })],
    ['one that is held', 'FIRMWARE_HELD', () => published(manifestFor(), { status: 'held' })],
    ['one that has not started', 'FIRMWARE_NOT_ACTIVE', () => published(manifestFor(), { status: 'published' })],
    ['one that was superseded', 'FIRMWARE_NOT_ACTIVE', () => published(manifestFor(), { status: 'superseded' })],
    ['terms of another model', 'FIRMWARE_WRONG_MODEL', () => withTerms({ model: OTHER })],
    ['a manifest of another model', 'FIRMWARE_WRONG_MODEL', () => withManifest({ model: new Uint8Array(32) })],
    ['a manifest of another registry', 'FIRMWARE_WRONG_NETWORK', () => withManifest({ network: new Uint8Array(32) })],
    ['manifest bytes that were not signed', 'FIRMWARE_BAD_MANIFEST', () => flippedManifest()],
    ['signed bytes that are no manifest', 'FIRMWARE_BAD_MANIFEST', () => noManifest()],
    ['a length that differs', 'FIRMWARE_MIX_AND_MATCH', () => withTerms({ sizeBytes: 7 })],
    ['a digest that differs', 'FIRMWARE_MIX_AND_MATCH', () => withTerms({ imageSha256: OTHER })],
    ['a counter that differs', 'FIRMWARE_MIX_AND_MATCH', () => withTerms({ securityCounter: 9 })],
    ['another release than was asked for', 'FIRMWARE_MIX_AND_MATCH', () => withManifest({ sequence: 2 })],
    ['a lower security counter', 'FIRMWARE_ROLLBACK', () => published(), { securityFloor: 1 }],
    ['an older sequence', 'FIRMWARE_ROLLBACK', () => published(), { installed: INSTALLED }],
    ['an image that does not fit', 'FIRMWARE_OVERSIZE', () => published(), { slotBytes: 3 }],
    ['keys of another model', 'FIRMWARE_BAD_KEYSET', () => published(), { keys: { ...KEYS, salt: OTHER } }],
    [
      'a lowered threshold',
      'FIRMWARE_BAD_KEYSET',
      () => published(),
      { keys: { ...KEYS, release: { ...KEYS.release, threshold: 0 } } }
    ],
    ['one signature', 'FIRMWARE_THRESHOLD', () => withApprovals([0])],
    ['no signature', 'FIRMWARE_THRESHOLD', () => withApprovals([])],
    ['a signature twice', 'FIRMWARE_THRESHOLD', () => withApprovals([1, 1])],
    ['signatures of another registry', 'FIRMWARE_THRESHOLD', () => signedElsewhere()],
    ['signatures of another release', 'FIRMWARE_THRESHOLD', () => withTerms({ deadline: 1n })]
  ]
  for (const [attack, code, release, state] of refused) {
    it(`refuse ${attack}`, async () => {
      await expectCode(code, () => verifyRelease(release(), device(state), 1))
    })
  }
})

describe('approvals', () => {
  const terms = releaseTermsOf(manifestFor(), 1n)
  const digest = releaseDigest(EXAMPLE_DOMAIN, terms)
  const count = (approvals: readonly Approval[]): number => countApprovals(digest, KEYS.release.signers, approvals)

  it('count once for each signer in rising order', () => {
    expect(count(approve(terms, [0, 1, 2]))).to.equal(3)
    expect(count(approve(terms, [2, 1, 0]))).to.equal(1)
  })

  it('do not count a signer that stands in the keyset twice', () => {
    const [first] = KEYS.release.signers
    const [one] = approve(terms, [0])
    const twice = [one!, { ...one!, index: 1 }]
    expect(countApprovals(digest, [first!, first!], twice)).to.equal(1)
  })

  it('do not count what is no signature of a known signer', () => {
    const [good] = approve(terms, [0])
    const bytes = good!.signature
    const highS = `${bytes.slice(0, 66)}${'f'.repeat(64)}${bytes.slice(130)}` as Hex
    const forgeries: Approval[] = [
      { index: 1, signer: '0x', signature: bytes },
      { index: 200, signer: '0x', signature: bytes },
      { index: 0, signer: '0x', signature: '0x' },
      { index: 0, signer: '0x', signature: bytes.slice(0, -2) as Hex },
      { index: 0, signer: '0x', signature: `0x${'00'.repeat(65)}` },
      { index: 0, signer: '0x', signature: highS }
    ]
    for (const forgery of forgeries) expect(count([forgery])).to.equal(0)
    expect(SIGNERS).to.have.length(3)
  })
})

describe('checks of an image', () => {
  it('accept exactly the signed bytes', async () => {
    const { sha256, sizeBytes } = manifestFor()
    verifyImage(manifestFor(), { sha256, sizeBytes })
    await expectCode('FIRMWARE_OVERSIZE', () => verifyImage(manifestFor(), { sha256, sizeBytes: sizeBytes + 1 }))
    await expectCode('FIRMWARE_TRUNCATED', () => verifyImage(manifestFor(), { sha256, sizeBytes: sizeBytes - 1 }))
    const other = new Uint8Array(32)
    await expectCode('FIRMWARE_WRONG_HASH', () => verifyImage(manifestFor(), { sha256: other, sizeBytes }))
  })
})

function withTerms(changes: Partial<PublishedRelease['terms']>): PublishedRelease {
  const release = published()
  return { ...release, terms: { ...release.terms, ...changes } }
}

function withManifest(changes: { model?: Uint8Array; network?: Uint8Array; sequence?: number }): PublishedRelease {
  const manifest = manifestFor(changes)
  const release = published(manifest)
  return { ...release, terms: { ...release.terms, model: MODEL } }
}

function withApprovals(indices: readonly number[]): PublishedRelease {
  const release = published()
  return { ...release, approvals: approve(release.terms, indices) }
}

function flippedManifest(): PublishedRelease {
  const cid = CID.createV1(0x70, create(0x12, new Uint8Array(32)))
  return published(manifestFor(), { manifest: encodeManifest(manifestFor({ cid })) })
}

function noManifest(): PublishedRelease {
  const manifest = encodeCanonical({ v: 1 })
  const release = published()
  return { ...release, manifest, terms: { ...release.terms, manifestDigest: keccak256(manifest) as Hex } }
}

function signedElsewhere(): PublishedRelease {
  const release = published()
  const elsewhere = { chainId: 1, registry: EXAMPLE_DOMAIN.registry }
  return { ...release, approvals: approve(release.terms, [0, 1], elsewhere) }
}
