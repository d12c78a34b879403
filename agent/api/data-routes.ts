/** Data under a grant, at once and with how new it is (docs/specs/data-access.md). */
import { z } from '@hono/zod-openapi'
import type { AsOf } from '#core/agent/freshness.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import type { CopyState, DataAccess } from '#agent/access/data-access.ts'
import type { Agent } from '#agent/agent.ts'
import type { AgentApp } from '#agent/api/agent-app.ts'
import { getRoute } from '#agent/api/route.ts'
import { entryView } from '#agent/api/views.ts'
import { entriesBody, grantParam, MAX_PAGE_ITEMS, pageQuery } from '#agent/api/wire.ts'

const asOf = z.strictObject({ position: z.int(), header: z.string() }).nullable()
const state = {
  asOf,
  masterAsOf: asOf,
  freshness: z.enum(['current', 'stale']),
  isRefreshing: z.boolean(),
  failure: z.string().nullable()
}
const stateBody = z.strictObject(state).openapi('CopyState')
const dataBody = z.strictObject({ ...entriesBody.shape, ...state }).openapi('Data')
const freshQuery = z.strictObject({
  after: z.coerce.number().int().min(0).optional(),
  waitMs: z.coerce.number().int().min(0).max(60_000).optional()
})

const dataRoute = getRoute('/v1/clinician/grants/{id}/data', 'What is here of a record at once, and how new it is', {
  params: grantParam,
  query: pageQuery,
  answer: dataBody
})
const freshRoute = getRoute(
  '/v1/clinician/grants/{id}/data/fresh',
  'Answers when there is something after a position',
  {
    params: grantParam,
    query: freshQuery,
    answer: stateBody
  }
)

/** Adds the routes. */
export function addDataRoutes(app: AgentApp, { keeper }: Agent, access: DataAccess): void {
  app.openapi(dataRoute, async context =>
    keeper.hold(async () => {
      const { after = 0, limit = MAX_PAGE_ITEMS } = context.req.valid('query')
      const { entries, next, ...rest } = await access.answer(fromHex(context.req.valid('param').id, 32), {
        after,
        limit
      })
      return context.json({ ...stateView(rest), entries: entries.map(entryView), next }, 200)
    })
  )
  app.openapi(freshRoute, async context => {
    const { after = 0, waitMs = 0 } = context.req.valid('query')
    const found = await access.whenFresh(fromHex(context.req.valid('param').id, 32), { after, waitMs })
    return context.json(stateView(found), 200)
  })
}

function stateView({ asOf: own, masterAsOf, ...rest }: CopyState) {
  const view = (at: AsOf | null) => (at == null ? null : { position: at.position, header: at.header.toString() })
  return { ...rest, asOf: view(own), masterAsOf: view(masterAsOf) }
}
