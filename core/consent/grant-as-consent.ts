/** A grant told to other systems as a FHIR R4 Consent (docs/specs/consent.md). */
import { toHex } from '#core/encoding/bytes.ts'
import { NO_EXPIRY, RIGHT_READ, RIGHT_WRITE, type Terms } from '#core/grant/terms.ts'
import type { Compartment } from '#core/record/compartment.ts'

/** Code system of compartments; a UUID needs nobody's domain. */
export const COMPARTMENT_SYSTEM = 'urn:uuid:5b1f6c56-4a5e-4c6e-9a39-0d6d2f6c7b11'
/** Namespace of the ids of grants. */
export const GRANT_SYSTEM = 'urn:uuid:3f0c7c1e-2f8f-4b61-8d0c-6a9d7f1f0a42'
const ACT_REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason'
const CONSENT_ACTION = 'http://terminology.hl7.org/CodeSystem/consentaction'

/** What is told of a grant. References are local to the document they go into. */
export interface GrantAsConsent {
  /** 32 bytes. */
  readonly grantId: Uint8Array
  readonly terms: Terms
  readonly compartments: readonly Compartment[]
  /** A code of ActReason, or words. */
  readonly purpose: string
  readonly patientReference: string
  readonly granteeReference: string
  readonly isRevoked: boolean
  /** When it was given, seconds since 1970-01-01. */
  readonly grantedAtS: number
}

/** The Consent resource of a grant: what it names is permitted, all else is not. */
export function consentOfGrant(grant: GrantAsConsent): Record<string, unknown> {
  const { terms, compartments, purpose } = grant
  const actions = [
    ...((terms.rights & RIGHT_READ) === 0 ? [] : ['access']),
    ...((terms.rights & RIGHT_WRITE) === 0 ? [] : ['correct'])
  ]
  const isCode = /^[A-Z]{3,10}$/.test(purpose)
  return {
    resourceType: 'Consent',
    identifier: [{ system: GRANT_SYSTEM, value: toHex(grant.grantId) }],
    status: grant.isRevoked ? 'inactive' : 'active',
    scope: coded('http://terminology.hl7.org/CodeSystem/consentscope', 'patient-privacy'),
    category: [coded('http://loinc.org', '59284-0')],
    patient: { reference: grant.patientReference },
    dateTime: isoOf(grant.grantedAtS),
    performer: [{ reference: grant.patientReference }],
    policyRule: coded('http://terminology.hl7.org/CodeSystem/v3-ActCode', 'OPTIN'),
    provision: {
      type: 'deny',
      provision: [
        {
          type: 'permit',
          period: {
            start: isoOf(terms.notBefore),
            // A FHIR period holds its end, a grant does not.
            ...(terms.expiresAt === NO_EXPIRY ? {} : { end: isoOf(terms.expiresAt - 0.001) })
          },
          actor: [
            {
              role: coded('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP'),
              reference: { reference: grant.granteeReference }
            }
          ],
          action: actions.map(code => coded(CONSENT_ACTION, code)),
          ...(isCode ? { purpose: [{ system: ACT_REASON, code: purpose }] } : {}),
          securityLabel: compartments.map(code => ({ system: COMPARTMENT_SYSTEM, code }))
        }
      ]
    }
  }
}

function coded(system: string, code: string): { coding: [{ system: string; code: string }] } {
  return { coding: [{ system, code }] }
}

function isoOf(timeS: number): string {
  return new Date(timeS * 1000).toISOString()
}
