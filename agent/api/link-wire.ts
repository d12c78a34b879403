/** The JSON bodies of links (docs/specs/smart-health-link.md). */
import { z } from '@hono/zod-openapi'
import { importProgressBody } from '#agent/api/fhir-wire.ts'
import { compartment, seconds } from '#agent/api/wire-parts.ts'

/** Makes a link; sections that are sensitive are in it only if they are named. */
export const newLink = z
  .strictObject({
    untilS: seconds,
    passcode: z.string().min(4).max(128).optional(),
    /** Null for as often as one likes; once if absent. */
    claims: z.int().min(1).max(1000).nullable().optional(),
    label: z.string().max(80).optional(),
    format: z.enum(['ips', 'bundle']).optional(),
    compartments: z.array(compartment).min(1).optional()
  })
  .openapi('NewLink')
const link = z.strictObject({
  id: z.string(),
  link: z.string().nullable(),
  isLive: z.boolean(),
  untilS: z.int(),
  claimsLeft: z.int().nullable(),
  attemptsLeft: z.int(),
  needsPasscode: z.boolean(),
  claims: z.array(z.strictObject({ atS: z.int(), recipient: z.string() }))
})
/** A link that the patient gave out. */
export const linkBody = link.openapi('Link')
/** All of them. */
export const linksBody = z.strictObject({ links: z.array(link) }).openapi('Links')
/** The name of a link, in a path. */
export const linkParam = z.strictObject({ id: z.string().regex(/^[0-9a-f]{32}$/) })
/** Opens what somebody shows: one link, or the texts of a card’s codes. */
export const shownCodes = z
  .strictObject({
    texts: z.array(z.string().max(50_000)).min(1).max(50),
    passcode: z.string().max(128).optional(),
    recipient: z.string().min(1).max(200),
    allowHttp: z.boolean().optional()
  })
  .openapi('ShownCodes')
/** What was opened is being imported. */
export const openedBody = z
  .strictObject({ imports: z.array(importProgressBody), issuers: z.array(z.string()) })
  .openapi('Opened')
