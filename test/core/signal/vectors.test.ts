import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { fromHex } from '#core/encoding/bytes.ts'
import { unpackSamples } from '#core/signal/sample-code.ts'
import { decodeSegment, type WaveformSegment } from '#core/signal/segment.ts'
import { decodeRun } from '#core/signal/waveform-run.ts'
import { signalVectors } from '#scripts/vectors/signal-vectors.ts'
import { expectCode } from '#test/error-code.ts'

interface WaveformVectors {
  readonly coded: readonly { readonly name: string; readonly samples: number[]; readonly bytes: string }[]
  readonly segments: readonly { readonly segment: WaveformSegment; readonly bytes: string }[]
  readonly run: string
  readonly invalid: readonly { readonly name: string; readonly bytes: string; readonly code: string }[]
}

const committed = JSON.parse(
  readFileSync(new URL('../../vectors/waveform.json', import.meta.url), 'utf8')
) as WaveformVectors

describe('the published vectors of waveforms', () => {
  it('are what the code makes', () => {
    expect(JSON.parse(JSON.stringify(signalVectors()['waveform']))).to.deep.equal(committed)
  })

  it('are read as they say', () => {
    for (const { name, samples, bytes } of committed.coded) {
      expect(unpackSamples(fromHex(bytes), samples.length), name).to.deep.equal(samples)
    }
    for (const { segment, bytes } of committed.segments) expect(decodeSegment(fromHex(bytes))).to.deep.equal(segment)
    expect(decodeRun(fromHex(committed.run))).to.deep.equal(committed.segments.map(({ segment }) => segment))
  })

  it('are refused, where bad, with the code they name', async () => {
    for (const { bytes, code } of committed.invalid) await expectCode(code, () => decodeRun(fromHex(bytes)))
  })
})
