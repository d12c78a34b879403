/** Imports and exports of FHIR, of any size. */
import { createRoute, z } from '@hono/zod-openapi'
import type { Agent } from '#agent/agent.ts'
import type { AgentApp } from '#agent/api/agent-app.ts'
import {
  againQuery,
  exportQuery,
  importParam,
  importProgressBody,
  importsBody,
  originalParam,
  originalsBody
} from '#agent/api/fhir-wire.ts'
import { BODY_HEADERS } from '#agent/api/record-routes.ts'
import { bytesRoute, getRoute, none } from '#agent/api/route.ts'
import { streamedBody, streamOf } from '#agent/api/streams.ts'
import { exportBundle, exportNdjson, exportOriginal, exportSummary, resourcesIn } from '#agent/fhir-record/export.ts'
import type { FhirParts } from '#agent/fhir-record/parts.ts'
import { importNamed } from '#agent/imports/imports.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { freshUuid } from '#agent/fhir-record/uuid.ts'
import { isSensitive } from '#core/fhir/sensitivity/rank.ts'
import { COMPARTMENTS, isCompartment } from '#core/record/compartment.ts'

const bytesSchema = z.any().openapi({ type: 'string', format: 'binary' })
const takeRoute = createRoute({
  method: 'post',
  path: '/v1/patient/imports',
  summary: 'Takes FHIR of any size in: resource, bundle, patient summary or NDJSON',
  request: { query: againQuery, body: { required: true, content: { '*/*': { schema: bytesSchema } } } },
  responses: {
    200: { description: 'Accepted', content: { 'application/json': { schema: importProgressBody } } },
    default: { description: 'What went wrong, with a stable code' }
  }
})
const listRoute = getRoute('/v1/patient/imports', 'Imports under way', {
  params: none,
  query: none,
  answer: importsBody
})
const progressRoute = getRoute('/v1/patient/imports/{id}', 'How an import stands', {
  params: importParam,
  query: none,
  answer: importProgressBody
})
const originalsRoute = getRoute('/v1/patient/originals', 'What was imported and can be made again to the byte', {
  params: none,
  query: none,
  answer: originalsBody
})
const originalRoute = bytesRoute('/v1/patient/originals/{entry}/body', 'What was imported, to the byte', {
  params: originalParam
})
const exportRoute = createRoute({
  method: 'get',
  path: '/v1/patient/fhir-export',
  summary: 'The record as a collection bundle, as NDJSON, or as a patient summary',
  request: { query: exportQuery },
  responses: {
    200: { description: 'The bytes', content: { 'application/octet-stream': { schema: bytesSchema } } },
    default: { description: 'What went wrong, with a stable code' }
  }
})

/** Adds the routes. */
export function addFhirRoutes(app: AgentApp, agent: Agent, { imports, fhirRecord }: FhirParts): void {
  const { keeper, clock, random } = agent
  app.openapi(takeRoute, async context =>
    keeper.hold(async () => {
      const { again } = context.req.valid('query')
      await agent.accounts.patient()
      return context.json(await imports.take(streamedBody(context), { again: again === 'true' }), 200)
    })
  )
  app.openapi(listRoute, context => context.json({ imports: [...imports.list()] }, 200))
  app.openapi(progressRoute, context => context.json(importNamed(imports, context.req.valid('param').id), 200))
  app.openapi(originalsRoute, async context =>
    keeper.hold(async () => {
      const originals = (await fhirRecord.fresh()).manifests().map(each => {
        const { entry, position, recordedAtMs, compartment, author } = each
        return { entry, position, recordedAtMs, compartment, author: author.kind }
      })
      return context.json({ originals }, 200)
    })
  )
  app.openapi(originalRoute, async context =>
    keeper.hold(async () => {
      const snapshot = await fhirRecord.fresh()
      const id = fromHex(context.req.valid('param').entry, 16)
      const named = snapshot.versions.current(id)
      if (!snapshot.manifests().includes(named)) {
        throw new SalusError('ENTRY_UNKNOWN', 'There is no such import that this agent knows.')
      }
      return context.body(await streamOf(exportOriginal(snapshot, named)), 200, BODY_HEADERS)
    })
  )
  app.openapi(exportRoute, async context =>
    keeper.hold(async () => {
      const { format, compartments } = context.req.valid('query')
      const snapshot = await fhirRecord.fresh()
      // A summary is for others: what is sensitive is in it only where the patient says so.
      const usual = format === 'ips' ? COMPARTMENTS.filter(each => !isSensitive(each)) : COMPARTMENTS
      const resources = resourcesIn(snapshot, compartments?.filter(isCompartment) ?? usual)
      const what = { nowMs: clock(), base: snapshot.view.base }
      const fresh = { documentId: freshUuid(random), compositionUrl: freshUuid(random) }
      const pieces =
        format === 'bundle'
          ? exportBundle(snapshot, resources, what)
          : format === 'ndjson'
            ? exportNdjson(snapshot, resources)
            : exportSummary(snapshot, resources, { ...what, ...fresh })
      return context.body(await streamOf(pieces), 200, BODY_HEADERS)
    })
  )
}
