/** What the custom errors of the research contracts mean to a person, each under a stable code (docs/errors.md). */

/** Code and sentence by the name of the contract's error. */
export const RESEARCH_ERRORS: Readonly<Record<string, readonly [code: string, message: string]>> = {
  AccessAlreadyGiven: ['CHAIN_ACCESS_ALREADY_GIVEN', 'This access exists already; salt the agreement’s digest anew.'],
  AccessIsRevoked: ['CHAIN_ACCESS_IS_REVOKED', 'The access was revoked and cannot be given again.'],
  AccessMalformed: [
    'CHAIN_ACCESS_MALFORMED',
    'The access ends before it begins or more than five years ahead, or names no agreement.'
  ],
  AuditorActedBefore: ['CHAIN_AUDITOR_ACTED_BEFORE', 'This auditor has done this before.'],
  AuditorsMalformed: [
    'CHAIN_AUDITORS_MALFORMED',
    'Auditors must come from three organisations, take three shares, and leave as many as can object.'
  ],
  BudgetExceeded: ['CHAIN_BUDGET_EXCEEDED', 'Too little of the data set’s privacy budget is left this year.'],
  CapBelowSpent: ['CHAIN_CAP_BELOW_SPENT', 'A cap cannot be lowered below what was spent this year.'],
  CapsMalformed: ['CHAIN_CAPS_MALFORMED', 'One researcher’s cap cannot be more than the data set’s.'],
  ConsentIsWithdrawn: ['CHAIN_CONSENT_IS_WITHDRAWN', 'The consent was withdrawn; give another one under a new id.'],
  ConsentOutOfSequence: ['CHAIN_CONSENT_OUT_OF_SEQUENCE', 'The consent was changed meanwhile; sign it again.'],
  ConsentPolicyMissing: ['CHAIN_CONSENT_POLICY_MISSING', 'The consent names no policy.'],
  DataUseMalformed: [
    'CHAIN_DATA_USE_MALFORMED',
    'The release’s terms of use are none, too many, unknown, or do not permit what it does.'
  ],
  EmergenciesExhausted: [
    'CHAIN_EMERGENCIES_EXHAUSTED',
    'Three emergencies within 30 days, or three not reviewed: open an ordinary warrant.'
  ],
  LedgerKeeperUnknown: ['CHAIN_LEDGER_KEEPER_UNKNOWN', 'The signer does not keep the privacy ledger.'],
  NoticeUnfit: ['CHAIN_NOTICE_UNFIT', 'The patient’s notice was posted before, or names nothing.'],
  OpenersUnfit: [
    'CHAIN_OPENERS_UNFIT',
    'An emergency is opened by auditors of three organisations, who leave enough others to review it.'
  ],
  PurposeNotAllowed: ['CHAIN_PURPOSE_NOT_ALLOWED', 'People did not give their data for this purpose.'],
  QueryAlreadyBooked: ['CHAIN_QUERY_ALREADY_BOOKED', 'The question was booked before; its answer costs nothing again.'],
  ReleaseAlreadyChallenged: ['CHAIN_RELEASE_ALREADY_CHALLENGED', 'You have raised this evidence before.'],
  ReleaseGivesNoAccess: ['CHAIN_RELEASE_GIVES_NO_ACCESS', 'The release is public, held, withdrawn or unknown.'],
  ReleaseWindowAhead: ['CHAIN_RELEASE_WINDOW_AHEAD', 'Counting cannot have begun in a block that does not exist yet.'],
  ReleaseWindowBehind: [
    'CHAIN_RELEASE_WINDOW_BEHIND',
    'Counting began too long ago, or before it began for an earlier release of the scheme.'
  ],
  ResearchReleaseMalformed: [
    'CHAIN_RESEARCH_RELEASE_MALFORMED',
    'The release lacks a digest, keeps less than its scheme promises, or has rows without sealed identifiers.'
  ],
  ResearchReleaseOutOfSequence: ['CHAIN_RESEARCH_RELEASE_OUT_OF_SEQUENCE', 'This is not the next research release.'],
  ResearchReleaseStatusUnfit: [
    'CHAIN_RESEARCH_RELEASE_STATUS_UNFIT',
    'The research release is not in a state that allows this.'
  ],
  ResearcherBudgetExceeded: [
    'CHAIN_RESEARCHER_BUDGET_EXCEEDED',
    'Too little of the researcher’s privacy budget is left this year.'
  ],
  ReviewUnfit: [
    'CHAIN_REVIEW_UNFIT',
    'There is nothing to review, the warrant can still be used, or an opener is among the reviewers.'
  ],
  SchemeAlreadyAdded: ['CHAIN_SCHEME_ALREADY_ADDED', 'The scheme was added before.'],
  SchemeMalformed: ['CHAIN_SCHEME_MALFORMED', 'The scheme has no such tier, or promises less than two.'],
  SchemeNotLive: ['CHAIN_SCHEME_NOT_LIVE', 'The scheme is unknown or retired.'],
  ShareSizeInvalid: ['CHAIN_SHARE_SIZE_INVALID', 'A share has 1 to 256 bytes.'],
  SharesInsufficient: ['CHAIN_SHARES_INSUFFICIENT', 'Too few shares, or from fewer than three organisations.'],
  SignerSetMismatch: ['CHAIN_SIGNER_SET_MISMATCH', 'The set of signers is not the one in force.'],
  SpendingMalformed: ['CHAIN_SPENDING_MALFORMED', 'A booking names a question, a researcher and a price above zero.'],
  SpendingOutOfSequence: ['CHAIN_SPENDING_OUT_OF_SEQUENCE', 'The booking is not the next one of its data set.'],
  WarrantAlreadyOpened: ['CHAIN_WARRANT_ALREADY_OPENED', 'There is a warrant for this row, basis and case already.'],
  WarrantMalformed: [
    'CHAIN_WARRANT_MALFORMED',
    'The warrant lacks a digest, or does not have either a notice to the patient or an order to delay it.'
  ],
  WarrantNotInTime: ['CHAIN_WARRANT_NOT_IN_TIME', 'It is too early, or too late, to use the warrant.'],
  WarrantNotOpen: [
    'CHAIN_WARRANT_NOT_OPEN',
    'The warrant is unknown, was stopped or executed, or its auditors changed.'
  ]
}
