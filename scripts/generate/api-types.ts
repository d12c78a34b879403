/** The types of the HTTP API, for clients, from its OpenAPI document. */
import { addCustodyRoutes } from '#node/custody/routes.ts'
import { createHttpApp } from '#node/http/app.ts'
import { addOperatorRoutes } from '#node/http/operator-answers.ts'
import { addUpkeepRoutes } from '#node/http/upkeep-routes.ts'
import { addBlindRoutes } from '#node/search/routes.ts'
import { GENERATED_HEADER } from '#scripts/generate/header.ts'

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>

interface Operation {
  readonly summary?: string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly schema: Schema
  }[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}

/** The document, as far as clients need it. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** The document of all routes that a node can have; nothing of a node runs for it. */
export function apiDocument(): ApiDocument {
  const none = {} as never
  const app = createHttpApp(none, { version: '1', network: new Uint8Array(32), clock: () => 0 })
  addOperatorRoutes(app, none, { isPublic: false })
  addUpkeepRoutes(app, none, {})
  addCustodyRoutes(app, none)
  addBlindRoutes(app, none)
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'Salus node', version: '1', license: { name: 'Apache-2.0' } }
  })
  return JSON.parse(JSON.stringify(document)) as ApiDocument
}

/** Text of the module with the types; prettier has not seen it. */
export function renderApiTypes({ paths, components }: ApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation }))
  )
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `/** \`${name}\` of the OpenAPI document. @public */\nexport type ${name} = ${typeOf(schema)}`
  )
  return `${GENERATED_HEADER}
// From the OpenAPI document of a node (docs/reference/openapi.json).

${schemas.join('\n\n')}

/** What each operation takes and answers. */
export interface Operations {
${operations.map(({ name, operation }) => operationType(name, operation)).join('\n')}
}

/** How the body and the answer of each operation are written. */
export const MEDIA: Readonly<Record<keyof Operations, { readonly body?: string; readonly answer?: string }>> = {
${operations.map(({ name, operation }) => `'${name}': ${JSON.stringify(mediaOf(operation))}`).join(',\n')}
}
`
}

function operationType(name: string, operation: Operation): string {
  const { summary = '', parameters = [], requestBody } = operation
  const given = (place: string): string => {
    const fields = parameters.filter(parameter => parameter.in === place)
    if (fields.length === 0) return 'undefined'
    return `{ ${fields.map(({ name: field, required, schema }) => `readonly '${field}'${required === true ? '' : '?'}: ${typeOf(schema)}`).join('; ')} }`
  }
  return `/** ${summary}. */\n'${name}': {
  readonly path: ${given('path')}
  readonly query: ${given('query')}
  readonly body: ${contentType(requestBody?.content)}
  readonly answer: ${contentType(answerOf(operation))}
}`
}

function answerOf({ responses }: Operation): Content | undefined {
  return responses['200']?.content
}

function mediaOf(operation: Operation): { body?: string; answer?: string } {
  const [body] = Object.keys(operation.requestBody?.content ?? {})
  const [answer] = Object.keys(answerOf(operation) ?? {})
  return { ...(body == null ? {} : { body }), ...(answer == null ? {} : { answer }) }
}

function contentType(content: Content | undefined): string {
  const [media] = Object.entries(content ?? {})
  if (media == null) return 'undefined'
  const [type, { schema }] = media
  return type.startsWith('text/') || type === 'application/openmetrics-text' ? 'string' : typeOf(schema)
}

function typeOf(schema: Schema): string {
  const { $ref, type, format, enum: values, anyOf, oneOf, items, properties } = schema
  if ($ref != null) return $ref.split('/').at(-1) ?? 'unknown'
  if (values != null) return values.map(value => JSON.stringify(value)).join(' | ')
  const either = anyOf ?? oneOf
  if (either != null) return either.map(typeOf).join(' | ')
  if (Array.isArray(type)) return type.map(each => typeOf({ ...schema, type: each as string })).join(' | ')
  if (type === 'null') return 'null'
  if (properties != null) return objectType(properties, schema.required ?? [])
  if (type === 'array') return `readonly (${typeOf(items ?? {})})[]`
  if (type === 'string') return format === 'binary' ? 'Uint8Array' : 'string'
  if (type === 'integer' || type === 'number') return 'number'
  return type === 'boolean' ? type : 'unknown'
}

function objectType(properties: Readonly<Record<string, Schema>>, required: readonly string[]): string {
  const fields = Object.entries(properties).map(([name, schema]) =>
    required.includes(name) ? `readonly ${name}: ${typeOf(schema)}` : `readonly ${name}?: ${typeOf(schema)} | undefined`
  )
  return `{ ${fields.join('; ')} }`
}
