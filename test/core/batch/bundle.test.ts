import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { concat, fromHex, toHex } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { isSalusError } from '#core/error.ts'
import { decodeEvidence, encodeEvidence } from '#core/identity/evidence.ts'
import { MAX_BUNDLE_BYTES } from '#core/batch/bundle.ts'
import { verifyBundle } from '#core/batch/verify.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { expectCode } from '#test/error-code.ts'

interface Vector {
  bundle: string
  verified: Record<string, string | number>
}

const vector = JSON.parse(await readFile(new URL('../../vectors/bundle.json', import.meta.url), 'utf8')) as Vector
const good = fromHex(vector.bundle)

type Fields = Record<string, unknown>

function edited(change: (fields: Fields) => void): Uint8Array {
  const fields = decodeCanonical(good, { area: 'TEST', maxBytes: MAX_BUNDLE_BYTES }) as Fields
  change(fields)
  return encodeCanonical(fields)
}

describe('proof bundle', () => {
  it('proves the reading of the vector, with either implementation of the primitives', async () => {
    for (const primitives of [p, portablePrimitives]) {
      const { reading, header, anchored, block, index, chainId } = await verifyBundle(primitives, good)
      expect({
        index,
        batch: header.sequence,
        anchor: anchored.sequence,
        treeSize: anchored.treeSize,
        gateway: toHex(header.gateway),
        patient: toHex(header.patient),
        network: toHex(header.network),
        chainId,
        blockHash: toHex(block.hash),
        mdc: reading.stream.mdc,
        mantissa: reading.mantissa,
        sequence: reading.sequence
      }).to.deep.equal(vector.verified)
    }
  })

  it('is refused whichever single bit of it is flipped', async function () {
    this.timeout(120_000)
    const codes = new Set<string>()
    const copy = good.slice()
    for (let bit = 0; bit < 8 * copy.length; bit++) {
      const at = bit >> 3
      copy[at]! ^= 1 << (bit & 7)
      let outcome = 'accepted'
      try {
        await verifyBundle(p, copy)
      } catch (error) {
        if (!isSalusError(error)) throw error
        outcome = error.code
      }
      copy[at]! ^= 1 << (bit & 7)
      if (!outcome.startsWith('BUNDLE_')) expect.fail(`bit ${String(bit)}: ${outcome}`)
      codes.add(outcome)
    }
    expect([...codes]).to.include.members([
      'BUNDLE_INCLUSION',
      'BUNDLE_BLOCK',
      'BUNDLE_RECEIPT',
      'BUNDLE_EVENT',
      'BUNDLE_CONSISTENCY',
      'BUNDLE_CERTIFICATE',
      'BUNDLE_SIGNATURE',
      'BUNDLE_BINDING',
      'BUNDLE_NETWORK'
    ])
  })

  it('refuses each kind of damage with its own code', async () => {
    const check = async (bytes: Uint8Array): Promise<unknown> => verifyBundle(p, bytes)
    await expectCode('BUNDLE_TRUNCATED', () => check(good.subarray(0, -1)))
    await expectCode('BUNDLE_TRAILING', () => check(concat(good, Uint8Array.of(0))))
    await expectCode('BUNDLE_OVERSIZE', () => check(new Uint8Array(MAX_BUNDLE_BYTES + 1)))
    await expectCode('BUNDLE_VERSION', () => check(edited(fields => (fields['v'] = 2))))
    await expectCode('BUNDLE_SHAPE', () => check(edited(fields => (fields['more'] = 0))))
    // {v: 1, v: 1}
    await expectCode('BUNDLE_DUPLICATE_KEY', () => check(Uint8Array.of(0xa2, 0x61, 0x76, 1, 0x61, 0x76, 1)))
    await expectCode('BUNDLE_INDEX', () => check(edited(fields => (fields['index'] = 0))))
    await expectCode('BUNDLE_INCLUSION', () =>
      check(edited(fields => (fields['index'] = Number(vector.verified['index']) + 1)))
    )
    await expectCode('BUNDLE_HEADER', () => check(edited(fields => (fields['header'] = new Uint8Array(8)))))
    await expectCode('BUNDLE_READING', () => check(edited(fields => (fields['reading'] = new Uint8Array(8)))))
    await expectCode('BUNDLE_EVIDENCE', () => check(edited(fields => (fields['evidence'] = new Uint8Array(8)))))
    await expectCode('BUNDLE_NETWORK', () =>
      check(edited(fields => (fields['chain'] = { ...(fields['chain'] as Fields), chainId: 1 })))
    )
    await expectCode('BUNDLE_EVENT', () =>
      check(edited(fields => (fields['anchor'] = { ...(fields['anchor'] as Fields), log: 1 })))
    )
    await expectCode('BUNDLE_RECEIPT', () =>
      check(edited(fields => (fields['anchor'] = { ...(fields['anchor'] as Fields), transaction: 1 })))
    )
    await expectCode('BUNDLE_CONSISTENCY', () => check(edited(fields => (fields['consistency'] = []))))
  })

  it('is refused by a verifier who expects another network, gateway, patient or block', async () => {
    const other = new Uint8Array(32)
    await expectCode('BUNDLE_NETWORK', () => verifyBundle(p, good, { network: other }))
    await expectCode('BUNDLE_GATEWAY', () => verifyBundle(p, good, { gateway: other }))
    await expectCode('BUNDLE_PATIENT', () => verifyBundle(p, good, { patient: other }))
    await expectCode('BUNDLE_BLOCK_UNTRUSTED', () => verifyBundle(p, good, { blockHash: other }))
    const trusted = fromHex(String(vector.verified['blockHash']), 32)
    expect((await verifyBundle(p, good, { blockHash: trusted })).blockConfirmed).to.equal(true)
  })

  it('is refused by a verifier who trusts another contract or chain, and says whether the contract was compared', async () => {
    const { batchAnchors, chainId, contractConfirmed } = await verifyBundle(p, good)
    expect(contractConfirmed).to.equal(false)
    expect((await verifyBundle(p, good, { batchAnchors, chainId })).contractConfirmed).to.equal(true)
    await expectCode('BUNDLE_CONTRACT', () => verifyBundle(p, good, { batchAnchors: new Uint8Array(20), chainId }))
    await expectCode('BUNDLE_CHAIN', () => verifyBundle(p, good, { batchAnchors, chainId: chainId + 1 }))
  })

  it('is refused if it is later than the block, by the block’s time and not by what the gateway says', async () => {
    const { block } = await verifyBundle(p, good)
    const endingAt = (toMs: number): Uint8Array =>
      edited(fields => {
        const header = decodeCanonical(fields['header'] as Uint8Array, { area: 'TEST', maxBytes: 8192 }) as Fields
        fields['header'] = encodeCanonical({ ...header, toMs })
      })
    const latestMs = block.timeS * 1000 + 5 * 60_000
    await expectCode('BUNDLE_TIME', () => verifyBundle(p, endingAt(latestMs + 1)))
    await expectCode('BUNDLE_SIGNATURE', () => verifyBundle(p, endingAt(latestMs)))

    const boundUntil = (notAfter: number): Uint8Array =>
      edited(fields => {
        const { bundle, binding } = decodeEvidence(fields['evidence'] as Uint8Array)
        fields['evidence'] = encodeEvidence({ bundle, binding: { ...binding!, notAfter } })
      })
    // The batch itself ended more than a second before its block.
    await expectCode('BUNDLE_BINDING_EXPIRED', () => verifyBundle(p, boundUntil(block.timeS - 1)))
    await expectCode('BUNDLE_BINDING', () => verifyBundle(p, boundUntil(block.timeS)))
  })
})
