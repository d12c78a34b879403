/** The JSON bodies of the agent's API about guardians and recoveries. Shares, cards and the like travel as base64. */
import { z } from '@hono/zod-openapi'
import { address, bytes32, progress, seconds } from '#agent/api/wire-parts.ts'

/** The contract's bounds of the time between a recovery and its completion, seconds. */
const [MIN_DELAY_S, MAX_DELAY_S] = [86_400, 30 * 86_400]

const packed = z
  .string()
  .min(4)
  .max(100_000)
  .regex(/^[A-Za-z0-9+/]+={0,2}$/, 'expected base64')

/** Cards of the guardians that are to be. */
export const newGuardians = z
  .strictObject({
    cards: z.array(packed).min(2).max(32),
    threshold: z.int().min(2).max(32),
    delayS: z.int().min(MIN_DELAY_S).max(MAX_DELAY_S).optional()
  })
  .openapi('NewGuardians')
/** Shares to hand over, each for one guardian's eyes only. */
export const guardianSharesBody = z
  .strictObject({ revision: z.int(), shares: z.array(z.strictObject({ address, share: packed })) })
  .openapi('GuardianShares')
/** The guardians as they stand. */
export const guardiansBody = z
  .strictObject({
    guardians: z.array(z.strictObject({ address, isConfirmed: z.boolean() })),
    revision: z.int(),
    threshold: z.int(),
    delayS: seconds,
    isActive: z.boolean(),
    recoveryReadyAtS: seconds.nullable()
  })
  .openapi('Guardians')
/** A guardian's confirmation. */
export const confirmationRequest = z.strictObject({ confirmation: packed }).openapi('GuardianConfirmation')
/** How the request to the chain stands; null while it waits for confirmations. */
export const confirmedBody = z.strictObject({ progress: progress.nullable() }).openapi('GuardianConfirmed')
/** A guardian's card. */
export const cardBody = z.strictObject({ card: packed }).openapi('GuardianCard')
/** A share to keep. */
export const shareRequest = z.strictObject({ share: packed }).openapi('GuardianShare')
/** That it is kept. */
export const confirmationBody = z.strictObject({ confirmation: packed }).openapi('ShareConfirmation')
/** For whom shares are kept. */
export const keptBody = z
  .strictObject({ shares: z.array(z.strictObject({ patient: bytes32, revision: z.int() })) })
  .openapi('KeptShares')
/** A new device's request, and the check number that the person before the guardian reads out. */
export const recoveryRequest = z
  .strictObject({ request: packed, check: z.string().max(32).optional() })
  .openapi('RecoveryRequest')
/** A guardian's consent. */
export const approvalBody = z.strictObject({ approval: packed }).openapi('RecoveryApproval')
/** A guardian's share for the new device. */
export const releaseBody = z.strictObject({ release: packed }).openapi('ShareRelease')
/** Whose record is to be recovered. */
export const newRecovery = z.strictObject({ patient: bytes32 }).openapi('NewRecovery')
/** What guardians get to see. */
export const recoveryBegunBody = z.strictObject({ request: packed, check: z.string() }).openapi('RecoveryBegun')
/** Guardians' approvals. */
export const approvalsRequest = z.strictObject({ approvals: z.array(packed).min(2).max(32) }).openapi('Approvals')
/** From when on the recovery may be completed. */
export const recoveryOpenBody = z.strictObject({ readyAtS: seconds }).openapi('RecoveryOpen')
/** Guardians' shares. */
export const releasesRequest = z.strictObject({ releases: z.array(packed).min(2).max(32) }).openapi('Releases')
/** The patient, or how many shares are missing, and which are wrong. */
export const recoveredBody = z
  .strictObject({
    patient: bytes32.nullable(),
    grants: z.int(),
    missing: z.int(),
    wrong: z.array(z.strictObject({ at: z.int(), code: z.string() }))
  })
  .openapi('RecoveredByGuardians')
