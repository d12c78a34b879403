import { expect } from 'chai'
import fc from 'fast-check'
import { isSalusError } from '#core/error.ts'
import { edfHeaderBytes, parseEdfHeader } from '#core/signal/edf/header.ts'
import { readEdfRecord } from '#core/signal/edf/record.ts'
import { parseStay } from '#core/signal/icu-text.ts'
import { rateOfText, readTextHeader, readTextRow, scaleOfText } from '#core/signal/text-signals.ts'
import { parseAnnotations } from '#core/signal/wfdb/annotations.ts'
import { parseWfdbHeader } from '#core/signal/wfdb/header.ts'
import { addToChecksum, bytesOfSamples, MISSING_SAMPLE, readSamples } from '#core/signal/wfdb/samples.ts'
import { as212, edfHeader, talBytes } from '#test/gateway/adapters/made-up.ts'
import { expectCode } from '#test/error-code.ts'

/** Runs a parser that may refuse, but by a code only. */
function orRefused(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    if (!isSalusError(error)) throw error
  }
}

const word = (code: number, interval: number): number[] => {
  const value = (code << 10) | interval
  return [value & 0xff, value >> 8]
}

describe('WFDB', () => {
  it('reads what a header can hold', () => {
    const header = parseWfdbHeader(
      '# before\r\nr_1 2 250/24000(5) 100 12:00:00 01/01/2000\nr.dat 212x4:3+24 1.052e+04(-7)/mV 12 0 5 -6 0 MLII of a lead\nr.dat 16 0 16 1024\n# age 80\n'
    )
    expect(header.rate).to.deep.equal({ samples: 1, ms: 4 })
    expect(header.signals[0]).to.deep.include({
      format: 212,
      samplesPerFrame: 4,
      skew: 3,
      byteOffset: 24,
      initial: 5,
      checksum: -6
    })
    expect(header.signals[0]).to.deep.include({
      scale: { factor: 1, offset: 7, divisor: 10520 },
      label: 'MLII of a lead'
    })
    expect(header.signals[1]).to.deep.include({
      scale: { factor: 1, offset: -1024, divisor: 200 },
      units: 'mV',
      checksum: null
    })
    const long = parseWfdbHeader('l/3 2 0.0166666666667\nl_layout 0\n~ 5\nl_1 7\n')
    expect(long.rate).to.deep.equal({ samples: 1, ms: 60_000 })
    expect(long.segments).to.deep.equal([
      { name: 'l_layout', frames: 0 },
      { name: null, frames: 5 },
      { name: 'l_1', frames: 7 }
    ])
  })

  it('reads pairs of 12 bits, an odd one at the end too, and their sum', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -2047, max: 2047 }), { maxLength: 31 }), samples => {
        const bytes = as212(samples)
        expect([...readSamples(212, bytes, samples.length)]).to.deep.equal(samples)
        expect(bytesOfSamples(212, samples.length)).to.be.at.most(bytes.length)
        expect(addToChecksum(0, 212, samples)).to.equal(samples.reduce((sum, each) => sum + each, 0) & 0xffff)
      })
    )
    expect([...readSamples(212, as212([-2048, 5]), 3)]).to.deep.equal([MISSING_SAMPLE, 5, MISSING_SAMPLE])
  })

  it('reads annotations: beats, skips, notes, and what is beside them', async () => {
    const bytes = [...word(1, 18), ...word(62, 1), ...word(59, 0), 1, 0, 0, 0, ...word(5, 2), ...word(28, 3)]
    bytes.push(...word(63, 3), 0x28, 0x56, 0x54, 0, 0, 0)
    expect(parseAnnotations(Uint8Array.from(bytes))).to.deep.equal([
      { sample: 18, code: 1, beat: 'N', note: '' },
      { sample: 18 + 65_536 + 2, code: 5, beat: 'V', note: '' },
      { sample: 18 + 65_536 + 5, code: 28, beat: null, note: '(VT' }
    ])
    await expectCode('WFDB_ANNOTATIONS', () => parseAnnotations(Uint8Array.from(word(1, 5))))
  })

  it('refuses hostile headers and annotations by a code only', () => {
    const line = fc.stringMatching(/^[a-z0-9 .:/()x+~#-]{0,40}$/)
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), lines => orRefused(() => parseWfdbHeader(lines.join('\n')))),
      { numRuns: 3000 }
    )
    const good = 'r 1 360 650000\nr.dat 212x2:1+3 200(1024)/mV 11 1024 995 -22131 0 MLII\n'
    const change = fc.tuple(fc.nat(good.length), fc.stringMatching(/^[ -~]{0,6}$/))
    fc.assert(
      fc.property(change, ([at, text]) =>
        orRefused(() => parseWfdbHeader(good.slice(0, at) + text + good.slice(at + text.length)))
      ),
      { numRuns: 3000 }
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => orRefused(() => parseAnnotations(bytes))),
      { numRuns: 3000 }
    )
  })
})

describe('EDF', () => {
  const SIGNALS = [
    { label: 'EEG Fpz-Cz', samples: 3, from: '-192.5', to: '192', low: -2048, high: 2047 },
    { label: 'EDF Annotations', samples: 10 }
  ]
  const HEADER = edfHeader(SIGNALS, { records: 1, seconds: 1 })
  const BODY = [0x01, 0x00, 0xff, 0xff, 0x00, 0x80, ...talBytes('+1.5\x14\x14\0-2\x14hello\x14\0', 20)]

  it('reads samples, texts, and the scale to the last digit', () => {
    const header = parseEdfHeader(HEADER)
    expect(edfHeaderBytes(HEADER)).to.equal(HEADER.length)
    const { samples, onsetMs, annotations } = readEdfRecord(header, Uint8Array.from(BODY))
    expect([...(samples[0] ?? [])]).to.deep.equal([1, -1, -32768])
    expect([onsetMs, annotations]).to.deep.equal([1500, [{ onsetMs: -2000, text: 'hello' }]])
    const { factor, offset, divisor } = header.signals[0]!.scale
    expect((-2048 * factor + offset) / divisor).to.equal(-192.5)
    expect((2047 * factor + offset) / divisor).to.equal(192)
  })

  it('refuses a text without time or end', async () => {
    const header = parseEdfHeader(HEADER)
    const tal = (text: string): Uint8Array => Uint8Array.from([...BODY.slice(0, 6), ...talBytes(text, 20)])
    for (const text of ['x\x14\x14\0', '+1\x14note', '1\x14\x14\0', '+1\x14\x14' + 'x'.repeat(20)]) {
      await expectCode('EDF_RECORD', () => readEdfRecord(header, tal(text)))
    }
    await expectCode('EDF_RECORD', () => readEdfRecord(header, tal('').subarray(1)))
  })

  it('refuses hostile headers and records by a code only', () => {
    const change = fc.tuple(fc.nat(HEADER.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), changes => {
        const bytes = Uint8Array.from(HEADER)
        for (const [at, byte] of changes) bytes[at] = byte
        orRefused(() => parseEdfHeader(bytes))
      }),
      { numRuns: 3000 }
    )
    const header = parseEdfHeader(HEADER)
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 26, maxLength: 26 }), bytes =>
        orRefused(() => readEdfRecord(header, bytes))
      ),
      { numRuns: 3000 }
    )
  })
})

describe('text', () => {
  it('reads names, clock, rate and decimals', () => {
    const lines = ['timer,hr,NaNs', '0,1.5,2', '8.5,NaN,-0.25', '17,3,4']
    const header = readTextHeader(lines)
    expect(header).to.deep.include({ lines: 1, labels: ['hr', 'NaNs'], clock: { column: 0, ms: 1 } })
    const scale = scaleOfText(header, lines.slice(1))
    expect(scale.divisor).to.equal(100)
    expect(readTextRow(header, lines[2]!, scale)).to.deep.equal([MISSING_SAMPLE, -25])
    expect(rateOfText(header, lines.slice(1), null)).to.deep.equal({ samples: 117647, ms: 1_000_000 })
  })

  it('refuses hostile text by a code only', () => {
    const line = fc.stringMatching(/^[0-9a-zA-Z,.:=\t #-]{0,40}$/)
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), lines =>
        orRefused(() => {
          const header = readTextHeader(lines)
          const rows = lines.slice(header.lines)
          rateOfText(header, rows, 100)
          const scale = scaleOfText(header, rows)
          for (const row of rows) readTextRow(header, row, scale)
        })
      ),
      { numRuns: 3000 }
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), lines =>
        orRefused(() => parseStay(['Time,Parameter,Value', ...lines, ''].join('\n')))
      ),
      { numRuns: 2000 }
    )
  })

  it('takes oxygen as per cent and leaves out who it was', () => {
    const stay = parseStay('Time,Parameter,Value\n00:00,Age,54\n00:00,Weight,-1\n00:07,FiO2,0.4\n47:59,HR,0\n')
    expect(stay.others).to.equal(2)
    expect(stay.values.map(v => [v.timeMs, v.metric.loinc, v.mantissa, v.exponent])).to.deep.equal([
      [420_000, '3150-6', 4000, -2],
      [172_740_000, '8867-4', 0, -2]
    ])
  })
})
