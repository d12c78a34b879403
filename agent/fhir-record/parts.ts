/** What an agent has for FHIR, put together. */
import { join } from 'node:path'
import type { Accounts } from '#agent/accounts.ts'
import type { AgentComponents } from '#agent/components.ts'
import { createFhirRecord, type FhirRecord } from '#agent/fhir-record/fhir-record.ts'
import { createLinkServer, type LinkServer } from '#agent/links/link-server.ts'
import { createLinks, type Links } from '#agent/links/links.ts'
import { createHisSync, type HisSync } from '#agent/his/sync.ts'
import { createImports, type Imports } from '#agent/imports/imports.ts'
import type { Backups } from '#agent/patient/backups.ts'

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
  components: AgentComponents & { readonly accounts: Accounts; readonly backups: Backups },
  { home, shareUrl }: { readonly home: string; readonly shareUrl?: string }
): FhirParts {
  const fhirRecord = createFhirRecord(components)
  const imports = createImports(components, {
    folder: join(home, 'imports'),
    record: async () => fhirRecord.fresh()
  })
  const hisSync = createHisSync({ ...components, imports }, { folder: join(home, 'his') })
  const linkServer = createLinkServer(components, { folder: join(home, 'links') })
  return { fhirRecord, imports, hisSync, links: createLinks(components, linkServer, shareUrl), linkServer }
}
