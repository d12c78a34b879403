import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { fromHex, utf8 } from '#core/encoding/bytes.ts'
import { decodeBatch } from '#core/batch/batch.ts'
import { decodeBundle } from '#core/batch/bundle.ts'
import { decodeHeader } from '#core/batch/header.ts'
import { decodeReading, encodeReading } from '#core/batch/reading.ts'
import { parseRecording } from '#core/batch/recording.ts'
import { verifyBundle } from '#core/batch/verify.ts'
import { readBlockHeader } from '#core/proof/block.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { syntheticRecording } from '#scripts/synthetic/recording.ts'
import { SIGN_KEY, someBatches, someReadings } from '#test/core/batch/fixtures.ts'
import { survivesMutations } from '#test/mutations.ts'

const { bundle: hex } = JSON.parse(await readFile(new URL('../../vectors/bundle.json', import.meta.url), 'utf8')) as {
  bundle: string
}

describe('decoders of readings, batches, bundles and recordings under 10^5 mutations', function () {
  this.timeout(120_000)
  const {
    bytes: batch,
    batch: { signed }
  } = someBatches([3, 6]).built[1]!
  const bundle = fromHex(hex)

  it('readings end in a reading or a SalusError', async () => {
    const { refused } = await survivesMutations(
      encodeReading(someReadings(1)[0]!),
      { seed: 'reading', count: 20_000 },
      decodeReading
    )
    expect(Object.keys(refused)).to.include.members(['READING_SHAPE', 'READING_TRUNCATED', 'READING_TRAILING'])
  })

  it('batch headers and batches never come back changed', async () => {
    await survivesMutations(signed.bytes, { seed: 'header', count: 20_000 }, decodeHeader)
    const { refused } = await survivesMutations(batch, { seed: 'batch', count: 5_000 }, bytes =>
      decodeBatch(p, bytes, SIGN_KEY)
    )
    expect(Object.keys(refused)).to.include.members(['BATCH_SIGNATURE', 'BATCH_ROOT', 'BATCH_TRUNCATED'])
  })

  it('bundles never verify once they are changed', async () => {
    await survivesMutations(bundle, { seed: 'bundle form', count: 15_000 }, decodeBundle)
    let unchanged = 0
    const { accepted } = await survivesMutations(bundle, { seed: 'bundle', count: 5_000 }, bytes => {
      // A mutation may put the same bytes back.
      if (Buffer.from(bytes).equals(bundle)) unchanged++
      return verifyBundle(p, bytes)
    })
    expect(accepted).to.equal(unchanged)
  })

  it('block headers end in facts or none', async () => {
    await survivesMutations(bundle.subarray(0, 900), { seed: 'block', count: 5_000 }, readBlockHeader)
  })

  it('recordings end in rows or a SalusError', async () => {
    const text = utf8(syntheticRecording({ seconds: 12, seed: 1 }))
    const { refused } = await survivesMutations(text, { seed: 'recording', count: 35_000 }, parseRecording)
    expect(Object.keys(refused)).to.include.members(['RECORDING_TRUNCATED', 'RECORDING_NUMBER', 'RECORDING_MALFORMED'])
  })
})
