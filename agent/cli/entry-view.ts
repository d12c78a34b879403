/** An entry as the agent lists it. */
export interface EntryView {
  readonly position: number
  readonly entry: string
  readonly header: string
  readonly revision: number
  readonly day: string
  readonly compartment: string | null
  readonly type: string | null
  readonly bodyBytes: number | null
  readonly code: string | null
}

/** One line of words about an entry. */
export function entryLine({ entry, day, compartment, type, bodyBytes, revision, code }: EntryView): string {
  if (code != null) return `${entry} ${day} (does not open: ${code})`
  return `${entry} ${day} ${compartment ?? ''} ${type ?? ''} ${String(bodyBytes)} bytes, revision ${String(revision)}`
}
