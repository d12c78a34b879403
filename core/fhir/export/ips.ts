/**
 * An International Patient Summary of what a record holds: a document that every country's software reads
 * (docs/specs/fhir.md#ips). What goes into it is for the caller to choose: sensitive sections only where the patient wants it.
 *
 * @see https://hl7.org/fhir/uv/ips/
 */
import { SalusError } from '#core/error.ts'
import { referencesIn } from '#core/fhir/compartment.ts'
import { bundleOf, type ExportedResource } from '#core/fhir/export/bundle.ts'
import { IPS_SECTIONS, type IpsSection } from '#core/fhir/export/ips-sections.ts'
import { isJsonObject, type JsonObject } from '#core/fhir/json/parse.ts'

/** A resource of the record. */
export interface IpsResource extends ExportedResource {
  /** The same, parsed. */
  readonly value: JsonObject
}

/** What a summary says of itself. */
export interface IpsInit {
  readonly nowMs: number
  /** `urn:uuid:…`, fresh, of the document and of its table of contents. */
  readonly documentId: string
  readonly compositionUrl: string
  readonly language?: string
}

const NAME = { title: 'Patient summary', code: '60591-5' }

/**
 * Makes the document: table of contents, the patient, all that the sections name, and whatever that refers to and is there.
 *
 * @param resources - of one patient; the first Patient among them is taken
 * @throws SalusError `FHIR_NO_PATIENT`
 */
export function patientSummary(resources: readonly IpsResource[], init: IpsInit): string {
  const patient = resources.find(({ value }) => value['resourceType'] === 'Patient')
  if (patient == null)
    throw new SalusError('FHIR_NO_PATIENT', 'A patient summary needs the patient’s own data; import them first.')
  const sections = IPS_SECTIONS.map(section => ({
    section,
    members: resources.filter(({ value }) => section.holds(value))
  }))
  const named = sections.flatMap(({ members }) => members)
  const content = [...new Set([patient, ...named, ...referredTo([patient, ...named], resources)])]
  const timestamp = new Date(init.nowMs).toISOString()
  const composition = {
    resourceType: 'Composition',
    ...(init.language == null ? {} : { language: init.language }),
    status: 'final',
    type: { coding: [{ system: 'http://loinc.org', code: NAME.code }] },
    subject: { reference: patient.fullUrl },
    date: timestamp,
    // The patient's own agent made it from what others wrote; their names stand in the resources.
    author: [{ reference: patient.fullUrl }],
    title: NAME.title,
    section: sections.filter(({ section, members }) => section.isRequired || members.length > 0).map(sectionOf)
  }
  const first = { fullUrl: init.compositionUrl, text: JSON.stringify(composition) }
  return bundleOf({ type: 'document', timestamp, identifier: init.documentId }, [first, ...content])
}

function sectionOf({ section, members }: { section: IpsSection; members: readonly IpsResource[] }): unknown {
  const lines = members.map(({ value }) => `<li>${escaped(nameOf(value))}</li>`)
  const body = lines.length === 0 ? '<p>No information is available in this record.</p>' : `<ul>${lines.join('')}</ul>`
  const text = { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${body}</div>` }
  const reason = { system: 'http://terminology.hl7.org/CodeSystem/list-empty-reason', code: 'unavailable' }
  return {
    title: section.title,
    code: { coding: [{ system: 'http://loinc.org', code: section.code }] },
    text,
    ...(members.length === 0
      ? { emptyReason: { coding: [reason] } }
      : { entry: members.map(({ fullUrl }) => ({ reference: fullUrl })) })
  }
}

/** What some resources refer to, and what that refers to, as far as it is there. */
function referredTo(from: readonly IpsResource[], all: readonly IpsResource[]): IpsResource[] {
  const byName = new Map<string, IpsResource>()
  for (const each of all) {
    const { resourceType, id } = each.value
    if (typeof id === 'string') byName.set(`${String(resourceType)}/${id}`, each)
    byName.set(each.fullUrl, each)
  }
  const found = new Set(from)
  const open = [...from]
  for (let each = open.pop(); each != null; each = open.pop()) {
    for (const name of referencesIn(each.value)) {
      const target = byName.get(name)
      if (target == null || found.has(target) || target.value['resourceType'] === 'Composition') continue
      found.add(target)
      open.push(target)
    }
  }
  return [...found].filter(each => !from.includes(each))
}

const NAMING = ['code', 'vaccineCode', 'medicationCodeableConcept', 'type'] as const

/** What a person would call a resource. */
function nameOf(resource: JsonObject): string {
  for (const element of NAMING) {
    const { text, coding } = isJsonObject(resource[element]) ? resource[element] : {}
    const first: unknown = Array.isArray(coding) ? coding[0] : undefined
    const display = isJsonObject(first) ? (first['display'] ?? first['code']) : undefined
    for (const name of [text, display]) if (typeof name === 'string') return withValue(name, resource)
  }
  return String(resource['resourceType'])
}

function withValue(name: string, { valueQuantity: quantity }: JsonObject): string {
  if (!isJsonObject(quantity)) return name
  const { value, unit } = quantity
  return typeof value === 'number' ? `${name}: ${value}${typeof unit === 'string' ? ` ${unit}` : ''}` : name
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, ' ')
}
