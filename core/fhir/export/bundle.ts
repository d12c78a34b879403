/** Bundles and NDJSON of what a record holds, each resource in its own words (docs/specs/fhir.md#export). */

/** One resource to write. */
export interface ExportedResource {
  /** Its JSON text, attachments put back. */
  readonly text: string
  /** Where others find it; its `Type/id` under a base, or a `urn:uuid:`. */
  readonly fullUrl: string
}

/** A bundle, as JSON text. */
export function bundleOf(
  kind: { readonly type: 'collection' | 'document'; readonly timestamp: string; readonly identifier?: string },
  resources: readonly ExportedResource[]
): string {
  const { type, timestamp, identifier } = kind
  const head = {
    resourceType: 'Bundle',
    ...(identifier == null ? {} : { identifier: { system: 'urn:ietf:rfc:3986', value: identifier } }),
    type,
    timestamp
  }
  const entries = resources.map(({ fullUrl, text }) => `{"fullUrl":${JSON.stringify(fullUrl)},"resource":${text}}`)
  const start = JSON.stringify(head).slice(0, -1)
  return entries.length === 0 ? `${start}}` : `${start},"entry":[${entries.join(',')}]}`
}

/** One resource a line. Line ends can stand in JSON only between its tokens, where they mean nothing. */
export function ndjsonOf(texts: readonly string[]): string {
  return texts.map(text => `${text.replaceAll(/[\r\n]+/g, ' ')}\n`).join('')
}
