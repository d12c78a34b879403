import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { HEART_RATE, OXYGEN_SATURATION, PULSE_RATE, RESPIRATORY_RATE } from '#core/batch/metrics.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { parseExactJson, type ExactNumber } from '#core/fhir/json/exact.ts'
import type { JsonObject } from '#core/fhir/json/parse.ts'
import { createFhirValidator } from '#core/fhir/validate.ts'
import { observationOf } from '#core/fhir/vitals/observation.ts'
import { decimalText, rational, rationalOf } from '#core/fhir/vitals/rational.ts'
import { convert } from '#core/fhir/vitals/units.ts'
import { vitalSignsOf } from '#core/fhir/vitals/vital-signs.ts'
import { expectCode } from '#test/error-code.ts'
import { referenceData } from '#test/reference-data.ts'

const read = (bytes: Uint8Array): string[] =>
  vitalSignsOf(parseExactJson(bytes) as JsonObject).map(
    ({ sign, value }) => `${sign.name} ${decimalText(value, 6)} ${sign.ucum}`
  )
const observation = (code: string, quantity: string, more = ''): Uint8Array =>
  utf8(
    `{"resourceType":"Observation","status":"final",${more}"code":{"coding":[{"system":"http://loinc.org","code":"${code}"}]},` +
      `"valueQuantity":{"system":"http://unitsofmeasure.org",${quantity}}}`
  )

describe('vital signs', () => {
  it('reads the vital signs of US Core', async function () {
    const folder = referenceData(this, 'records/fhir/us-core')
    const expected: Record<string, string[]> = {
      'blood-pressure': ['systolic-pressure 109 mm[Hg]', 'diastolic-pressure 44 mm[Hg]'],
      'Observation-average-blood-pressure': ['systolic-pressure 109 mm[Hg]', 'diastolic-pressure 72 mm[Hg]'],
      'heart-rate': ['heart-rate 44 /min'],
      'respiratory-rate': ['respiratory-rate 26 /min'],
      temperature: ['body-temperature 36.55556 Cel'],
      'oxygen-saturation': ['oxygen-saturation 99 %'],
      'heart-rate-rhythm': []
    }
    for (const [name, signs] of Object.entries(expected)) {
      expect(read(await readFile(join(folder, `${name}.json`))), name).to.deep.equal(signs)
    }
  })

  it('converts units exactly', () => {
    const cases: [string, string, string, string][] = [
      ['98.6', '[degF]', 'Cel', '37'],
      ['100', '[degF]', 'Cel', '37.777778'],
      ['310.15', 'K', 'Cel', '37'],
      ['16', 'kPa', 'mm[Hg]', '120.010201'],
      ['150', '[lb_av]', 'kg', '68.038856'],
      ['5', '[ft_i]', 'cm', '152.4'],
      ['0.98', '1', '%', '98'],
      ['1.25', '/s', '/min', '75'],
      ['72', '{beats}/min', '/min', '72'],
      ['3500', 'g', 'kg', '3.5']
    ]
    for (const [value, from, to, result] of cases) {
      expect(decimalText(convert(rationalOf(value)!, from, to)!, 6), `${value} ${from}`).to.equal(result)
    }
    expect(convert(rational(1n), 'kg', 'cm')).to.equal(undefined)
    expect(convert(rational(1n), 'toString', 'cm')).to.equal(undefined)
  })

  it('takes decimals as they are written, not as doubles', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
        fc.integer({ min: 0, max: 12 }),
        (mantissa, decimals) => {
          const value = rational(mantissa, 10n ** BigInt(decimals))
          expect(rationalOf(decimalText(value, decimals))).to.deep.equal(value)
        }
      )
    )
    expect((parseExactJson(utf8('[1.00]')) as ExactNumber[])[0]?.text).to.equal('1.00')
    expect(rationalOf('1.50e1')).to.deep.equal(rational(15n))
    for (const bad of ['', 'x', '1e99', '1e-99', '0x10', '9'.repeat(50)]) expect(rationalOf(bad)).to.equal(undefined)
    expect([
      decimalText(rational(-1n, 2n), 0),
      decimalText(rational(1n, 3n), 2),
      decimalText(rational(-1n, 1000n), 1)
    ]).to.deep.equal(['-1', '0.33', '0'])
  })

  it('leaves out what has no value that can be charted', () => {
    expect(read(observation('8867-4', '"value":72,"code":"/min"'))).to.have.length(1)
    expect(read(observation('8867-4', '"value":72,"code":"kg"'))).to.have.length(0)
    expect(read(observation('8867-4', '"value":72'))).to.have.length(0)
    expect(read(observation('8867-4', '"value":"72","code":"/min"'))).to.have.length(0)
    expect(read(observation('8867-4', '"value":72,"comparator":"<","code":"/min"'))).to.have.length(0)
    expect(read(observation('1234-5', '"value":72,"code":"/min"'))).to.have.length(0)
    const wrong = Buffer.from(observation('8867-4', '"value":72,"code":"/min"'))
      .toString()
      .replace('final', 'entered-in-error')
    expect(read(utf8(wrong))).to.have.length(0)
  })

  it('writes what gateways measure as FHIR, and reads it back', async () => {
    const validator = await createFhirValidator()
    const cases: [typeof HEART_RATE, number, number, string][] = [
      [HEART_RATE, 72, 0, '"value":72,'],
      [PULSE_RATE, 7250, -2, '"value":72.50,'],
      [OXYGEN_SATURATION, 980, -1, '"value":98.0,'],
      [RESPIRATORY_RATE, 2, 1, '"value":20,'],
      [RESPIRATORY_RATE, 5, -2, '"value":0.05,']
    ]
    for (const [metric, mantissa, exponent, text] of cases) {
      const json = observationOf({ metric, mantissa, exponent, atMs: 0, subject: 'Patient/1' })
      expect(json).to.contain(text)
      expect(validator.check(utf8(json))).to.deep.equal([])
      const [vital] = vitalSignsOf(parseExactJson(utf8(json)) as JsonObject)
      expect(vital?.value).to.deep.equal(rationalOf(`${mantissa}e${exponent}`))
      expect(vital?.span).to.deep.equal({ fromMs: 0, toMs: 1000 })
    }
    const metric = { mdc: 1, loinc: '1-1', ucum: 'm' }
    await expectCode('FHIR_VITAL_UNKNOWN', () =>
      observationOf({ metric, mantissa: 1, exponent: 0, atMs: 0, subject: '' })
    )
  })
})
