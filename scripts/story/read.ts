import type { ReceivedEntry } from '#core/agent/author.ts'
import { readRecord as readRecordWith, type Reader } from '#agent/network/record.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import type { NodeClient } from '#node/http/client.ts'
import { osRandom } from '#scripts/story/people.ts'

/** Asks a node for all entries of a patient, as an agent does; `grant` is null where the patient asks. */
export async function readRecord(
  client: NodeClient,
  reader: Reader,
  patient: Uint8Array,
  grant: Uint8Array | null
): Promise<ReceivedEntry[]> {
  const components = { p: nativePrimitives, random: osRandom, clock: () => Date.now() }
  return readRecordWith(components, client, reader, { patient, grant })
}
