/** What a record holds, written out as FHIR, piece by piece (docs/specs/fhir.md#export). */
import { concat, toHex, utf8 } from '#core/encoding/bytes.ts'
import { textOf } from '#core/encoding/text.ts'
import { SalusError } from '#core/error.ts'
import { attachmentsOf, restoreAttachments, type OpenEntryBody } from '#core/fhir/attachment.ts'
import { patientSummary, type IpsInit, type IpsResource } from '#core/fhir/export/ips.ts'
import { decodeManifest, exportImport } from '#core/fhir/import/manifest.ts'
import { parseJson, type JsonObject } from '#core/fhir/json/parse.ts'
import type { IndexedResource } from '#core/fhir/search/index-resource.ts'
import type { Compartment } from '#core/record/compartment.ts'
import type { FhirSnapshot } from '#agent/fhir-record/fhir-record.ts'
import type { EntryVersion } from '#agent/fhir-record/versions.ts'

const LINE_END = utf8('\n')

/**
 * What one import was made of, to the byte. A manifest is believed for what its own author wrote only.
 *
 * @throws SalusError `FHIR_PART_FOREIGN`, and as `exportImport`
 */
export async function* exportOriginal(
  { versions, open }: FhirSnapshot,
  manifest: EntryVersion
): AsyncGenerator<Uint8Array> {
  const asWritten = (entry: Uint8Array): EntryVersion => versions.asWrittenWith(entry, manifest)
  yield* exportImport(
    decodeManifest(await open(manifest)),
    async entry => open(asWritten(entry)),
    async (part, of) => open(versions.part(part, of.length === 0 ? manifest : asWritten(of)))
  )
}

/** The resources of some sections, in the order in which they were written. */
export function resourcesIn(
  { view, versions }: FhirSnapshot,
  compartments: readonly Compartment[]
): readonly IndexedResource[] {
  return view.resources.filter(({ entry }) => compartments.includes(versions.current(entry).compartment))
}

/** A collection bundle of resources, each in its own words. */
export async function* exportBundle(
  { view }: FhirSnapshot,
  resources: readonly IndexedResource[],
  { nowMs, base }: { readonly nowMs: number; readonly base: string }
): AsyncGenerator<Uint8Array> {
  const head = { resourceType: 'Bundle', type: 'collection', timestamp: new Date(nowMs).toISOString() }
  const named = namedIn(resources)
  let before = `${JSON.stringify(head).slice(0, -1)},"entry":[`
  if (resources.length === 0) yield utf8(JSON.stringify(head))
  for (const resource of resources) {
    yield utf8(`${before}{"fullUrl":${JSON.stringify(fullUrlOf(resource, named, base))},"resource":`)
    yield* restoreAttachments(await view.body(resource), async part => view.part(part, resource.entry))
    before = '},'
  }
  if (resources.length > 0) yield utf8('}]}')
}

/** One resource a line. */
export async function* exportNdjson(
  { view }: FhirSnapshot,
  resources: readonly IndexedResource[]
): AsyncGenerator<Uint8Array> {
  for (const resource of resources) {
    const pieces = restoreAttachments(await view.body(resource), async part => view.part(part, resource.entry))
    // Line ends can stand in JSON only between its tokens, where they mean nothing.
    for await (const piece of pieces) yield piece.map(byte => (byte === 0x0a || byte === 0x0d ? 0x20 : byte))
    yield LINE_END
  }
}

/**
 * A patient summary of resources.
 *
 * @throws SalusError `FHIR_NO_PATIENT`
 */
export async function* exportSummary(
  { view }: FhirSnapshot,
  resources: readonly IndexedResource[],
  init: IpsInit & { readonly base: string }
): AsyncGenerator<Uint8Array> {
  const named = namedIn(resources)
  const namedBy = new Map<string, Uint8Array>()
  const chosen: IpsResource[] = []
  for (const resource of resources) {
    const body = await view.body(resource)
    for (const { parts } of attachmentsOf(body)) for (const part of parts) namedBy.set(toHex(part), resource.entry)
    const text = textOf(body) ?? ''
    chosen.push({ text, fullUrl: fullUrlOf(resource, named, init.base), value: parseJson(body) as JsonObject })
  }
  const openPart: OpenEntryBody = async part => {
    const of = namedBy.get(toHex(part))
    if (of == null) throw new SalusError('FHIR_PART_FOREIGN', 'Refused: an entry is named by none of the resources.')
    return view.part(part, of)
  }
  yield* restoreAttachments(utf8(patientSummary(chosen, init)), openPart)
}

/** All of it at once. */
export async function collect(pieces: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const collected: Uint8Array[] = []
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.length
    if (bytes > maxBytes) throw new SalusError('FHIR_OVERSIZE', 'It is too large for one file; choose fewer sections.')
    collected.push(piece)
  }
  return concat(...collected)
}

/** Everything that resources refer to. */
function namedIn(resources: readonly IndexedResource[]): ReadonlySet<string> {
  return new Set(resources.flatMap(({ references }) => [...references.values()].flat()))
}

/** As others refer to it: by what its source called it, or under the address of the endpoint. */
function fullUrlOf({ type, id }: IndexedResource, named: ReadonlySet<string>, base: string): string {
  const uuid = `urn:uuid:${id}`
  return named.has(uuid) ? uuid : `${base}/${type}/${id}`
}
