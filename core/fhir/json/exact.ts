import { textOf } from '#core/encoding/text.ts'
import { RESOURCE_LIMITS, parseJson } from '#core/fhir/json/parse.ts'
import { refuse } from '#core/fhir/json/refuse.ts'
import type { JsonLimits } from '#core/fhir/json/scanner.ts'

/** A number as it is written: `1.00` is not `1` in FHIR. */
export class ExactNumber {
  readonly text: string

  /** @param text - the number's own characters */
  constructor(text: string) {
    this.text = text
  }
}

type SourceReviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown
/** The platform's parser, which tells a reviver what stood there (ES2025). */
const parseWithSource = JSON.parse as (text: string, reviver: SourceReviver) => unknown

/**
 * Reads JSON like `parseJson`, with each number as an {@link ExactNumber}.
 *
 * @throws SalusError `JSON_*`
 */
export function parseExactJson(bytes: Uint8Array, limits: JsonLimits = RESOURCE_LIMITS): unknown {
  parseJson(bytes, limits)
  const text = textOf(bytes) ?? refuse('JSON_MALFORMED', 'it is not UTF-8')
  return parseWithSource(text, (_, value, { source }) =>
    typeof value === 'number' ? new ExactNumber(source ?? '') : value
  )
}
