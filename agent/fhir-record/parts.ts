/** What an agent has for FHIR, put together. */
import { join } from 'node:path'
import type { Accounts } from '#agent/accounts.ts'
import type { AgentComponents } from '#agent/components.ts'
import { createFhirRecord, type FhirRecord } from '#agent/fhir-record/fhir-record.ts'
import { createImports, type Imports } from '#agent/imports/imports.ts'
import type { Backups } from '#agent/patient/backups.ts'

/** The parts. */
export interface FhirParts {
  readonly fhirRecord: FhirRecord
  readonly imports: Imports
}

/** Makes them; nothing is read or written before they are asked. */
export function createFhirParts(
  components: AgentComponents & { readonly accounts: Accounts; readonly backups: Backups },
  { home }: { readonly home: string }
): FhirParts {
  const fhirRecord = createFhirRecord(components)
  const imports = createImports(components, {
    folder: join(home, 'imports'),
    async elsewhere() {
      const places = (await fhirRecord.fresh()).places()
      return name => places.get(name)
    }
  })
  return { fhirRecord, imports }
}
