/** What an agent has for FHIR, put together. */
import { join } from 'node:path'
import type { Agent } from '#agent/agent.ts'
import { createFhirRecord, type FhirRecord } from '#agent/fhir-record/fhir-record.ts'
import { createLinkServer, type LinkServer } from '#agent/links/link-server.ts'
import { createLinks, type Links } from '#agent/links/links.ts'
import { createHisSync, type HisSync } from '#agent/his/sync.ts'
import { createImports, type Imports } from '#agent/imports/imports.ts'

/** The parts. */
export interface FhirParts {
  readonly fhirRecord: FhirRecord
  readonly imports: Imports
  readonly links: Links
  readonly hisSync: HisSync
  readonly linkServer: LinkServer
}

/** Makes them; nothing is read or written before they are asked. */
export function createFhirParts(
  agent: Agent,
  { home, shareUrl }: { readonly home: string; readonly shareUrl?: string }
): FhirParts {
  const fhirRecord = createFhirRecord(agent)
  const imports = createImports(agent, {
    folder: join(home, 'imports'),
    record: async () => fhirRecord.fresh()
  })
  const hisSync = createHisSync({ ...agent, imports }, { folder: join(home, 'his') })
  const linkServer = createLinkServer(agent, { folder: join(home, 'links') })
  return { fhirRecord, imports, hisSync, links: createLinks(agent, linkServer, shareUrl), linkServer }
}
