/** The agent's values in the words of its API. */
import type { z } from '@hono/zod-openapi'
import { checkNumber, toCodeParts, toCodeText, type CodeKind } from '#core/agent/code-text.ts'
import type { PatientAccount } from '#core/agent/agent-state.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { decodeGrantDocument } from '#core/grant/document.ts'
import {
  NO_EXPIRY,
  RIGHT_HISTORY,
  RIGHT_READ,
  RIGHT_WRITE,
  UNLIMITED_USES,
  unpackTerms,
  type Terms
} from '#core/grant/terms.ts'
import type { heldBody } from '#agent/api/clinician-wire.ts'
import type { entriesBody, grantsBody, requestBody } from '#agent/api/wire.ts'
import type { HeldAccess } from '#agent/clinician/grants.ts'
import type { Progress } from '#agent/patient/operations.ts'
import type { ShownRequest } from '#agent/patient/requests.ts'
import type { IndexedEntry } from '#agent/record/indexed-entry.ts'

const RIGHTS = { read: RIGHT_READ, write: RIGHT_WRITE, history: RIGHT_HISTORY } as const
const DAY_MS = 86_400_000

/** A right in words. */
export type RightName = keyof typeof RIGHTS

/** Bits to words. */
export function rightNames(bits: number): RightName[] {
  return (['read', 'write', 'history'] as const).filter(name => (bits & RIGHTS[name]) !== 0)
}

/** Words to bits. */
export function rightBits(names: readonly RightName[]): number {
  return names.reduce((bits, name) => bits | RIGHTS[name], 0)
}

/** How something stands. */
export function progressView(progress: Progress) {
  return { state: progress.state, code: progress.state === 'waiting' ? progress.code : null }
}

/** A code to show. */
export function codeView(p: Primitives, kind: CodeKind, code: Uint8Array) {
  return { text: toCodeText(p, kind, code), parts: toCodeParts(p, kind, code), check: checkNumber(p, code) }
}

/** An entry of a list. */
export function entryView({
  position,
  cid,
  header,
  place,
  standing,
  summary
}: IndexedEntry): z.infer<typeof entriesBody>['entries'][number] {
  const isOpen = !('code' in summary)
  return {
    position,
    entry: toHex(header.entry),
    header: cid.toString(),
    revision: header.revision,
    day: new Date(header.day * DAY_MS).toISOString().slice(0, 10),
    sealedBytes: header.sizeBytes,
    compartment: isOpen ? summary.compartment : null,
    author: isOpen
      ? { kind: summary.author.kind, grant: summary.author.kind === 'grantee' ? toHex(summary.author.grantId) : null }
      : null,
    type: isOpen ? summary.type : null,
    recordedAtMs: isOpen ? summary.recordedAtMs : null,
    bodyBytes: isOpen ? summary.bodyBytes : null,
    code: isOpen ? null : summary.code,
    place,
    status: standing?.status ?? null,
    act: isOpen ? summary.act : null,
    reason: isOpen ? summary.reason : '',
    about: isOpen ? summary.about : null,
    versions: standing?.standing.length ?? 0,
    proposals: standing?.proposed.length ?? 0,
    comments: standing?.comments.length ?? 0
  }
}

/** A request for access. */
export function requestView({ id, check, request }: ShownRequest): z.infer<typeof requestBody> {
  const { name, compartments, rights, uses, durationS, purpose, notAfterS } = request
  return {
    id,
    check,
    name,
    address: toHex(request.address),
    compartments: [...compartments],
    rights: rightNames(rights),
    uses: uses === UNLIMITED_USES ? null : uses,
    durationS,
    purpose,
    notAfterS
  }
}

function termsView({ rights, uses, notBefore, expiresAt }: Terms) {
  return {
    rights: rightNames(rights),
    uses: uses === UNLIMITED_USES ? null : uses,
    fromS: notBefore,
    untilS: expiresAt === NO_EXPIRY ? null : expiresAt
  }
}

/** The grants that a patient gave. */
export function grantsView({ state, operations }: PatientAccount, nowS: number): z.infer<typeof grantsBody>['grants'] {
  return state.grants.map(given => {
    const { grantId, document, terms: packed, compartments, isRevoked } = given
    const terms = unpackTerms(BigInt(toHex(packed)))
    const isWaiting = operations.some(
      each => each.kind === 'grant' && each.grantId != null && equalBytes(each.grantId, grantId)
    )
    const time = nowS < terms.notBefore ? 'not-yet' : nowS >= terms.expiresAt ? 'expired' : 'live'
    return {
      grant: toHex(grantId),
      grantee: toHex(terms.grantee),
      compartments: [...compartments],
      ...termsView(terms),
      purpose: decodeGrantDocument(document).purpose,
      state: isRevoked ? 'revoked' : isWaiting ? 'waiting' : time,
      custody: given.custody ?? null
    }
  })
}

/** A grant that a clinician holds. */
export function heldView(
  { grantId, patient, terms, isRevoked, isOpen }: HeldAccess,
  nowS: number
): z.infer<typeof heldBody>['grants'][number] {
  const time = nowS < terms.notBefore ? 'not-yet' : nowS >= terms.expiresAt ? 'expired' : 'live'
  return {
    grant: toHex(grantId),
    patient: toHex(patient),
    ...termsView(terms),
    state: isRevoked ? 'revoked' : terms.uses === 0 ? 'spent' : time,
    hasKeys: isOpen
  }
}
