import type { OpenAPIHono } from '@hono/zod-openapi'
import type { HttpBindings } from '@hono/node-server'
import type { FhirParts } from '#agent/fhir-record/parts.ts'

/** What the API may be told. */
export interface AgentAppInit {
  readonly version: string
  /** What whoever asks has to know. */
  readonly token: string
  readonly nodeUrl: string
  readonly autoLockS: number
  /** Imports, exports and the endpoint. */
  readonly fhir: FhirParts
  /** Called with every request that knew the token. */
  readonly onRequest: () => void
}

/** An application with the bindings of Node's server. */
export type AgentApp = OpenAPIHono<{ Bindings: HttpBindings }>
