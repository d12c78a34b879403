/**
 * A link that the agent serves, as it lies on the disk (docs/specs/smart-health-link.md#server). It is not sealed: links are
 * served while the vault is shut. It names neither the record nor the key; what the patient alone needs is in `note`, sealed.
 */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SalusError } from '#core/error.ts'
import type { ServedLink } from '#core/fhir/shl/served-link.ts'

const AREA = 'SHL_STATE'
const MAX_BYTES = 1_048_576
const MAX_CLAIMS = 500

/** A link and what it needs to be served. */
export interface HostedState {
  readonly link: ServedLink
  /** Its own address. */
  readonly url: string
  readonly isLongTerm: boolean
  /** For the patient, sealed. */
  readonly note: Uint8Array
}

/** Encodes it. Of very many claims the latest are kept. */
export function encodeHostedState({ link, url, isLongTerm, note }: HostedState): Uint8Array {
  const { expiresAtS, passcode, attemptsLeft, claimsLeft, isRevoked, fileCount, claims, tickets } = link
  return encodeCanonical({
    ...{ v: 1, url, isLongTerm, note, expiresAtS, attemptsLeft, claimsLeft, isRevoked, fileCount },
    passcode: passcode == null ? null : { salt: passcode.salt, digest: passcode.digest },
    claims: claims.slice(-MAX_CLAIMS).map(({ atS, recipient }) => ({ atS, recipient })),
    tickets: tickets.map(({ digest, file, untilS }) => ({ digest, file, untilS }))
  })
}

/**
 * Reads it.
 *
 * @throws SalusError `SHL_STATE_*`
 */
export function decodeHostedState(bytes: Uint8Array): HostedState {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BYTES })
  readVersion(value, AREA)
  const fields = [
    'v',
    'url',
    'isLongTerm',
    'note',
    'expiresAtS',
    'attemptsLeft',
    'claimsLeft',
    'isRevoked',
    'fileCount'
  ]
  const map = readMap(value, AREA, [...fields, 'passcode', 'claims', 'tickets'])
  const uint = (field: string): number => readUint(map[field], AREA, field)
  const passcode = map['passcode'] === null ? null : readMap(map['passcode'], AREA, ['salt', 'digest'])
  const link: ServedLink = {
    expiresAtS: uint('expiresAtS'),
    attemptsLeft: uint('attemptsLeft'),
    claimsLeft: map['claimsLeft'] === null ? null : uint('claimsLeft'),
    isRevoked: flag(map['isRevoked']),
    fileCount: uint('fileCount'),
    passcode:
      passcode == null
        ? null
        : {
            salt: readBytes(passcode['salt'], AREA, 'salt', 32),
            digest: readBytes(passcode['digest'], AREA, 'digest', 32)
          },
    claims: readList(map['claims'], AREA, 'claims', MAX_CLAIMS, each => {
      const claim = readMap(each, AREA, ['atS', 'recipient'])
      return {
        atS: readUint(claim['atS'], AREA, 'atS'),
        recipient: readText(claim['recipient'], AREA, 'recipient', 800)
      }
    }),
    tickets: readList(map['tickets'], AREA, 'tickets', 1000, each => {
      const ticket = readMap(each, AREA, ['digest', 'file', 'untilS'])
      return {
        digest: readBytes(ticket['digest'], AREA, 'digest', 32),
        file: readUint(ticket['file'], AREA, 'file'),
        untilS: readUint(ticket['untilS'], AREA, 'untilS')
      }
    })
  }
  return {
    link,
    url: readText(map['url'], AREA, 'url', 128),
    isLongTerm: flag(map['isLongTerm']),
    note: readBytes(map['note'], AREA, 'note', { min: 0, max: 65_536 })
  }
}

function flag(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new SalusError('SHL_STATE_SHAPE', 'Refused: the state of a link says neither yes nor no.')
}
