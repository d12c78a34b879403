/** Blind search at nodes (docs/specs/blind-index.md). */
import { z } from '@hono/zod-openapi'
import type { Agent } from '#agent/agent.ts'
import type { AgentApp } from '#agent/api/agent-app.ts'
import { day } from '#agent/api/entry-wire.ts'
import { none, postRoute } from '#agent/api/route.ts'
import { entryView } from '#agent/api/views.ts'
import { entriesBody } from '#agent/api/wire.ts'
import { compartment } from '#agent/api/wire-parts.ts'
import { searchBlind, uploadBlindLists } from '#agent/access/blind.ts'
import { COMPARTMENTS } from '#core/record/compartment.ts'

const DAY_MS = 86_400_000
const node = z.url({ protocol: /^https?$/ }).max(2048)
const uploadBody = z.strictObject({ node }).openapi('BlindUpload')
const uploadedBody = z.strictObject({ lists: z.int() }).openapi('BlindUploaded')
const questionBody = z
  .strictObject({
    node,
    type: z.string().max(64).optional(),
    code: z.string().max(64).optional(),
    compartments: z.array(compartment).min(1).max(COMPARTMENTS.length).optional(),
    from: day.optional(),
    to: day.optional()
  })
  .openapi('BlindQuestion')

const uploadRoute = postRoute(
  '/v1/patient/blind-lists',
  'Hands a node lists for blind search, in place of older ones',
  {
    ...{ params: none, body: uploadBody, answer: uploadedBody }
  }
)
const searchRoute = postRoute('/v1/patient/blind-search', 'Finds entries by a node’s blind lists', {
  ...{ params: none, body: questionBody, answer: entriesBody }
})

/** Adds the routes. */
export function addBlindRoutes(app: AgentApp, agent: Agent): void {
  const { keeper } = agent
  app.openapi(uploadRoute, async context =>
    keeper.hold(async () => context.json({ lists: await uploadBlindLists(agent, context.req.valid('json').node) }, 200))
  )
  app.openapi(searchRoute, async context =>
    keeper.hold(async () => {
      const { node: url, from, to, type, code, compartments } = context.req.valid('json')
      const entries = await searchBlind(agent, url, {
        ...(type == null ? {} : { type }),
        ...(code == null ? {} : { code }),
        ...(compartments == null ? {} : { compartments }),
        ...(from == null ? {} : { fromDay: Date.parse(from) / DAY_MS }),
        ...(to == null ? {} : { toDay: Date.parse(to) / DAY_MS })
      })
      return context.json({ entries: entries.map(entryView), next: null }, 200)
    })
  )
}
