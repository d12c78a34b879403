/** The agent's API (docs/specs/agent-api.md): of one person, on one computer. */
import { OpenAPIHono } from '@hono/zod-openapi'
import type { HttpBindings } from '@hono/node-server'
import { secureHeaders } from 'hono/secure-headers'
import { SalusError } from '#core/error.ts'
import type { AgentApp, AgentAppInit } from '#agent/api/agent-app.ts'
import type { Agent } from '#agent/agent.ts'
import { createGuard } from '#agent/api/guard.ts'
import { addBlindRoutes } from '#agent/api/blind-routes.ts'
import { addClinicianRoutes } from '#agent/api/clinician-routes.ts'
import { addConsentRoutes } from '#agent/api/consent-routes.ts'
import { addEntryRoutes } from '#agent/api/entry-routes.ts'
import { addCustodyRoutes } from '#agent/api/custody-routes.ts'
import { addGuardianRoutes } from '#agent/api/guardian-routes.ts'
import { addFhirEndpoint } from '#agent/api/fhir-endpoint.ts'
import { addFhirRoutes } from '#agent/api/fhir-routes.ts'
import { addHisRoutes } from '#agent/api/his-routes.ts'
import { addLinkRoutes } from '#agent/api/link-routes.ts'
import { createDataAccess } from '#agent/access/data-access.ts'
import { addDataRoutes } from '#agent/api/data-routes.ts'
import { addGlassRoutes } from '#agent/api/glass-routes.ts'
import { addOfflineRoutes } from '#agent/api/offline-routes.ts'
import { addPatientRoutes } from '#agent/api/patient-routes.ts'
import { addRecordRoutes } from '#agent/api/record-routes.ts'
import { AGENT_STATUS } from '#agent/api/status.ts'
import { addStandingRoutes } from '#agent/api/standing-routes.ts'
import { addVaultRoutes } from '#agent/api/vault-routes.ts'
import { problemResponse } from '#node/http/problem.ts'

/** Makes the application; who listens is another matter. */
export function createAgentApp(agent: Agent, init: AgentAppInit): AgentApp {
  const { log } = agent
  const app: AgentApp = new OpenAPIHono<{ Bindings: HttpBindings }>({
    defaultHook: result => {
      if (result.success) return
      // Where, never what: a body may hold what must not be in an answer or a log.
      const place = result.error.issues[0]?.path.join('.') ?? ''
      throw new SalusError('HTTP_BODY_SHAPE', `The request is not as documented at "${place}"; see /openapi.json.`)
    }
  })
  app.use(secureHeaders())
  app.use(createGuard(init.token))
  app.use(async (context, next) => {
    init.onRequest()
    context.header('cache-control', 'no-store')
    await next()
  })
  app.onError((error, context) => problemResponse(context, error, log, AGENT_STATUS))
  app.notFound(context =>
    problemResponse(context, new SalusError('HTTP_NOT_FOUND', 'There is nothing here; see /openapi.json.'), log)
  )
  addVaultRoutes(app, agent, init)
  addPatientRoutes(app, agent)
  addRecordRoutes(app, agent)
  addClinicianRoutes(app, agent)
  addEntryRoutes(app, agent)
  addConsentRoutes(app, agent)
  addGuardianRoutes(app, agent)
  addCustodyRoutes(app, agent)
  addFhirRoutes(app, agent, init.fhir)
  addLinkRoutes(app, agent, init.fhir)
  addHisRoutes(app, agent, init.fhir)
  addFhirEndpoint(app, agent, init.fhir)
  addDataRoutes(app, agent, createDataAccess(agent))
  addGlassRoutes(app, agent, init)
  addStandingRoutes(app, agent)
  addOfflineRoutes(app, agent)
  addBlindRoutes(app, agent)
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Salus agent', version: init.version, license: { name: 'Apache-2.0' } }
  })
  return app
}
