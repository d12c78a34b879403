/** What the patient has, as the record says it: active FHIR conditions that stand. */
import type { RecordIndex } from '#agent/record-index.ts'

const MAX_CONDITIONS = 100
const ACTIVE: readonly unknown[] = ['active', 'recurrence', 'relapse']
const UNTRUE: readonly unknown[] = ['refuted', 'entered-in-error']

/** Codes of the active conditions, each `system|code`. What has no clinical status counts as active; what is refuted does not. */
export async function activeConditions(record: Pick<RecordIndex, 'search' | 'open'>): Promise<string[]> {
  const found = await record.search({ type: 'Condition', limit: MAX_CONDITIONS })
  const codes = new Set<string>()
  for (const { cid } of found) {
    const { content } = await record.open(cid.toString())
    const text = new TextDecoder().decode(content.body)
    for (const part of /ndjson/.test(content.type) ? text.split('\n') : [text]) {
      for (const code of conditionCodes(part)) codes.add(code)
    }
  }
  return [...codes].sort()
}

/** The codes of one resource, if it is an active condition. */
export function conditionCodes(text: string): string[] {
  const resource = parse(text)
  if (resource['resourceType'] !== 'Condition') return []
  const status = codingsOf(resource['clinicalStatus']).map(({ code }) => code)
  const verification = codingsOf(resource['verificationStatus']).map(({ code }) => code)
  if (status.length > 0 && !status.some(code => ACTIVE.includes(code))) return []
  if (verification.some(code => UNTRUE.includes(code))) return []
  return codingsOf(resource['code']).flatMap(({ system, code }) =>
    typeof system === 'string' && typeof code === 'string' ? [`${system}|${code}`] : []
  )
}

/** What was decrypted is not trusted: what is no JSON object says nothing. */
function parse(text: string): Record<string, unknown> {
  try {
    return objectOf(JSON.parse(text))
  } catch {
    return {}
  }
}

function codingsOf(concept: unknown): Record<string, unknown>[] {
  const { coding } = objectOf(concept)
  return Array.isArray(coding) ? coding.map(objectOf) : []
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
