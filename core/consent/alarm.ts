/** An alarm in a record: a FHIR `DetectedIssue` that a gateway wrote (docs/specs/standing-instruction.md). */
import { fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { FHIR_JSON } from '#core/fhir/import/planned-entry.ts'
import { isJsonObject, parseJson } from '#core/fhir/json/parse.ts'
import type { JsonLimits } from '#core/fhir/json/scanner.ts'
import type { Content } from '#core/record/content.ts'

/** How grave what was found is, in FHIR's words. */
export const SEVERITIES = ['high', 'moderate', 'low'] as const

/** URL of the extension that names the crew that was sent. */
export const DISPATCHED_URL = 'urn:salus:dispatched'

const LIMITS: JsonLimits = { maxBytes: 65_536, maxDepth: 16, maxItems: 2_000 }
const ADDRESS = /^0x[0-9a-f]{40}$/
const RETRACTED = 'entered-in-error'

/** What an alarm says. */
export interface Alarm {
  readonly severity: (typeof SEVERITIES)[number]
  /** When it was found, milliseconds since 1970-01-01, by the gateway's clock. */
  readonly atMs: number
  /** Address of the crew that was sent, 20 bytes; null if none was named. */
  readonly crew: Uint8Array | null
  /** Whether the gateway has taken it back since. */
  readonly isRetracted: boolean
}

/** The content of an entry that says it, with a text for people. */
export function alarmContent({ severity, atMs, crew, isRetracted }: Alarm, text: string): Content {
  const extension = crew == null ? {} : { extension: [{ url: DISPATCHED_URL, valueString: toHex(crew) }] }
  const resource = {
    ...{ resourceType: 'DetectedIssue', ...extension, status: isRetracted ? RETRACTED : 'final' },
    ...{ code: { text }, severity, identifiedDateTime: new Date(atMs).toISOString() }
  }
  return { type: FHIR_JSON, recordedAtMs: atMs, body: utf8(JSON.stringify(resource)) }
}

/** Reads an alarm; undefined of whatever is none: a record holds much else, and what was decrypted is not trusted. */
export function readAlarm({ type, body }: Content): Alarm | undefined {
  if (type !== FHIR_JSON) return undefined
  const resource = parsed(body)
  if (!isJsonObject(resource) || resource['resourceType'] !== 'DetectedIssue') return undefined
  const severity = SEVERITIES.find(each => each === resource['severity'])
  const { identifiedDateTime: time } = resource
  const atMs = typeof time === 'string' && /[zZ]|[+-]\d\d:\d\d$/.test(time) ? Date.parse(time) : Number.NaN
  if (severity == null || !Number.isSafeInteger(atMs) || atMs < 0) return undefined
  return { severity, atMs, crew: crewIn(resource['extension']), isRetracted: resource['status'] === RETRACTED }
}

function parsed(body: Uint8Array): unknown {
  try {
    return parseJson(body, LIMITS)
  } catch (error) {
    if (isSalusError(error)) return undefined
    throw error
  }
}

function crewIn(extensions: unknown): Uint8Array | null {
  if (!Array.isArray(extensions)) return null
  const named: unknown[] = extensions.flatMap((each: unknown) =>
    isJsonObject(each) && each['url'] === DISPATCHED_URL ? [each['valueString']] : []
  )
  const [address] = named
  // Two names are as good as one that nobody knows: neither crew is meant for sure.
  if (named.length === 0) return null
  return named.length === 1 && typeof address === 'string' && ADDRESS.test(address)
    ? fromHex(address, 20)
    : new Uint8Array(20)
}
