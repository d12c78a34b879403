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
  readonly place: string
  readonly status: string | null
  readonly act: string | null
  readonly proposals: number
  readonly comments: number
}

/** One line of words about an entry. */
export function entryLine(view: EntryView): string {
  const { entry, day, compartment, type, bodyBytes, revision, code } = view
  if (code != null) return `${entry} ${day} (does not open: ${code})`
  return `${entry} ${day} ${compartment ?? ''} ${type ?? ''} ${String(bodyBytes)} bytes, revision ${String(revision)}${notes(view)}`
}

/** What is not as usual about it. */
function notes({ place, status, act, proposals, comments }: EntryView): string {
  const said = [
    ...(place === 'stands' ? [] : [place]),
    ...(status == null || status === 'current' ? [] : [status]),
    ...(act == null || act === 'state' ? [] : [act]),
    ...(proposals === 0 ? [] : [`proposals: ${String(proposals)}`]),
    ...(comments === 0 ? [] : [`comments: ${String(comments)}`])
  ]
  return said.length === 0 ? '' : ` [${said.join(', ')}]`
}
