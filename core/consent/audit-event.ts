/** An access told to other systems as a FHIR R4 AuditEvent (docs/specs/consent.md). */
import { GRANT_SYSTEM } from '#core/consent/grant-as-consent.ts'
import { toHex } from '#core/encoding/bytes.ts'

const DICOM = 'http://dicom.nema.org/resources/ontology/DCM'
const REST = 'http://terminology.hl7.org/CodeSystem/restful-interaction'
const ACT_REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason'
const OBJECT_ROLE = 'http://terminology.hl7.org/CodeSystem/object-role'

/** What happened. */
export type AuditedAction =
  | 'read'
  | 'write'
  /** Keys were handed to the grantee. */
  | 'release'
  | 'emergency-start'
  | 'emergency-stop'

interface ActionCodes {
  readonly action: 'C' | 'R' | 'E'
  readonly type: readonly [system: string, code: string]
  readonly subtype: readonly [system: string, code: string]
}

/** IHE BALP for reading and writing; DICOM's emergency override for breaking the glass. */
const CODES: Readonly<Record<AuditedAction, ActionCodes>> = {
  read: {
    action: 'R',
    type: ['http://terminology.hl7.org/CodeSystem/audit-event-type', 'rest'],
    subtype: [REST, 'read']
  },
  write: {
    action: 'C',
    type: ['http://terminology.hl7.org/CodeSystem/audit-event-type', 'rest'],
    subtype: [REST, 'create']
  },
  release: { action: 'R', type: [DICOM, '110106'], subtype: ['urn:ihe:event-type-code', 'ITI-110'] },
  'emergency-start': { action: 'E', type: [DICOM, '110113'], subtype: [DICOM, '110127'] },
  'emergency-stop': { action: 'E', type: [DICOM, '110113'], subtype: [DICOM, '110138'] }
}

/** One access. References are local to the document they go into. */
export interface AuditedAccess {
  readonly action: AuditedAction
  /** Seconds since 1970-01-01. */
  readonly atS: number
  readonly isSuccess: boolean
  readonly whoReference: string
  readonly patientReference: string
  /** The node, custodian or agent that saw it. */
  readonly observerReference: string
  /** A code of ActReason; `BTG` for emergencies. */
  readonly purpose: string
  /** 32 bytes; null in an emergency. */
  readonly grantId: Uint8Array | null
  readonly entityReferences: readonly string[]
}

/** The AuditEvent resource of an access. */
export function auditEventOf(access: AuditedAccess): Record<string, unknown> {
  const { action, type, subtype } = CODES[access.action]
  const purposeOfEvent = [{ coding: [{ system: ACT_REASON, code: access.purpose }] }]
  return {
    resourceType: 'AuditEvent',
    type: { system: type[0], code: type[1] },
    subtype: [{ system: subtype[0], code: subtype[1] }],
    action,
    recorded: new Date(access.atS * 1000).toISOString(),
    outcome: access.isSuccess ? '0' : '4',
    purposeOfEvent,
    agent: [
      {
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
        who: { reference: access.whoReference },
        requestor: true,
        purposeOfUse: purposeOfEvent
      }
    ],
    source: { observer: { reference: access.observerReference } },
    entity: [
      {
        what: { reference: access.patientReference },
        type: { system: 'http://terminology.hl7.org/CodeSystem/audit-entity-type', code: '1' },
        role: { system: OBJECT_ROLE, code: '1' }
      },
      ...access.entityReferences.map(reference => ({
        what: { reference },
        type: { system: 'http://terminology.hl7.org/CodeSystem/audit-entity-type', code: '2' },
        role: { system: OBJECT_ROLE, code: '4' }
      })),
      ...(access.grantId == null
        ? []
        : [
            {
              what: { identifier: { system: GRANT_SYSTEM, value: toHex(access.grantId) } },
              type: { system: 'http://hl7.org/fhir/resource-types', code: 'Consent' }
            }
          ])
    ]
  }
}
