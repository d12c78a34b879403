import { expect } from 'chai'
import { decide } from '#core/consent/decide.ts'
import { readFhirConsent } from '#core/consent/fhir-consent.ts'
import { expectCode } from '#test/error-code.ts'

const consent = (provision: unknown, rest: object = {}): unknown => ({
  resourceType: 'Consent',
  status: 'active',
  provision,
  ...rest
})

describe('reading a FHIR Consent', () => {
  it('reads every criterion', () => {
    const code = (system: string, value: string) => ({ coding: [{ system, code: value }] })
    const { root } = readFhirConsent(
      consent({
        type: 'permit',
        period: { start: '2026-01-01', end: '2026-12-31T10:00:00Z' },
        actor: [{ role: {}, reference: { reference: 'Group/team' } }],
        action: [code('http://terminology.hl7.org/CodeSystem/consentaction', 'access')],
        securityLabel: [{ code: 'N' }],
        purpose: [{ code: 'TREAT' }],
        class: [{ code: 'Observation' }],
        code: [code('http://loinc.org', '8867-4')],
        dataPeriod: { start: '2020' },
        data: [{ meaning: 'related', reference: { reference: 'Encounter/1' } }],
        provision: [{ type: 'deny', securityLabel: [{ code: 'R' }] }]
      }),
      reference => (reference === 'Group/team' ? ['Practitioner/1'] : [])
    )
    expect(root).to.deep.include({
      effect: 'permit',
      period: { start: '2026-01-01', end: '2026-12-31T10:00:00Z' },
      actors: ['Group/team', 'Practitioner/1'],
      actions: ['access'],
      labels: ['N'],
      purposes: ['TREAT'],
      types: ['Observation'],
      codes: ['http://loinc.org|8867-4'],
      dataPeriod: { start: '2020', end: null },
      data: [{ meaning: 'related', reference: 'Encounter/1' }]
    })
    expect(root.exceptions).to.have.lengthOf(1)
  })

  it('permits nothing by a consent without a rule, or one that is a draft', () => {
    const asked = { actors: [], purpose: 'TREAT', action: 'access', at: '2026-01-01' } as const
    const resource = { reference: 'Observation/1', labels: [], date: null, author: null, encounter: null, codes: [] }
    const decided = (read: unknown) => decide(readFhirConsent(read), asked, resource).isPermitted
    expect(decided(consent(undefined))).to.equal(false)
    expect(decided(consent({}))).to.equal(false)
    expect(decided(consent({ type: 'permit' }, { status: 'draft' }))).to.equal(false)
    expect(decided(consent({ type: 'permit' }))).to.equal(true)
  })

  const nested = (depth: number): unknown =>
    depth === 0 ? { type: 'deny' } : { type: 'deny', provision: [nested(depth - 1)] }
  const shapes: [string, unknown][] = [
    ['is another resource', { resourceType: 'Patient' }],
    ['is no object', 'Consent'],
    ['is null', null],
    ['has a list as a rule', consent([])],
    ['is nested too deep', consent(nested(8))],
    ['has an exception that neither permits nor denies', consent({ type: 'permit', provision: [{}] })],
    ['has another effect', consent({ type: 'maybe' })],
    ['has an empty list of purposes', consent({ type: 'permit', purpose: [] })],
    ['has a purpose without a code', consent({ type: 'permit', purpose: [{ system: 'x' }] })],
    ['has a text as a list', consent({ type: 'permit', purpose: 'TREAT' })],
    [
      'has too many labels',
      consent({ type: 'permit', securityLabel: Array.from({ length: 1025 }, () => ({ code: 'N' })) })
    ],
    ['has a date that is none', consent({ type: 'permit', period: { start: 'soon' } })],
    ['has a day that is none', consent({ type: 'permit', dataPeriod: { end: '2026-13-01' } })]
  ]
  for (const [what, value] of shapes) {
    it(`refuses one that ${what}`, async () => {
      await expectCode('FHIR_CONSENT_SHAPE', () => readFhirConsent(value))
    })
  }

  const unknowns: [string, unknown][] = [
    ['a field it does not know', consent({ type: 'permit', dose: 1 })],
    ['an extension that may change its meaning', consent({ type: 'permit' }, { modifierExtension: [{}] })],
    ['an extension in a rule', consent({ type: 'permit', extension: [{}] })],
    [
      'a meaning it does not know',
      consent({ type: 'permit', data: [{ meaning: 'near', reference: { reference: 'A/1' } }] })
    ],
    ['an actor without a reference', consent({ type: 'permit', actor: [{ role: {}, reference: { display: 'Dr X' } }] })]
  ]
  for (const [what, value] of unknowns) {
    it(`refuses one with ${what}: read in part, it would permit too much`, async () => {
      await expectCode('FHIR_CONSENT_UNKNOWN', () => readFhirConsent(value))
    })
  }
})
