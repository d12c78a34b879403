import { expect } from 'chai'
import { decideByRole, type CredentialFacts, type RoleQuestion } from '#core/consent/role-rules.ts'
import { ROLE_TEMPLATES } from '#core/consent/role-templates.ts'
import { RIGHT_READ, RIGHT_WRITE } from '#core/grant/terms.ts'

const NOW_S = 1_795_180_000
const RULES = Object.values(ROLE_TEMPLATES)
const HEART_FAILURE = 'http://hl7.org/fhir/sid/icd-10|I50.1'
const BROKEN_ARM = 'http://hl7.org/fhir/sid/icd-10|S42.2'
const holds = (role: number, specialty: number, changes: Partial<CredentialFacts> = {}): CredentialFacts => ({
  role,
  specialty,
  expiresAtS: NOW_S + 1,
  isRevoked: false,
  isOrganisationInForce: true,
  ...changes
})
const cardiologist = holds(1, 4)
const orthopaedist = holds(1, 14)
const nurse = holds(2, 4)

const ask = (credential: CredentialFacts | null, changes: Partial<RoleQuestion> = {}) =>
  decideByRole(RULES, {
    credential,
    isInCareTeam: true,
    conditions: [HEART_FAILURE],
    compartment: 'conditions',
    right: RIGHT_WRITE,
    nowS: NOW_S,
    ...changes
  })

describe('rules for roles', () => {
  it('let a cardiologist write for her patients with heart disease', () => {
    expect(ask(cardiologist)).to.deep.equal({ isAllowed: true, rule: 'cardiologist' })
    expect(ask(cardiologist, { conditions: ['http://snomed.info/sct|84114007'] }).isAllowed).to.equal(true)
  })

  const refused: [string, CredentialFacts | null, Partial<RoleQuestion>, string][] = [
    ['an orthopaedist to write', orthopaedist, {}, 'no-rule-for-specialty'],
    ['an orthopaedist to read', orthopaedist, { right: RIGHT_READ }, 'no-rule-for-specialty'],
    ['a nurse to write', nurse, {}, 'not-this-right'],
    ['a cardiologist without a heart patient', cardiologist, { conditions: [BROKEN_ARM] }, 'not-for-this-condition'],
    ['a cardiologist where nothing is known', cardiologist, { conditions: [] }, 'not-for-this-condition'],
    ['a cardiologist outside the care team', cardiologist, { isInCareTeam: false }, 'not-in-care-team'],
    [
      'a cardiologist in the mental health section',
      cardiologist,
      { compartment: 'mental' },
      'not-this-part-of-the-record'
    ],
    ['a cardiologist whose credential was revoked', holds(1, 4, { isRevoked: true }), {}, 'credential-revoked'],
    ['a cardiologist whose credential has just expired', holds(1, 4, { expiresAtS: NOW_S }), {}, 'credential-expired'],
    [
      'a cardiologist of a suspended hospital',
      holds(1, 4, { isOrganisationInForce: false }),
      {},
      'organisation-not-in-force'
    ],
    [
      'an insurer to read vitals',
      holds(20, 0),
      { compartment: 'vitals', right: RIGHT_READ },
      'not-this-part-of-the-record'
    ],
    [
      'a pharmacist to read labs',
      holds(6, 0),
      { compartment: 'labs', right: RIGHT_READ },
      'not-this-part-of-the-record'
    ],
    ['a role of which no rule speaks', holds(15, 0), {}, 'no-rule-for-role'],
    ['somebody without a credential', null, {}, 'no-credential']
  ]
  for (const [what, credential, changes, because] of refused) {
    it(`do not allow ${what}, and say why`, () => {
      expect(ask(credential, changes)).to.deep.equal({ isAllowed: false, because })
    })
  }

  it('let a nurse read, an insurer see bills, a pharmacist write what is taken', () => {
    expect(ask(nurse, { right: RIGHT_READ }).isAllowed).to.equal(true)
    expect(ask(holds(20, 0), { compartment: 'billing', right: RIGHT_READ }).isAllowed).to.equal(true)
    expect(ask(holds(6, 0), { compartment: 'medications', isInCareTeam: false }).isAllowed).to.equal(true)
    expect(ask(holds(7, 0), { compartment: 'vitals', right: RIGHT_READ }).isAllowed).to.equal(true)
  })

  it('allow nothing where there are none', () => {
    const asked = {
      credential: cardiologist,
      isInCareTeam: true,
      conditions: [],
      compartment: 'vitals',
      right: RIGHT_READ,
      nowS: NOW_S
    } as const
    expect(decideByRole([], asked)).to.deep.equal({ isAllowed: false, because: 'no-rule-for-role' })
  })

  it('are asked for one right at a time', () => {
    expect(() => ask(cardiologist, { right: RIGHT_READ | RIGHT_WRITE })).to.throw(RangeError)
  })

  it('open no section that wants a consent of its own', () => {
    const sensitive = new Set<string>(['mental', 'sexual', 'substance-use', 'genomics'])
    expect(RULES.flatMap(({ compartments }) => compartments.filter(each => sensitive.has(each)))).to.deep.equal([])
  })
})
