/** The read-only FHIR R4 endpoint (docs/specs/fhir.md#endpoint), behind the same token and checks as everything else. */
import type { Context } from 'hono'
import type { Agent } from '#agent/agent.ts'
import type { AgentApp } from '#agent/api/agent-app.ts'
import { AGENT_STATUS } from '#agent/api/status.ts'
import { streamOf } from '#agent/api/streams.ts'
import type { FhirParts } from '#agent/fhir-record/parts.ts'
import { isSalusError } from '#core/error.ts'
import { handleFhir, type FhirView } from '#core/fhir/server/handle.ts'
import { outcomeOf } from '#core/fhir/server/outcome.ts'
import { atMost, bodyOf } from '#node/http/body.ts'

const MOUNT = '/fhir'
const MAX_FORM_BYTES = 16_384

/** Adds the endpoint. */
export function addFhirEndpoint(app: AgentApp, agent: Agent, { fhirRecord }: FhirParts): void {
  app.use(`${MOUNT}/*`, atMost(MAX_FORM_BYTES))
  app.all(`${MOUNT}/*`, async context => {
    try {
      return await agent.keeper.hold(async () => answer(context, (await fhirRecord.fresh()).view))
    } catch (error) {
      if (!isSalusError(error)) throw error
      // A FHIR client reads no other kind of problem.
      const status = AGENT_STATUS[error.code] ?? 500
      const text = outcomeOf({ status, code: error.code, issue: 'exception', text: error.message })
      return context.body(text, status, { 'content-type': 'application/fhir+json; charset=utf-8' })
    }
  })
}

async function answer(context: Context, { resources, ...view }: FhirView): Promise<Response> {
  const { pathname, search, host } = new URL(context.req.url)
  const form = context.req.method === 'POST' ? new TextDecoder().decode(await bodyOf(context)) : ''
  const accept = context.req.header('accept')
  const request = {
    method: context.req.method,
    path: pathname.slice(MOUNT.length),
    query: [search.slice(1), form].filter(each => each !== '').join('&'),
    ...(accept == null ? {} : { accept })
  }
  // The guard has judged the host: links lead back to where the question was asked.
  const base = `http://${host}${MOUNT}`
  const { status, headers, body } = await handleFhir(request, { ...view, resources, base })
  const bytes = body instanceof Uint8Array ? Uint8Array.from(body) : await streamOf(body)
  return new Response(bytes, { status, headers })
}
