/** The JSON bodies of imports and exports of FHIR (docs/specs/agent-api.md). */
import { z } from '@hono/zod-openapi'
import { bytes16, compartment } from '#agent/api/wire-parts.ts'
import { isCompartment } from '#core/record/compartment.ts'

/** The name of an import, in a path. */
export const importParam = z.strictObject({ id: z.string().regex(/^[0-9a-f]{32}$/) })
/** Whether to write it once more. */
export const againQuery = z.strictObject({ again: z.enum(['true', 'false']).optional() })
const progress = z.strictObject({
  id: z.string(),
  state: z.enum(['running', 'waiting', 'done', 'refused']),
  code: z.string().nullable(),
  resources: z.int().nullable(),
  unsound: z.int().nullable(),
  done: z.int(),
  manifest: bytes16.nullable()
})
/** How an import stands. */
export const importProgressBody = progress.openapi('ImportProgress')
/** Imports under way, and those that ended since the agent was started. */
export const importsBody = z.strictObject({ imports: z.array(progress) }).openapi('Imports')
/** What was imported and can be made again to the byte. */
export const originalsBody = z
  .strictObject({
    originals: z.array(
      z.strictObject({
        entry: bytes16,
        position: z.int(),
        recordedAtMs: z.int(),
        compartment,
        author: z.enum(['patient', 'grantee'])
      })
    )
  })
  .openapi('Originals')
/** What to write out; sections as a list with commas. */
export const exportQuery = z.strictObject({
  format: z.enum(['bundle', 'ndjson', 'ips']),
  compartments: z
    .string()
    .max(400)
    .transform(text => text.split(','))
    .refine(names => names.every(isCompartment), 'unknown compartment')
    .optional()
})
/** One of the originals, in a path. */
export const originalParam = z.strictObject({ entry: bytes16 })
