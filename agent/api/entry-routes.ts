/** Entries with their revisions, and finding them: of the patient's own record, and of those that were granted. */
import type { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { fromHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import type { SearchQuery } from '#core/search/query.ts'
import type { Agent } from '#agent/agent.ts'
import type { AgentApp } from '#agent/api/agent-app.ts'
import {
  entryBody,
  entryIdParam,
  grantedEntryIdParam,
  MAX_FOUND,
  revisedBody,
  revisionQuery,
  searchBody
} from '#agent/api/entry-wire.ts'
import { readEntryView } from '#agent/api/entry-views.ts'
import { typeOf } from '#agent/api/record-routes.ts'
import { fileRoute, getRoute, none, postRoute } from '#agent/api/route.ts'
import { entryView } from '#agent/api/views.ts'
import { entriesBody, grantParam } from '#agent/api/wire.ts'
import { refreshGrant } from '#agent/clinician/grants.ts'
import { reviseGranted } from '#agent/clinician/revise.ts'
import { reviseEntry } from '#agent/patient/revise.ts'
import type { RevisionWish } from '#agent/record/revision.ts'
import { bodyOf } from '#node/http/body.ts'

const entryRoute = getRoute('/v1/patient/entries/{entry}', 'An entry with all its revisions', {
  params: entryIdParam,
  query: none,
  answer: entryBody
})
const reviseRoute = fileRoute('/v1/patient/entries/{entry}/revisions', 'Corrects, retracts, comments …', {
  params: entryIdParam,
  query: revisionQuery,
  answer: revisedBody
})
const searchRoute = postRoute('/v1/patient/search', 'Finds entries of the record', {
  params: none,
  body: searchBody,
  answer: entriesBody
})
const grantedEntryRoute = getRoute('/v1/clinician/grants/{id}/entries/{entry}', 'An entry with all its revisions', {
  params: grantedEntryIdParam,
  query: none,
  answer: entryBody
})
const reviseGrantedRoute = fileRoute(
  '/v1/clinician/grants/{id}/entries/{entry}/revisions',
  'Corrects, retracts, comments …; of what others wrote, proposes it',
  { params: grantedEntryIdParam, query: revisionQuery, answer: revisedBody }
)
const searchGrantedRoute = postRoute('/v1/clinician/grants/{id}/search', 'Finds entries of a record', {
  params: grantParam,
  body: searchBody,
  answer: entriesBody
})

const DAY_MS = 86_400_000
const REASON_HEADER = 'salus-because'

/** Adds the routes. */
export function addEntryRoutes(app: AgentApp, agent: Agent): void {
  const { keeper, record, granted } = agent
  app.openapi(entryRoute, async context =>
    keeper.hold(async () => {
      return context.json(readEntryView(await record.read(context.req.valid('param').entry)), 200)
    })
  )
  app.openapi(reviseRoute, async context =>
    keeper.hold(async () => {
      const { entry } = context.req.valid('param')
      const wish = await wishOf(context, entry, context.req.valid('query'))
      return context.json(await reviseEntry(agent, wish), 200)
    })
  )
  app.openapi(searchRoute, async context =>
    keeper.hold(async () => {
      const entries = await record.search(queryOf(context.req.valid('json')))
      return context.json({ entries: entries.map(entryView), next: null }, 200)
    })
  )
  app.openapi(grantedEntryRoute, async context =>
    keeper.hold(async () => {
      const { id, entry } = context.req.valid('param')
      const grantId = fromHex(id, 32)
      await refreshGrant(agent, grantId)
      return context.json(readEntryView(await (await granted.of(grantId)).read(entry)), 200)
    })
  )
  app.openapi(reviseGrantedRoute, async context =>
    keeper.hold(async () => {
      const { id, entry } = context.req.valid('param')
      const wish = await wishOf(context, entry, context.req.valid('query'))
      const written = await reviseGranted(agent, fromHex(id, 32), wish)
      return context.json({ entry: written, header: null, waiting: 0 }, 200)
    })
  )
  app.openapi(searchGrantedRoute, async context =>
    keeper.hold(async () => {
      const grantId = fromHex(context.req.valid('param').id, 32)
      await refreshGrant(agent, grantId)
      const entries = await (await granted.of(grantId)).search(queryOf(context.req.valid('json')))
      return context.json({ entries: entries.map(entryView), next: null }, 200)
    })
  )
}

async function wishOf(
  context: Context,
  entry: string,
  { kind, header }: { readonly kind: RevisionWish['kind']; readonly header?: string | undefined }
): Promise<RevisionWish> {
  const body = await bodyOf(context)
  const type = typeOf(context.req.header('content-type'))
  return {
    kind,
    entry,
    reason: reasonIn(context.req.header(REASON_HEADER) ?? ''),
    ...(body.length === 0 ? {} : { content: { type, body } }),
    ...(header == null ? {} : { taken: header })
  }
}

function reasonIn(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    throw new SalusError('HTTP_BODY_SHAPE', `The header ${REASON_HEADER} is not percent-encoded UTF-8.`)
  }
}

function queryOf(wish: z.infer<typeof searchBody>): SearchQuery {
  const { text, code, type, status, compartments, from, to, limit = MAX_FOUND, offset = 0 } = wish
  return {
    limit,
    offset,
    ...(text == null ? {} : { text }),
    ...(code == null ? {} : { code }),
    ...(type == null ? {} : { type }),
    ...(status == null ? {} : { status }),
    ...(compartments == null ? {} : { compartments }),
    ...(from == null ? {} : { fromDay: Date.parse(from) / DAY_MS }),
    ...(to == null ? {} : { toDay: Date.parse(to) / DAY_MS })
  }
}
