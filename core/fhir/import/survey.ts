/**
 * The first of an import's two readings (docs/specs/fhir.md#import): learns of every resource where it has to lie. A label may
 * stand behind the content that it is about, and a reference in a resource before the one that it names, so nothing is sealed
 * before all was read once.
 */
import { SalusError } from '#core/error.ts'
import { textOf } from '#core/encoding/text.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { clinicalDay } from '#core/fhir/clinical-day.ts'
import { compartmentOf, placeTogether, referencesIn, type PlacedResource } from '#core/fhir/compartment.ts'
import { mediaTypeOf } from '#core/fhir/import/media-type.ts'
import { checkMarkers, digestOf, mediaTypesOf } from '#core/fhir/import/markers.ts'
import { createSplitter, type Piece, type Splitter } from '#core/fhir/import/splitter.ts'
import { isJsonObject } from '#core/fhir/json/parse.ts'
import { strictest } from '#core/fhir/sensitivity/rank.ts'
import type { FhirIssue, FhirValidator } from '#core/fhir/validate.ts'
import type { Compartment } from '#core/record/compartment.ts'

/** Opens what is imported; it is read twice from its beginning. */
export type ImportSource = () => AsyncIterable<Uint8Array>

/** What an import needs to know. */
export interface SurveyInit {
  readonly primitives: Primitives
  /** Today, in days since 1970. */
  readonly today: number
  /** The section of a resource that the record holds already, by `Type/id` or full URL. */
  readonly elsewhere?: (name: string) => Compartment | undefined
  /** Checks what is imported; what is unsound is counted and kept all the same. */
  readonly validator?: FhirValidator
}

/** Where something lies. */
export interface Place {
  readonly compartment: Compartment
  readonly day: number
}

/** What was learned of one resource. */
export interface SurveyedResource extends Place {
  readonly type: string
  /** `Type/id`, null where it has no id. */
  readonly name: string | null
  readonly digest: Uint8Array
  readonly issues: readonly FhirIssue[]
}

/** What was learned of a whole source. */
export interface Survey {
  readonly resources: readonly SurveyedResource[]
  /** Of each attachment that gets entries of its own, in the order of the source. */
  readonly attachments: readonly (Place & { readonly type: string })[]
  /** Section of the manifest: it tells of every resource, so it lies with the most sensitive one. */
  readonly manifest: Compartment
}

const MAX_CHUNK = 1_048_576
/** Most bytes between resources, in all: they are kept in the manifest. */
const MAX_TEXT_BYTES = 50_331_648
const MAX_RESOURCES = 1_000_000

interface Known extends PlacedResource {
  readonly name: string | null
  names: string[]
  readonly day: number
  readonly digest: Uint8Array
  readonly media: readonly string[]
  readonly issues: readonly FhirIssue[]
}

/**
 * Reads a source once.
 *
 * @throws SalusError `JSON_*`, `FHIR_OVERSIZE`, `FHIR_TYPE` (not a resource), `FHIR_BUNDLE` (resources within something else than
 * a bundle), `FHIR_RESERVED` (a name that stands for entries of a record), `FHIR_EMPTY`, `BASE64_MALFORMED`
 */
export async function surveyImport(source: ImportSource, init: SurveyInit): Promise<Survey> {
  const resources: Known[] = []
  const attachments: { readonly of: number | null; readonly type: string }[] = []
  let count = 0
  /** Text of the bundle being read, null for each of its resources. */
  let skeleton: string[] = []
  let firstOfBundle = 0
  let textBytes = 0
  const splitter = createSplitter({ put() {}, end: () => String(count++) })
  const look = (piece: Piece): void => {
    if (piece.kind === 'bundle end') {
      nameEntries(skeleton.join(''), resources.slice(firstOfBundle))
      skeleton = []
      firstOfBundle = resources.length
      return
    }
    const text = textOf(piece.bytes) ?? refuseText()
    const media = checkMarkers(text, count, attachments.length)
    if (piece.kind === 'text') {
      attachments.push(...media.map(() => ({ of: null, type: mediaTypeOf(undefined) })))
      textBytes += piece.bytes.length
      if (textBytes > MAX_TEXT_BYTES) refuseSize()
      skeleton.push(text)
      return
    }
    if (resources.length === MAX_RESOURCES) refuseSize()
    if (piece.isInBundle) skeleton.push('null')
    else skeleton = []
    const known = learn(piece.bytes, text, init, attachments.length)
    attachments.push(...known.media.map(type => ({ of: resources.length, type })))
    resources.push(known)
    if (!piece.isInBundle) firstOfBundle = resources.length
  }
  for await (const pieces of split(source, splitter)) pieces.forEach(look)
  if (resources.length === 0) throw new SalusError('FHIR_EMPTY', 'There is no resource in what was given.')
  const places = placeTogether(resources, init.elsewhere)
  const placed = resources.map(({ type, name, day, digest, issues }, i) => ({
    type,
    name,
    digest,
    issues,
    ...{ day, compartment: places[i] ?? 'documents' }
  }))
  const manifest = strictest(places) ?? 'documents'
  const placeOf = (of: number | null): Place => placed[of ?? -1] ?? { day: init.today, compartment: manifest }
  return {
    resources: placed,
    attachments: attachments.map(({ of, type }) => ({
      type,
      day: placeOf(of).day,
      compartment: placeOf(of).compartment
    })),
    manifest
  }
}

/** Feeds a source to a splitter, in chunks small enough that its pieces stay few; yields them as they come. */
export async function* split(source: ImportSource, splitter: Splitter): AsyncGenerator<readonly Piece[]> {
  for await (const chunk of source()) {
    for (let i = 0; i < chunk.length; i += MAX_CHUNK) {
      splitter.write(chunk.subarray(i, i + MAX_CHUNK))
      yield splitter.take()
    }
  }
  splitter.end()
  yield splitter.take()
}

function learn(
  bytes: Uint8Array,
  text: string,
  { primitives, today, validator }: SurveyInit,
  firstMarker: number
): Known {
  const resource: unknown = JSON.parse(text)
  if (!isJsonObject(resource) || typeof resource['resourceType'] !== 'string') {
    throw new SalusError('FHIR_TYPE', 'Refused: what stands where a resource belongs says no resource type.')
  }
  if (
    Array.isArray(resource['entry']) &&
    resource['entry'].some(each => isJsonObject(each) && each['resource'] != null)
  ) {
    if (resource['resourceType'] !== 'Bundle') refuseBundle()
  }
  const { resourceType: type, id } = resource
  const name = typeof id === 'string' ? `${type}/${id}` : null
  return {
    type,
    name,
    names: name == null ? [] : [name],
    references: referencesIn(resource),
    compartment: compartmentOf(resource),
    day: clinicalDay(resource, today),
    digest: digestOf(primitives, bytes, text),
    media: mediaTypesOf(resource, firstMarker),
    issues: validator?.checkValue(resource) ?? []
  }
}

/** Lets a bundle's resources be found by their full URLs too. */
function nameEntries(skeleton: string, resources: readonly Known[]): void {
  const bundle: unknown = JSON.parse(skeleton)
  if (!isJsonObject(bundle) || bundle['resourceType'] !== 'Bundle') refuseBundle()
  const entries = Array.isArray(bundle['entry']) ? (bundle['entry'] as unknown[]) : []
  entries
    .filter(each => isJsonObject(each) && each['resource'] === null)
    .forEach((each, i) => {
      const url = isJsonObject(each) ? each['fullUrl'] : undefined
      if (typeof url === 'string') resources[i]?.names.push(url)
    })
}

function refuseText(): never {
  throw new SalusError('JSON_MALFORMED', 'Refused the JSON: it is not UTF-8.')
}

function refuseSize(): never {
  throw new SalusError('FHIR_OVERSIZE', 'Refused: it holds more than one import takes; split it.')
}

function refuseBundle(): never {
  throw new SalusError('FHIR_BUNDLE', 'Refused: resources stand in something that is no bundle.')
}
