/** The JSON bodies of the agent's API that are the clinician's. */
import { z } from '@hono/zod-openapi'
import {
  bytes16,
  bytes32,
  address,
  codeText,
  seconds,
  right,
  compartment,
  wallet,
  shownCode
} from '#agent/api/wire-parts.ts'
import { COMPARTMENTS } from '#core/record/compartment.ts'

/** Makes a clinician. */
export const newClinician = z.strictObject({ wallet }).openapi('NewClinician')
/** A clinician. */
export const clinicianBody = z.strictObject({ address }).openapi('Clinician')
/** What a clinician asks for. */
export const newRequest = z
  .strictObject({
    name: z.string().max(100),
    compartments: z.array(compartment).min(1).max(COMPARTMENTS.length),
    rights: z.array(right).min(1).max(3),
    uses: z.int().min(1).max(255).optional(),
    durationS: seconds.optional(),
    purpose: z.string().max(200),
    validS: seconds.optional()
  })
  .openapi('NewRequest')
/** A request to show. */
export const shownRequestBody = z.strictObject({ code: shownCode }).openapi('ShownRequest')
/** Takes an answer, or claims one more use of a grant that is held. */
export const claimRequest = z
  .strictObject({ code: codeText.optional(), grant: bytes32.optional(), waitMs: z.int().min(0).max(60_000).optional() })
  .openapi('Claim')
/** A grant that is held now; `keys` only where custodians give them: `held`, or the code of what holds them up. */
export const claimBody = z
  .strictObject({ grant: bytes32, usesLeft: z.int().nullable(), keys: z.string().optional() })
  .openapi('Claimed')
/** Grants to this clinician. */
export const heldBody = z
  .strictObject({
    grants: z.array(
      z.strictObject({
        grant: bytes32,
        patient: bytes32,
        rights: z.array(right),
        uses: z.int().nullable(),
        fromS: seconds,
        untilS: seconds.nullable(),
        state: z.enum(['live', 'not-yet', 'expired', 'spent', 'revoked']),
        hasKeys: z.boolean()
      })
    )
  })
  .openapi('HeldGrants')
/** Where a new entry goes. */
export const writeQuery = z.strictObject({ compartment })
/** A new entry. */
export const writtenBody = z.strictObject({ entry: bytes16 }).openapi('Written')
