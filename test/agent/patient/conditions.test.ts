import { expect } from 'chai'
import { conditionCodes } from '#agent/patient/conditions.ts'

const ICD_10 = 'http://hl7.org/fhir/sid/icd-10'
const condition = (more: object): string =>
  JSON.stringify({ resourceType: 'Condition', code: { coding: [{ system: ICD_10, code: 'I50' }] }, ...more })
const status = (code: string) => ({ coding: [{ code }] })

describe('what a patient has, by its record', () => {
  it('is what is active and not refuted', () => {
    expect(conditionCodes(condition({}))).to.deep.equal([`${ICD_10}|I50`])
    for (const code of ['active', 'recurrence', 'relapse']) {
      expect(conditionCodes(condition({ clinicalStatus: status(code) }))).to.have.lengthOf(1)
    }
    for (const code of ['inactive', 'remission', 'resolved', 'ACTIVE', '__proto__']) {
      expect(conditionCodes(condition({ clinicalStatus: status(code) }))).to.have.lengthOf(0)
    }
    for (const code of ['refuted', 'entered-in-error']) {
      expect(conditionCodes(condition({ verificationStatus: status(code) }))).to.have.lengthOf(0)
    }
  })

  it('is nothing where the text is something else', () => {
    const hostile = [
      '',
      'null',
      '[]',
      '7',
      '{"resourceType":"Observation"}',
      '{"resourceType":"Condition","code":{"coding":[null,7,{"system":1,"code":2}]}}',
      '{"resourceType":"Condition","code":null,"clinicalStatus":7}',
      '{"__proto__":{"resourceType":"Condition"}}',
      '['.repeat(100_000)
    ]
    for (const text of hostile) expect(conditionCodes(text)).to.deep.equal([])
  })
})
