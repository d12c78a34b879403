/** The JSON bodies of the agent's API (docs/specs/agent-api.md): the same schemas validate, document and type them. */
import { z } from '@hono/zod-openapi'
import {
  address,
  bytes16,
  bytes32,
  codeText,
  compartment,
  passphrase,
  progress,
  right,
  seconds,
  shownCode,
  wallet
} from '#agent/api/wire-parts.ts'
import { grantLimits, revocationReport } from '#agent/api/consent-wire.ts'
import { entryStanding } from '#agent/api/entry-wire.ts'
import { COMPARTMENTS } from '#core/record/compartment.ts'

/** Largest JSON body, bytes. */
export const MAX_JSON_BODY_BYTES: number = 128 * 1024

/** Largest file that is imported in one request, bytes. */
export const MAX_FILE_BYTES: number = 256 << 20

/** Most entries of one page. */
export const MAX_PAGE_ITEMS = 100

/** What the agent is and where it stands. */
export const statusBody = z
  .strictObject({
    version: z.string(),
    state: z.enum(['empty', 'locked', 'unlocked']),
    networkId: bytes32,
    node: z.string(),
    autoLockS: z.int(),
    device: z.strictObject({ id: bytes16, name: z.string() }).nullable(),
    patient: z.strictObject({ id: bytes32, signer: address, waiting: z.int(), backedUp: z.boolean() }).nullable(),
    clinician: z.strictObject({ address }).nullable()
  })
  .openapi('AgentStatus')

/** Makes a vault. */
export const newVault = z.strictObject({ passphrase, deviceName: z.string().min(1).max(64) }).openapi('NewVault')
/** Opens the vault. */
export const unlockRequest = z.strictObject({ passphrase }).openapi('Unlock')
/** Changes the passphrase. */
export const passphraseChange = z.strictObject({ before: passphrase, after: passphrase }).openapi('PassphraseChange')
/** Nothing to say but that it is so. */
export const doneBody = z.strictObject({ ok: z.literal(true) }).openapi('Done')

/** The person's devices. */
export const devicesBody = z
  .strictObject({
    devices: z.array(
      z.strictObject({
        id: bytes16,
        name: z.string(),
        addedAtMs: z.int(),
        revokedAtMs: z.int().nullable(),
        isThis: z.boolean()
      })
    )
  })
  .openapi('Devices')
/** An id in a path. */
export const deviceParam = z.strictObject({ id: bytes16 })
/** An id in a path. */
export const grantParam = z.strictObject({ id: bytes32 })
/** An entry's id, or the name of one of its headers, in a path. */
export const entryParam = z.strictObject({
  name: z
    .string()
    .max(128)
    .regex(/^[A-Za-z0-9]+$/)
})
/** Both. */
export const grantEntryParam = z.strictObject({ ...grantParam.shape, ...entryParam.shape })

/** Makes a patient; with the wallet that is to control the record, if that is elsewhere. */
export const newPatient = z.strictObject({ wallet }).openapi('NewPatient')
/** A patient as it stands. */
export const patientBody = z.strictObject({ patient: bytes32, signer: address, progress }).openapi('Patient')
/** Asks for the root seed. */
export const seedRequest = z.strictObject({ passphrase }).openapi('SeedRequest')
/** The root seed, and the wallet's key where that lies in the vault. */
export const seedBody = z.strictObject({ seed: bytes32, wallet: bytes32.nullable() }).openapi('Seed')
/** Makes a patient's account again from its root seed. */
export const recovery = z.strictObject({ seed: bytes32, walletKey: bytes32.optional(), wallet }).openapi('Recovery')
/** What a recovery found. */
export const recoveryBody = z
  .strictObject({ patient: bytes32, grants: z.int(), inControl: z.boolean() })
  .openapi('Recovered')

/** Which entries. */
export const pageQuery = z.strictObject({
  after: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE_ITEMS).optional()
})
const entry = z.strictObject({
  position: z.int(),
  entry: bytes16,
  header: z.string(),
  revision: z.int(),
  day: z.string(),
  sealedBytes: z.int(),
  compartment: compartment.nullable(),
  author: z.strictObject({ kind: z.enum(['patient', 'grantee']), grant: bytes32.nullable() }).nullable(),
  type: z.string().nullable(),
  recordedAtMs: z.int().nullable(),
  bodyBytes: z.int().nullable(),
  code: z.string().nullable(),
  ...entryStanding
})
/** A page of entries, oldest first; `code` says why one does not open. */
export const entriesBody = z.strictObject({ entries: z.array(entry), next: z.int().nullable() }).openapi('Entries')
/** Where an imported file goes. */
export const importQuery = z.strictObject({
  compartment: compartment.optional(),
  again: z.enum(['true', 'false']).optional(),
  attributes: z.enum(['true', 'false']).optional()
})
/** What an import has written. */
export const importBody = z
  .strictObject({ importer: z.string(), entries: z.array(bytes16), waiting: z.int() })
  .openapi('Imported')

/** A code as it was scanned or pasted. */
export const scannedCode = z.strictObject({ code: codeText }).openapi('ScannedCode')
const request = z.strictObject({
  id: bytes32,
  check: z.string(),
  name: z.string(),
  address,
  compartments: z.array(compartment),
  rights: z.array(right),
  uses: z.int().nullable(),
  durationS: seconds,
  purpose: z.string(),
  notAfterS: seconds
})
/** A request that waits for an answer. */
export const requestBody = request.openapi('AccessRequest')
/** Those that wait. */
export const requestsBody = z.strictObject({ requests: z.array(request) }).openapi('AccessRequests')

/** What the patient allows; what is left out is as the request asks. One of `code` and `request` names it. */
export const grantRequest = z
  .strictObject({
    code: codeText.optional(),
    request: bytes32.optional(),
    check: z.string().max(32).optional(),
    compartments: z.array(compartment).min(1).max(COMPARTMENTS.length).optional(),
    rights: z.array(right).min(1).max(3).optional(),
    uses: z.int().min(1).max(255).optional(),
    fromS: seconds.optional(),
    untilS: seconds.optional(),
    purpose: z.string().max(200).optional(),
    custodians: z
      .array(
        z
          .url()
          .max(200)
          .regex(/^https?:\/\/[!-~]+$/)
      )
      .min(2)
      .max(16)
      .optional(),
    threshold: z.int().min(2).max(16).optional(),
    ...grantLimits
  })
  .openapi('GrantRequest')
/** A grant on its way, with the answer for who asked. */
export const grantedBody = z.strictObject({ grant: bytes32, answer: shownCode, progress }).openapi('Granted')
/** A revocation on its way. */
export const revokedBody = z
  .strictObject({ grant: bytes32, progress, tookMs: z.int(), ...revocationReport })
  .openapi('Revoked')
const givenGrant = z.strictObject({
  grant: bytes32,
  grantee: address,
  compartments: z.array(compartment),
  rights: z.array(right),
  uses: z.int().nullable(),
  fromS: seconds,
  untilS: seconds.nullable(),
  purpose: z.string(),
  state: z.enum(['waiting', 'live', 'not-yet', 'expired', 'revoked']),
  custody: z.enum(['shared', 'outdated']).nullable()
})
/** The grants that the patient gave. */
export const grantsBody = z.strictObject({ grants: z.array(givenGrant) }).openapi('GivenGrants')
/** What happened to the record; `alarms` names custodians whose receipts cannot be had, or not be believed. */
export const accessesBody = z
  .strictObject({
    accesses: z.array(z.strictObject({ atMs: z.int(), what: z.string(), grant: bytes32, source: z.string() })),
    alarms: z.array(z.strictObject({ url: z.string(), code: z.string() }))
  })
  .openapi('Accesses')
