/** Bringing in what a hospital's server has. */
import { z } from '@hono/zod-openapi'
import type { Agent } from '#agent/agent.ts'
import type { AgentApp } from '#agent/api/agent-app.ts'
import { importProgressBody } from '#agent/api/fhir-wire.ts'
import { none, postRoute } from '#agent/api/route.ts'
import type { FhirParts } from '#agent/fhir-record/parts.ts'

const wish = z
  .strictObject({
    base: z
      .url()
      .max(1024)
      .regex(/^https?:[^\s#?]*[^/\s#?]$/),
    clientId: z.string().min(1).max(256),
    key: z.record(z.string(), z.union([z.string(), z.boolean(), z.array(z.string())])),
    keyId: z.string().min(1).max(256),
    algorithm: z.enum(['ES384', 'RS384']),
    scope: z.string().min(1).max(1024),
    tokenUrl: z.url().max(1024).optional(),
    allowHttp: z.boolean().optional(),
    from: z.union([
      z.strictObject({
        kind: z.literal('bulk'),
        path: z
          .string()
          .max(256)
          .regex(/^[A-Za-z0-9/$._-]+$/)
      }),
      z.strictObject({ kind: z.literal('search'), patient: z.string().regex(/^[A-Za-z0-9.-]{1,64}$/) })
    ]),
    types: z.array(z.string().regex(/^[A-Za-z]{1,64}$/)).max(150),
    all: z.boolean()
  })
  .openapi('HisSync')
const syncedBody = z
  .strictObject({
    since: z.string().nullable(),
    files: z.int(),
    deletions: z.int(),
    problems: z.int(),
    imports: z.array(importProgressBody)
  })
  .openapi('HisSynced')
const syncRoute = postRoute('/v1/patient/his-sync', 'Brings in what is new at a hospital’s server', {
  params: none,
  body: wish,
  answer: syncedBody
})

/** Adds the route. */
export function addHisRoutes(app: AgentApp, agent: Agent, { hisSync }: FhirParts): void {
  app.openapi(syncRoute, async context => {
    const { key, from, types, all, tokenUrl, allowHttp, ...rest } = context.req.valid('json')
    await agent.keeper.hold(async () => agent.accounts.patient())
    const client = {
      ...rest,
      ...(tokenUrl == null ? {} : { tokenUrl }),
      ...(allowHttp == null ? {} : { allowHttp })
    }
    const { state, files, deletions, problems, imports } = await hisSync({ client, key: key, from, types, all })
    const answer = { since: state.since, files, deletions: deletions.length, problems, imports: [...imports] }
    return context.json(answer, 200)
  })
}
