import type { Primitives } from '#core/crypto/primitives.ts'
import { agentVectors } from '#scripts/vectors/agent-vectors.ts'
import { anchorRequestVectors } from '#scripts/vectors/anchor-requests.ts'
import { careRequestVectors } from '#scripts/vectors/care-requests.ts'
import { custodyVectors } from '#scripts/vectors/custody-vectors.ts'
import { fhirVectors } from '#scripts/vectors/fhir-vectors.ts'
import { firmwareRequestVectors } from '#scripts/vectors/firmware-requests.ts'
import { gattVectors } from '#scripts/vectors/gatt-vectors.ts'
import { grantVectors } from '#scripts/vectors/grant-vectors.ts'
import { linkVectors } from '#scripts/vectors/link-vectors.ts'
import { logVectors } from '#scripts/vectors/log-vectors.ts'
import { patientRequestVectors } from '#scripts/vectors/patient-requests.ts'
import { placementVectors } from '#scripts/vectors/placement-vectors.ts'
import { recordVectors } from '#scripts/vectors/record-vectors.ts'
import { researchRequestVectors } from '#scripts/vectors/research-requests.ts'
import { signalVectors } from '#scripts/vectors/signal-vectors.ts'
import { superRootVectors } from '#scripts/vectors/super-root-vectors.ts'

/** What the code makes of the formats of records, grants and requests: files of `test/vectors` by name, without `.json`. */
export async function allVectors(primitives: Primitives): Promise<Record<string, unknown>> {
  return {
    ...(await recordVectors(primitives)),
    ...(await grantVectors(primitives)),
    ...(await agentVectors(primitives)),
    ...(await custodyVectors(primitives)),
    ...(await fhirVectors(primitives)),
    ...(await logVectors(primitives)),
    ...(await anchorRequestVectors()),
    ...(await careRequestVectors()),
    ...(await patientRequestVectors()),
    ...(await firmwareRequestVectors()),
    ...(await researchRequestVectors()),
    ...gattVectors(),
    ...signalVectors(),
    ...linkVectors(primitives),
    ...superRootVectors(primitives),
    ...placementVectors(primitives)
  }
}
