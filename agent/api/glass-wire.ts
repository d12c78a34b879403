/** The JSON bodies of the agent's API about emergencies (docs/specs/agent-api.md). */
import { z } from '@hono/zod-openapi'
import { bytes16, bytes32, seconds } from '#agent/api/wire-parts.ts'
import { REVIEW_OUTCOMES } from '#agent/glass/emergencies.ts'
import { NOTIFICATION_KINDS } from '#agent/glass/notifications.ts'

const nodeUrl = z.url({ protocol: /^https?$/ }).max(2048)
const base64url = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .regex(/^[A-Za-z0-9_-]+$/, 'expected base64url without padding')
const reasonText = z.string().min(1).max(1024)

/** Declares an emergency; custodians are the agent's own node if not given. */
export const newEmergency = z
  .strictObject({
    patient: bytes32,
    reason: reasonText,
    durationS: z.int().min(1).max(86_400),
    credential: bytes32.optional(),
    custodians: z.array(nodeUrl).min(1).max(32).optional(),
    reviewers: z.array(base64url(4096)).max(3).optional()
  })
  .openapi('NewEmergency')

/** An emergency that this responder declared. */
export const heldEmergencyBody = z
  .strictObject({
    emergency: bytes32,
    patient: bytes32,
    reason: z.string(),
    sinceS: seconds,
    untilS: seconds,
    isOffline: z.boolean(),
    state: z.enum(['open', 'without-keys', 'over'])
  })
  .openapi('HeldEmergency')
/** All of them. */
export const heldEmergenciesBody = z
  .strictObject({ emergencies: z.array(heldEmergencyBody) })
  .openapi('HeldEmergencies')

/** An emergency as the chain has it. */
const emergencyFields = {
  emergency: bytes32,
  patient: bytes32,
  credential: bytes32,
  sinceS: seconds,
  untilS: seconds,
  isActive: z.boolean(),
  isDisputed: z.boolean(),
  outcome: z.enum(REVIEW_OUTCOMES)
}
/** The patient's emergencies. */
export const emergenciesBody = z
  .strictObject({
    emergencies: z.array(z.strictObject({ ...emergencyFields, reason: z.string().nullable(), isOffline: z.boolean() }))
  })
  .openapi('Emergencies')
/** Emergencies that await review. */
export const reviewsBody = z
  .strictObject({ emergencies: z.array(z.strictObject(emergencyFields)) })
  .openapi('ReviewQueue')

/** What a review found. */
export const newReview = z
  .strictObject({ outcome: z.enum(['justified', 'questionable', 'unjustified']), report: reasonText })
  .openapi('NewReview')
/** Why the patient disputes it. */
export const newDispute = z.strictObject({ statement: reasonText }).openapi('NewDispute')
/** What a statement was salted with. */
export const saltBody = z.strictObject({ salt: bytes32 }).openapi('Salt')

/** Who is to keep shares for emergencies, how many must meet, and how many hours of vitals they open. */
export const newPreparation = z
  .strictObject({
    custodians: z.array(nodeUrl).min(2).max(32),
    threshold: z.int().min(2).max(32),
    hours: z
      .int()
      .min(1)
      .max(24 * 30)
  })
  .openapi('NewPreparation')
/** What is prepared. */
export const preparationBody = z
  .strictObject({ custodians: z.int(), threshold: z.int(), hours: z.int(), revision: z.int(), throughDay: z.string() })
  .openapi('Preparation')

/** What a person is told without having asked. */
export const notificationsBody = z
  .strictObject({
    notifications: z.array(
      z.strictObject({
        number: z.int(),
        kind: z.enum(NOTIFICATION_KINDS),
        patient: bytes32,
        subject: z.union([bytes32, bytes16]),
        atMs: z.int()
      })
    )
  })
  .openapi('Notifications')
/** From which on. */
export const notificationsQuery = z.strictObject({ after: z.coerce.number().int().min(0).optional() })
/** Whom to look after. */
export const newWatch = z.strictObject({ patient: bytes32 }).openapi('NewWatch')
