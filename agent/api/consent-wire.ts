/** The JSON bodies of the agent's API about what grants show, why, and what is left when they end. */
import { z } from '@hono/zod-openapi'
import { address, bytes16, bytes32, compartment, seconds } from '#agent/api/wire-parts.ts'
import { ROLE_TEMPLATES } from '#core/consent/role-templates.ts'

const MAX_ITEMS = 256
const templateNames = Object.keys(ROLE_TEMPLATES) as (keyof typeof ROLE_TEMPLATES)[]

/** What a grant may be limited to, and the rule that it has to keep to. */
export const grantLimits = {
  /** First and last day. */
  days: z.strictObject({ from: z.iso.date(), to: z.iso.date() }).optional(),
  /** Single entries; with paths, attributes of them. */
  items: z
    .array(z.strictObject({ entry: bytes16, paths: z.array(z.string().max(1000)).max(MAX_ITEMS).optional() }))
    .min(1)
    .max(MAX_ITEMS)
    .optional(),
  roleTemplate: z.enum(templateNames).optional(),
  /** The patient says that the asker is of the care team. */
  careTeam: z.boolean().optional()
}

/** What somebody would see today. */
export const previewBody = z
  .strictObject({
    words: z.string(),
    seen: z.int(),
    hidden: z.int(),
    sensitive: z.int(),
    /** First and last day; null where nothing is seen, or no last day is named. */
    from: z.string().nullable(),
    to: z.string().nullable(),
    sections: z.array(
      z.strictObject({
        compartment,
        isSensitive: z.boolean(),
        entries: z.int(),
        kinds: z.record(z.string(), z.int())
      })
    )
  })
  .openapi('Preview')

/** What is asked: who (a grant or a person), and an entry or a part of the record. */
export const whyRequest = z
  .strictObject({
    who: z.union([bytes32, address]),
    entry: bytes16.optional(),
    compartment: compartment.optional(),
    right: z.enum(['read', 'write']).optional(),
    atS: seconds.optional()
  })
  .openapi('WhyRequest')
const place = z.strictObject({
  contract: z.string(),
  blockNumber: z.int(),
  transactionHash: bytes32,
  logIndex: z.int()
})
/** The steps up to the first that does not hold, each with its place on the chain. */
export const whyBody = z
  .strictObject({
    grant: bytes32.nullable(),
    isAllowed: z.boolean(),
    steps: z.array(
      z.strictObject({ question: z.string(), holds: z.boolean(), because: z.string(), proof: place.nullable() })
    )
  })
  .openapi('Why')

/** How fast a revocation took hold, and what the former grantee may still hold. */
export const revocationReport = {
  /** Until every node that is watched refused, seconds; null while one does not. */
  refusedAfterS: z.number().nullable(),
  replicas: z.array(
    z.strictObject({ node: z.string(), refusedAfterMs: z.int().nullable(), code: z.string().nullable() })
  ),
  /** Ids of entries that its keys open; null where the record could not be read just now. */
  mayHold: z.array(bytes16).nullable(),
  opened: z.array(z.strictObject({ atMs: z.int(), what: z.string(), grant: bytes32, source: z.string() }))
}
