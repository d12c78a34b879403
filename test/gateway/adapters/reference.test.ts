import { readFile, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { parseWfdbHeader } from '#core/signal/wfdb/header.ts'
import { parseAnnotations } from '#core/signal/wfdb/annotations.ts'
import { addToChecksum, MISSING_SAMPLE } from '#core/signal/wfdb/samples.ts'
import { openRecordedFile } from '#gateway/adapters/files/open.ts'
import { openWfdbPart } from '#gateway/adapters/files/wfdb-part.ts'
import { expectCode } from '#test/error-code.ts'
import { referenceData } from '#test/reference-data.ts'

const MISSING_IN_FILE: Readonly<Record<number, number>> = { 212: -2048, 16: -32768, 80: -128, 24: -8388608 }

describe('recordings of the reference data', () => {
  it('WFDB: every record of one piece agrees with the first samples and sums of its header', async function () {
    let signals = 0
    for (const set of ['mitbih', 'wfdb_samples', 'mimic_wfdb/041s', 'mimic_wfdb/p000878', 'mimic_wfdb/s25047']) {
      const folder = referenceData(this, `gateway/${set}`)
      for (const name of (await readdir(folder)).filter(each => each.endsWith('.hea'))) {
        const parsed = parseWfdbHeader(await readFile(join(folder, name), 'latin1'))
        if (parsed.segments.length > 0 || name.includes('layout') || name === '12726.hea') continue
        // The sums were taken over the samples as they lie in the file: before any skew is put right.
        const header = { ...parsed, signals: parsed.signals.map(signal => ({ ...signal, skew: 0 })) }
        const part = await openWfdbPart(folder, header)
        for (const [i, samples] of (await part.read(0, header.frames)).entries()) {
          const { format, initial, checksum } = header.signals[i]!
          const first = samples[0] === MISSING_SAMPLE ? MISSING_IN_FILE[format] : samples[0]
          expect([first, addToChecksum(0, format, samples)], `${name} ${String(i)}`).to.deep.equal([
            initial,
            checksum! & 0xffff
          ])
          signals++
        }
        await part.close()
      }
    }
    expect(signals).to.be.greaterThan(80)
  })

  it('WFDB: gaps and missing segments of longer records are reported', async function () {
    const folder = referenceData(this, 'gateway/mimic_wfdb')
    const cases: [string, number, number][] = [
      ['s25047/s25047-2704-05-04-10-44.hea', 1_132_500, 1],
      ['p000878/p000878-2137-10-26-16-57.hea', 5500, 33],
      ['041s/041s.hea', 32_000, 0]
    ]
    for (const [path, wanted, gaps] of cases) {
      const file = await openRecordedFile(join(folder, path), null)
      let samples = 0
      for await (const moment of file.moments(0)) {
        samples += moment.samples.reduce((sum, each) => sum + each.samples.length, 0)
      }
      await file.close()
      expect([samples, file.gaps.length], path).to.deep.equal([wanted, gaps])
    }
  })

  it('WFDB numerics: 54 of 72 rows hold a value that is none, and heart rates of 0 are kept as they are', async function () {
    const path = join(referenceData(this, 'gateway/mimic_wfdb'), 's25047/s25047-2704-05-04-10-44n.hea')
    const file = await openRecordedFile(path, null)
    let withNone = 0
    let zeros = 0
    for await (const { values } of file.moments(0)) {
      expect(values).to.have.length(7)
      if (values.some(value => value.mantissa == null)) withNone++
      if (values[0]?.mantissa === 0) zeros++
    }
    expect([withNone, zeros]).to.deep.equal([54, 28])
  })

  it('annotations: beats of every record', async function () {
    const folder = referenceData(this, 'gateway/mitbih')
    const beats: Record<string, number> = {}
    for (const name of ['100', '119', '208']) {
      beats[name] = parseAnnotations(await readFile(join(folder, `${name}.atr`))).filter(
        each => each.beat != null
      ).length
    }
    expect(beats).to.deep.equal({ 100: 2273, 119: 1987, 208: 2955 })
  })

  it('EDF+: annotations alone; a file whose bytes were rewritten as text is refused', async function () {
    const data = dirname(referenceData(this, 'gateway/wfdb_samples'))
    const file = await openRecordedFile(join(data, 'wfdb_samples/test_edfann.edf'), null)
    let moments = 0
    for await (const { samples } of file.moments(0)) moments += samples.length + 1
    await file.close()
    expect(moments).to.equal(1)
    await expectCode('EDF_TRAILING', async () => openRecordedFile(join(data, 'eegmmidb/S001R01.edf'), null))
  })

  it('text: each of the sets', async function () {
    const data = dirname(referenceData(this, 'gateway/biosppy'))
    const cases: [string, number, string][] = [
      ['biosppy/ecg.txt', 15_000, '1/1'],
      ['biosppy/acc.txt', 6000, '1/10'],
      ['biosppy/eeg_ec.txt', 38_219, '1/8'],
      ['heartpy/data/data2.csv', 15_000, '29247/250000'],
      ['heartpy/5_noisy_ECG/118e24.csv', 43_200, '9/25'],
      ['bidmc/bidmc_01_Signals.csv.gz', 300_005, '1/8'],
      ['icu2012/samples/132539.txt', 0, '']
    ]
    for (const [path, wanted, rate] of cases) {
      const file = await openRecordedFile(join(data, path), 360)
      let samples = 0
      let found = ''
      for await (const moment of file.moments(0)) {
        for (const each of moment.samples) {
          samples += each.samples.length
          found = `${String(each.channel.rate.samples)}/${String(each.channel.rate.ms)}`
        }
      }
      await file.close()
      expect([samples, found], path).to.deep.equal([wanted, rate])
    }
  })
})
