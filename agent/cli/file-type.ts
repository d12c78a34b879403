/** What kind of file it is: by what the person says, what it begins with where that tells of FHIR, and its name. */
import { open } from 'node:fs/promises'
import { typeOfName } from '#agent/cli/command.ts'
import { FHIR_JSON, FHIR_NDJSON } from '#core/fhir/import/planned-entry.ts'

const HEAD_BYTES = 65_536
const FHIR_NAMES = /\.(?:json|ndjson|fhir)$/i

/** Whether a file is FHIR JSON: by its ending and what it begins with. */
export async function isFhirFile(path: string, type?: string): Promise<boolean> {
  if (type != null ? !/json/i.test(type) : !FHIR_NAMES.test(path)) return false
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    return /^\s*\{[^]*"resourceType"/.test(buffer.subarray(0, bytesRead).toString('latin1'))
  } finally {
    await file.close()
  }
}

/** The media type of a file that becomes one entry as it is. */
export async function typeOfFile(path: string): Promise<string> {
  if (!(await isFhirFile(path))) return typeOfName(path)
  return /\.ndjson$/i.test(path) ? FHIR_NDJSON : FHIR_JSON
}
