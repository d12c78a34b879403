import { expect } from 'chai'
import fc from 'fast-check'
import { decide, decideByAll } from '#core/consent/decide.ts'
import { isWithin } from '#core/consent/period.ts'
import type { AccessAsked, ConsentPolicy, Provision, ResourceFacts } from '#core/consent/policy.ts'

const OPEN: Provision = {
  effect: 'permit',
  period: null,
  purposes: [],
  actors: [],
  actions: [],
  labels: [],
  types: [],
  codes: [],
  dataPeriod: null,
  data: [],
  exceptions: []
}
const ASKED: AccessAsked = { actors: ['Practitioner/1'], purpose: 'TREAT', action: 'access', at: '2026-05-05' }
const RESOURCE: ResourceFacts = {
  reference: 'Observation/1',
  labels: ['N'],
  date: '2026-01-01',
  author: 'Practitioner/2',
  encounter: 'Encounter/1',
  codes: ['http://loinc.org|8867-4']
}
const policy = (root: Partial<Provision>, isActive = true): ConsentPolicy => ({ isActive, root: { ...OPEN, ...root } })
const rule = (changes: Partial<Provision>): Provision => ({ ...OPEN, ...changes })
const year = (number: number) => ({ start: String(number), end: String(number) })

describe('deciding by a consent', () => {
  it('takes a date that nobody can read for one that is not known: rules that deny hold, rules that permit do not', () => {
    for (const date of ['20260101', '2026-13-01', '2026-02-30', '2026-00', '2026-01-01Tnoon', 'tomorrow', null]) {
      const resource = { ...RESOURCE, date }
      const denied = policy({ exceptions: [rule({ effect: 'deny', dataPeriod: year(2026) })] })
      expect(decide(denied, ASKED, resource).isPermitted, String(date)).to.equal(false)
      expect(decide(policy({ dataPeriod: year(2026) }), ASKED, resource).isPermitted, String(date)).to.equal(false)
    }
  })

  const criteria: [string, Partial<Provision>, Partial<Provision>][] = [
    ['who asks', { actors: ['Practitioner/1'] }, { actors: ['Practitioner/9'] }],
    ['what for', { purposes: ['HPAYMT', 'TREAT'] }, { purposes: ['HRESCH'] }],
    ['reading or writing', { actions: ['access'] }, { actions: ['correct'] }],
    ['the label', { labels: ['N', 'R'] }, { labels: ['R'] }],
    ['the type', { types: ['Observation'] }, { types: ['Condition'] }],
    ['what it is', { codes: ['http://loinc.org|8867-4'] }, { codes: ['http://snomed.info/sct|8867-4'] }],
    ['when it was', { dataPeriod: year(2026) }, { dataPeriod: year(2025) }],
    [
      'which it is',
      { data: [{ meaning: 'instance', reference: 'Observation/1' }] },
      { data: [{ meaning: 'instance', reference: 'Observation/11' }] }
    ],
    [
      'who wrote it',
      { data: [{ meaning: 'authoredby', reference: 'Practitioner/2' }] },
      { data: [{ meaning: 'authoredby', reference: 'Practitioner/1' }] }
    ],
    [
      'the visit',
      { data: [{ meaning: 'related', reference: 'Encounter/1' }] },
      { data: [{ meaning: 'dependents', reference: 'Encounter/2' }] }
    ]
  ]
  for (const [what, met, unmet] of criteria) {
    it(`permits by ${what}, and denies what the rule does not speak of`, () => {
      expect(decide(policy(met), ASKED, RESOURCE)).to.deep.equal({ isPermitted: true, reason: 'root-permit', rule: [] })
      expect(decide(policy(unmet), ASKED, RESOURCE).reason).to.equal('default-deny')
    })

    it(`takes an exception by ${what} out of what is permitted, and lets one back in`, () => {
      const denied = policy({ exceptions: [rule({ ...unmet, effect: 'deny' }), rule({ ...met, effect: 'deny' })] })
      expect(decide(denied, ASKED, RESOURCE)).to.deep.equal({ isPermitted: false, reason: 'exception-deny', rule: [1] })
      const inner = rule({ ...met, effect: 'deny', exceptions: [rule({ ...met })] })
      const again = policy({ exceptions: [inner] })
      expect(decide(again, ASKED, RESOURCE)).to.deep.equal({
        isPermitted: true,
        reason: 'exception-permit',
        rule: [0, 0]
      })
    })
  }

  it('lets one that denies win among exceptions, in any order', () => {
    const both = [rule({}), rule({ effect: 'deny' })]
    for (const exceptions of [both, both.toReversed()]) {
      expect(decide(policy({ exceptions }), ASKED, RESOURCE).isPermitted).to.equal(false)
    }
  })

  it('lets an exception that names no purpose be for those of its rule only', () => {
    const consent = policy({ purposes: ['TREAT'], labels: ['N'], exceptions: [rule({ labels: ['R'] })] })
    const restricted = { ...RESOURCE, labels: ['R'] }
    expect(decide(consent, ASKED, restricted).isPermitted).to.equal(true)
    expect(decide(consent, { ...ASKED, purpose: 'HRESCH' }, restricted).isPermitted).to.equal(false)
  })

  it('permits nothing by a consent that is not active, or not yet, or no longer', () => {
    const none = { isPermitted: false, reason: 'no-active-consent', rule: [] }
    expect(decide(policy({}, false), ASKED, RESOURCE)).to.deep.equal(none)
    expect(decide(policy({ period: { start: '2026-05-06', end: null } }), ASKED, RESOURCE)).to.deep.equal(none)
    expect(decide(policy({ period: { start: null, end: '2026-05-04' } }), ASKED, RESOURCE)).to.deep.equal(none)
    expect(
      decide(policy({ period: { start: '2026-05-05', end: '2026-05-05' } }), ASKED, RESOURCE).isPermitted
    ).to.equal(true)
  })

  it('lets what is not known of a resource speak for a rule that denies, and against one that permits', () => {
    const unknown = { ...RESOURCE, date: null, author: null }
    for (const criterion of [
      { dataPeriod: year(1999) },
      { data: [{ meaning: 'authoredby', reference: 'Practitioner/2' }] as const }
    ]) {
      expect(decide(policy(criterion), ASKED, unknown).isPermitted).to.equal(false)
      expect(
        decide(policy({ exceptions: [rule({ ...criterion, effect: 'deny' })] }), ASKED, unknown).isPermitted
      ).to.equal(false)
    }
  })

  it('denies by any of several consents that denies, and does not count one that is silent', () => {
    const silent = policy({ purposes: ['HRESCH'] })
    const past = policy({ effect: 'deny', period: year(2020) })
    expect(decideByAll([silent, policy({}), past], ASKED, RESOURCE)).to.include({ isPermitted: true, policy: 1 })
    expect(decideByAll([policy({}), policy({ effect: 'deny' })], ASKED, RESOURCE)).to.include({
      isPermitted: false,
      policy: 1
    })
    expect(decideByAll([silent], ASKED, RESOURCE)).to.include({ isPermitted: false, policy: null })
    expect(decideByAll([], ASKED, RESOURCE).reason).to.equal('default-deny')
  })

  it('never permits more for one more exception that denies, or for one more consent that denies', () => {
    const ruleOf = (depth: number): fc.Arbitrary<Provision> =>
      fc
        .record({
          effect: fc.constantFrom('permit', 'deny'),
          purposes: fc.subarray(['TREAT', 'HRESCH']),
          actors: fc.subarray(['Practitioner/1', 'Practitioner/9']),
          labels: fc.subarray(['N', 'R']),
          exceptions: depth === 0 ? fc.constant([]) : fc.array(ruleOf(depth - 1), { maxLength: 2 })
        })
        .map(changes => rule(changes))
    const provisions = ruleOf(2)
    fc.assert(
      fc.property(provisions, provisions, (root, other) => {
        const before = decide({ isActive: true, root }, ASKED, RESOURCE).isPermitted
        const deny = rule({ effect: 'deny', labels: other.labels, actors: other.actors })
        const after = decide(
          { isActive: true, root: { ...root, exceptions: [...root.exceptions, deny] } },
          ASKED,
          RESOURCE
        )
        if (!before) expect(after.isPermitted).to.equal(false)
        const both = decideByAll(
          [
            { isActive: true, root },
            { isActive: true, root: deny }
          ],
          ASKED,
          RESOURCE
        )
        if (!before) expect(both.isPermitted).to.equal(false)
      })
    )
  })

  it('compares times at the precision in which they are given', () => {
    const rows: [string, string | null, string | null, boolean][] = [
      ['2022-12-31T23:59:59Z', null, '2022-12-31', true],
      ['2023-01-01T00:00:00Z', null, '2022-12-31', false],
      ['2023-01-01T01:00:00+02:00', null, '2022', true],
      ['2022', '2022-06-01', '2022-06-30', true],
      ['2022-02', '2022-02-28', '2022-03-01', true],
      ['2022-01', '2022-02-01', null, false],
      ['1999-12', '1999-12-31', '1999-12-31', true],
      ['yesterday', '2022-02-01', null, false],
      ['yesterday', null, null, true]
    ]
    for (const [time, start, end, expected] of rows) expect(isWithin(time, { start, end }), time).to.equal(expected)
  })
})
