/** Code and sentence of the errors of credentials and emergency access, by the name of the contract's error. */
export const CARE_ERRORS: Readonly<Record<string, readonly [code: string, message: string]>> = {
  CredentialAlreadyIssued: [
    'CHAIN_CREDENTIAL_ALREADY_ISSUED',
    'A credential with other terms uses this id; choose another salt.'
  ],
  CredentialIsRevoked: ['CHAIN_CREDENTIAL_IS_REVOKED', 'The credential was revoked and cannot be issued again.'],
  CredentialNotValid: [
    'CHAIN_CREDENTIAL_NOT_VALID',
    'The credential has not begun, has ended, was revoked, or its organisation is suspended.'
  ],
  CredentialRoleMissing: ['CHAIN_CREDENTIAL_ROLE_MISSING', 'The credential names no role.'],
  CredentialUnknown: ['CHAIN_CREDENTIAL_UNKNOWN', 'There is no such credential.'],
  CredentialWindowInvalid: [
    'CHAIN_CREDENTIAL_WINDOW_INVALID',
    'The credential has ended before it begins, or would end more than five years ahead.'
  ],
  CredentialsMissing: ['CHAIN_CREDENTIALS_MISSING', 'There is no credential to issue.'],
  EmergencyAlreadyDeclared: ['CHAIN_EMERGENCY_ALREADY_DECLARED', 'The emergency has been declared already.'],
  EmergencyAlreadyDisputed: ['CHAIN_EMERGENCY_ALREADY_DISPUTED', 'The emergency has been disputed already.'],
  EmergencyAlreadyReviewed: [
    'CHAIN_EMERGENCY_ALREADY_REVIEWED',
    'The emergency has been reviewed already; a review is given once.'
  ],
  EmergencyDeadlineTooFar: [
    'CHAIN_EMERGENCY_DEADLINE_TOO_FAR',
    'An emergency is declared when it happens; sign it with a deadline at most an hour ahead.'
  ],
  EmergencyDurationOutOfRange: [
    'CHAIN_EMERGENCY_DURATION_OUT_OF_RANGE',
    'The emergency would last no time, or longer than the patient allows.'
  ],
  EmergencyIsOver: ['CHAIN_EMERGENCY_IS_OVER', 'The emergency is over already.'],
  EmergencyNotAllowed: ['CHAIN_EMERGENCY_NOT_ALLOWED', 'The patient allows no emergency access.'],
  EmergencyNotOver: ['CHAIN_EMERGENCY_NOT_OVER', 'The emergency is not over yet; end it first, or wait.'],
  EmergencyPatientTooOften: [
    'CHAIN_EMERGENCY_PATIENT_TOO_OFTEN',
    'Too many emergencies were declared for this patient; wait.'
  ],
  EmergencyPolicyUnsound: [
    'CHAIN_EMERGENCY_POLICY_UNSOUND',
    'The emergency policy allows nothing without saying so, or more than can be allowed.'
  ],
  EmergencyReasonMissing: ['CHAIN_EMERGENCY_REASON_MISSING', 'The emergency names no reason.'],
  EmergencyResponderBlocked: [
    'CHAIN_EMERGENCY_RESPONDER_BLOCKED',
    'An earlier emergency of this responder was found unjustified.'
  ],
  EmergencyResponderNotBlocked: [
    'CHAIN_EMERGENCY_RESPONDER_NOT_BLOCKED',
    'This responder is not blocked, so there is nothing to lift.'
  ],
  EmergencyResponderTooOften: [
    'CHAIN_EMERGENCY_RESPONDER_TOO_OFTEN',
    'This responder has declared too many emergencies; wait.'
  ],
  EmergencyResponderTwice: ['CHAIN_EMERGENCY_RESPONDER_TWICE', 'The two responders are the same one.'],
  EmergencyRespondersTooFew: ['CHAIN_EMERGENCY_RESPONDERS_TOO_FEW', 'The patient demands two responders.'],
  EmergencyReviewEmpty: ['CHAIN_EMERGENCY_REVIEW_EMPTY', 'The review finds nothing, or has no report.'],
  EmergencyReviewsOverdue: [
    'CHAIN_EMERGENCY_REVIEWS_OVERDUE',
    'Too many emergencies of this responder wait for review; have them reviewed first.'
  ],
  EmergencyRoleExcluded: ['CHAIN_EMERGENCY_ROLE_EXCLUDED', 'The patient does not allow emergency access to this role.'],
  EmergencySignaturesMiscounted: [
    'CHAIN_EMERGENCY_SIGNATURES_MISCOUNTED',
    'There must be one signature for each responder’s credential.'
  ],
  EmergencyTooSoon: ['CHAIN_EMERGENCY_TOO_SOON', 'The patient’s last emergency began too recently; wait.'],
  EmergencyUnknown: ['CHAIN_EMERGENCY_UNKNOWN', 'There is no such emergency.'],
  EnforcedPause: [
    'CHAIN_ENFORCED_PAUSE',
    'Governance has paused what is new here; what protects a person still works.'
  ],
  LimitsOutOfRange: ['CHAIN_LIMITS_OUT_OF_RANGE', 'A limit lies outside of what governance may choose.'],
  OrganisationAlreadyAccredited: ['CHAIN_ORGANISATION_ALREADY_ACCREDITED', 'The organisation is accredited already.'],
  OrganisationNotAccredited: [
    'CHAIN_ORGANISATION_NOT_ACCREDITED',
    'The organisation is not accredited, or is suspended or excluded.'
  ],
  OrganisationNotSuspended: ['CHAIN_ORGANISATION_NOT_SUSPENDED', 'The organisation is neither suspended nor excluded.'],
  OrganisationProfileMissing: ['CHAIN_ORGANISATION_PROFILE_MISSING', 'The organisation names no profile.'],
  OrganisationSignerReplaced: [
    'CHAIN_ORGANISATION_SIGNER_REPLACED',
    'The organisation had this signer before; it must be handed to one that it never had.'
  ],
  OrganisationUnknown: ['CHAIN_ORGANISATION_UNKNOWN', 'There is no such organisation.'],
  ReviewerNotIndependent: [
    'CHAIN_REVIEWER_NOT_INDEPENDENT',
    'The reviewer, or its organisation, has to do with a responder.'
  ],
  ReviewerRoleMissing: ['CHAIN_REVIEWER_ROLE_MISSING', 'The credential is not one of a reviewer.'],
  SuspensionsExhausted: [
    'CHAIN_SUSPENSIONS_EXHAUSTED',
    'A third of the organisations is suspended; exclude or reinstate some of them first.'
  ]
}
