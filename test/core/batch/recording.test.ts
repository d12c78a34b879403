import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { utf8 } from '#core/encoding/bytes.ts'
import { HEART_RATE, OXYGEN_SATURATION, PULSE_RATE, RESPIRATORY_RATE } from '#core/batch/metrics.ts'
import { MAX_RECORDING_BYTES, parseRecording } from '#core/batch/recording.ts'
import { expectCode } from '#test/error-code.ts'
import { referenceData } from '#test/reference-data.ts'

const HEADER = 'Time [s], HR, PULSE, RESP, SpO2\n'
const parse = (text: string): ReturnType<typeof parseRecording> => parseRecording(utf8(text))

describe('recording of monitor numerics', () => {
  it('reads padded headers, NaN, negative and minus-zero times', () => {
    const { columns, rows } = parse(`${HEADER}-1,94,93,NaN,97\n-0, 94 ,93,25,97.5\r\n1.5,94,93,25,NaN\n`)
    expect(columns.map(c => [c.metric, c.exponent])).to.deep.equal([
      [HEART_RATE, 0],
      [PULSE_RATE, 0],
      [RESPIRATORY_RATE, 0],
      [OXYGEN_SATURATION, -1]
    ])
    expect(rows).to.deep.equal([
      { timeMs: -1000, values: [94, 93, null, 970] },
      { timeMs: 0, values: [94, 93, 25, 975] },
      { timeMs: 1500, values: [94, 93, 25, null] }
    ])
  })

  it('refuses each kind of damage with its own code', async () => {
    const cases: [string, string][] = [
      ['RECORDING_TRUNCATED', ''],
      ['RECORDING_TRUNCATED', `${HEADER}0,94,93,25,9`],
      ['RECORDING_TRUNCATED', `${HEADER}0,94,93\n`],
      ['RECORDING_TRAILING', `${HEADER}0,94,93,25,97,1\n`],
      ['RECORDING_DUPLICATE_KEY', 'Time [s], HR, HR\n'],
      ['RECORDING_COLUMN', 'Time [s], NAME\n'],
      ['RECORDING_COLUMN', 'HR, Time [s]\n'],
      ['RECORDING_COLUMN', 'Time [s]\n'],
      ['RECORDING_NUMBER', `${HEADER}0,94,x,25,97\n`],
      ['RECORDING_NUMBER', `${HEADER}0,94,1e9,25,97\n`],
      ['RECORDING_NUMBER', `${HEADER}0,,93,25,97\n`],
      ['RECORDING_NUMBER', `${HEADER}0.00001,94,93,25,97\n`],
      ['RECORDING_ORDER', `${HEADER}1,94,93,25,97\n1,94,93,25,97\n`],
      ['RECORDING_MALFORMED', `${HEADER}0,94,93,25,9\u00e9\n`],
      ['RECORDING_MALFORMED', `${HEADER}${'9'.repeat(2000)}\n`]
    ]
    for (const [code, text] of cases) await expectCode(code, () => parse(text))
    await expectCode('RECORDING_OVERSIZE', () => parseRecording(new Uint8Array(MAX_RECORDING_BYTES + 1)))
  })

  it('reads every recording of the reference data', async function () {
    const directory = referenceData(this, 'gateway/bidmc')
    const names = (await readdir(directory)).filter(name => name.endsWith('_Numerics.csv'))
    expect(names).to.have.length(35)
    for (const name of names) {
      const { columns, rows } = parseRecording(await readFile(join(directory, name)))
      expect(columns, name).to.have.length(4)
      expect(rows, name).to.have.length(481)
    }
  })
})
