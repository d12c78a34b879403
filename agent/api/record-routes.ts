/** The patient's own record. */
import type { Agent } from '#agent/agent.ts'
import type { AgentApp } from '#agent/api/agent-app.ts'
import { bytesRoute, fileRoute, getRoute, none } from '#agent/api/route.ts'
import { entryView } from '#agent/api/views.ts'
import { entriesBody, entryParam, importBody, importQuery, MAX_PAGE_ITEMS, pageQuery } from '#agent/api/wire.ts'
import { importFile } from '#agent/patient/import.ts'
import { bodyOf } from '#node/http/body.ts'

const entriesRoute = getRoute('/v1/patient/entries', 'The record, oldest first', {
  params: none,
  query: pageQuery,
  answer: entriesBody
})
const importRoute = fileRoute('/v1/patient/entries', 'Writes a file into the record', {
  params: none,
  query: importQuery,
  answer: importBody
})
const bodyRoute = bytesRoute('/v1/patient/entries/{name}/body', 'What an entry says', { params: entryParam })

const ANY_TYPE = 'application/octet-stream'

/** The media type of a request's body. */
export function typeOf(header: string | undefined): string {
  return (header ?? ANY_TYPE).slice(0, 128)
}

/** Headers of bytes that came out of a record: nothing shows or runs them by itself. */
export const BODY_HEADERS = { 'content-type': ANY_TYPE, 'content-disposition': 'attachment' }

/** Adds the routes. */
export function addRecordRoutes(app: AgentApp, agent: Agent): void {
  const { keeper, record } = agent
  app.openapi(entriesRoute, async context =>
    keeper.hold(async () => {
      const { after = 0, limit = MAX_PAGE_ITEMS } = context.req.valid('query')
      const { entries, next } = await record.list({ after, limit })
      return context.json({ entries: entries.map(entryView), next }, 200)
    })
  )
  app.openapi(importRoute, async context =>
    keeper.hold(async () => {
      const { compartment = null, again, attributes } = context.req.valid('query')
      const type = typeOf(context.req.header('content-type'))
      const file = { bytes: await bodyOf(context), type, compartment }
      const { importer, entries, waiting } = await importFile(agent, file, {
        again: again === 'true',
        attributes: attributes === 'true'
      })
      return context.json({ importer, entries: [...entries], waiting }, 200)
    })
  )
  app.openapi(bodyRoute, async context =>
    keeper.hold(async () => {
      const { content } = await record.open(context.req.valid('param').name)
      return context.body(Uint8Array.from(content.body), 200, BODY_HEADERS)
    })
  )
}
