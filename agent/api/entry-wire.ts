/** The JSON bodies of the agent's API about entries with all their revisions, and about finding them. */
import { z } from '@hono/zod-openapi'
import { address, bytes16, bytes32, compartment } from '#agent/api/wire-parts.ts'
import { ACTS } from '#core/log/statement.ts'
import { COMPARTMENTS } from '#core/record/compartment.ts'
import { REVISIONS } from '#agent/record/revision.ts'

/** Largest number of entries that one search gives. */
export const MAX_FOUND = 100

const act = z.enum(['state', ...ACTS]).nullable()
const status = z.enum(['current', 'conflict', 'retracted', 'erased', 'unreadable'])
/** A day, as 2026-12-31. */
export const day = z.iso.date()

/** What an entry of a list says of its place among the entry's revisions. */
export const entryStanding = {
  place: z.enum(['stands', 'proposed', 'superseded', 'waiting', 'unproven', 'refused']),
  status: status.nullable(),
  act,
  reason: z.string(),
  about: bytes16.nullable(),
  versions: z.int(),
  proposals: z.int(),
  comments: z.int()
}

const revision = z.strictObject({
  header: z.string(),
  revision: z.int(),
  day: z.string(),
  author: z.strictObject({
    kind: z.enum(['patient', 'grantee']),
    address: address.nullable(),
    grant: bytes32.nullable()
  }),
  act,
  reason: z.string(),
  about: bytes16.nullable(),
  type: z.string().nullable(),
  recordedAtMs: z.int().nullable(),
  bodyBytes: z.int().nullable(),
  text: z.string().nullable(),
  code: z.string().nullable()
})
const comment = z.strictObject({
  entry: bytes16,
  status,
  standing: z.array(revision),
  history: z.array(revision)
})
/** An entry with its versions, proposals, corrections and comments. */
export const entryBody = z
  .strictObject({
    entry: bytes16,
    status,
    compartment: compartment.nullable(),
    standing: z.array(revision),
    proposed: z.array(revision),
    originals: z.array(revision),
    history: z.array(revision),
    comments: z.array(comment)
  })
  .openapi('Entry')

/** An entry's id in a path. */
export const entryIdParam = z.strictObject({ entry: bytes16 })
/** That of a record that was granted. */
export const grantedEntryIdParam = z.strictObject({ id: bytes32, entry: bytes16 })
/** What is done with an entry; why, is in the header `salus-because`, percent-encoded. */
export const revisionQuery = z.strictObject({
  kind: z.enum(REVISIONS),
  header: z
    .string()
    .max(128)
    .regex(/^[A-Za-z0-9]+$/)
    .optional()
})
/** A revision that was written. */
export const revisedBody = z
  .strictObject({ entry: bytes16, header: z.string().nullable(), waiting: z.int() })
  .openapi('Revised')

/** What is looked for; all of it must hold. */
export const searchBody = z
  .strictObject({
    text: z.string().max(1000).optional(),
    code: z.string().max(300).optional(),
    type: z.string().max(64).optional(),
    status: z.string().max(64).optional(),
    compartments: z.array(compartment).min(1).max(COMPARTMENTS.length).optional(),
    from: day.optional(),
    to: day.optional(),
    limit: z.int().min(1).max(MAX_FOUND).optional(),
    offset: z.int().min(0).max(1_000_000).optional()
  })
  .openapi('Search')
