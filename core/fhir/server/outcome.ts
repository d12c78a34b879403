/** What can be wrong with a request, as FHIR says it. */
export interface Problem {
  readonly status: number
  /** Code of docs/errors.md. */
  readonly code: string
  /** Of FHIR's issue types. */
  readonly issue: string
  readonly text: string
}

/** An OperationOutcome as JSON text. */
export function outcomeOf({ code, issue, text }: Problem): string {
  const details = { coding: [{ system: 'urn:salus:error', code }], text }
  return JSON.stringify({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: issue, details }] })
}
