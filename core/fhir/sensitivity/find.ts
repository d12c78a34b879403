/** Finds what is sensitive in a resource, wherever in it a label or code stands (docs/specs/fhir.md#sensitive). */
import { isJsonObject, type JsonObject } from '#core/fhir/json/parse.ts'
import { CODE_TABLES } from '#core/fhir/sensitivity/codes.ts'
import { CONFIDENTIALITY_SYSTEMS, LABELS, LABEL_SYSTEMS, RESTRICTED } from '#core/fhir/sensitivity/labels.ts'
import { strictest, type SensitiveCompartment } from '#core/fhir/sensitivity/rank.ts'
import { sectionOfText } from '#core/fhir/sensitivity/words.ts'

/** The section that the labels, codes and texts of a resource ask for; `undefined` if nothing in it is sensitive. */
export function findSensitive(resource: JsonObject): SensitiveCompartment | undefined {
  const found = new Set<SensitiveCompartment>()
  let isRestricted: SensitiveCompartment | undefined
  const visit = (value: unknown, key: string, parent: string): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item, key, parent)
    } else if (isJsonObject(value)) {
      const { code, system } = value
      if (typeof code === 'string') {
        const section = sectionOfCode(system, code)
        if (section != null) found.add(section)
        // Elsewhere the same codes say what a consent is about, not what this resource is.
        if (key === 'security' && parent === 'meta') isRestricted ??= restrictedBy(system, code)
      }
      for (const [name, field] of Object.entries(value)) visit(field, name, key)
    } else if (typeof value === 'string' && (key === 'display' || key === 'text' || key === 'description')) {
      const section = sectionOfText(value)
      if (section != null) found.add(section)
    }
  }
  visit(resource, '', '')
  return strictest(found) ?? isRestricted
}

function sectionOfCode(system: unknown, code: string): SensitiveCompartment | undefined {
  if (typeof system !== 'string') return undefined
  if (LABEL_SYSTEMS.includes(system)) return Object.hasOwn(LABELS, code) ? LABELS[code] : undefined
  const entry = Object.hasOwn(CODE_TABLES, system) ? CODE_TABLES[system] : undefined
  if (entry == null) return undefined
  const { table, byPrefix } = entry
  const sections = Object.entries(table) as [SensitiveCompartment, readonly string[]][]
  const upper = code.toUpperCase()
  if (!byPrefix) return sections.find(([, codes]) => codes.includes(upper))?.[0]
  // The longest beginning decides: F52 is sexual though F5 is mental.
  const [best] = sections
    .flatMap(([section, codes]) =>
      codes.filter(each => begins(upper, each)).map(each => ({ section, length: each.length }))
    )
    .sort((a, b) => b.length - a.length)
  return best?.section
}

/** ICD codes come with and without their point: F32.1, F321. */
function begins(code: string, prefix: string): boolean {
  return code.replace('.', '').startsWith(prefix.replace('.', ''))
}

function restrictedBy(system: unknown, code: string): SensitiveCompartment | undefined {
  const isConfidentiality = typeof system === 'string' && CONFIDENTIALITY_SYSTEMS.includes(system)
  return isConfidentiality && Object.hasOwn(RESTRICTED, code) ? RESTRICTED[code] : undefined
}
