import { buildHapi } from '#scripts/interop/hapi-build.ts'
import type { Suite } from '#scripts/interop/suite.ts'
import { runMocha } from '#scripts/process/mocha.ts'

let classPath = ''

/** A person's agent and HAPI FHIR: its server, its client, and HL7's validator. */
export const fhirAtHapi: Suite = {
  name: 'hapi',
  about:
    'records sync from a HAPI FHIR server, its client reads them at the agent, and HL7’s validator passes what is exported',
  prepare: async progress => {
    const built = await buildHapi(progress)
    if ('missing' in built) return built
    ;({ classPath } = built)
    return undefined
  },
  run: async () => runMocha(['test/interop/hapi.interop.ts'], { env: { SALUS_TEST_HAPI: classPath } })
}
