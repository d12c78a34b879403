/**
 * The agent's state as an entry of the patient's own record, under keys of the root seed (docs/specs/agent-backup.md): whoever
 * recovers the seed finds it on the network, and with it every grant and every entry.
 */
import type { CID } from 'multiformats/cid'
import { SalusError } from '#core/error.ts'
import { concat, equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { proveAuthor, type ReceivedEntry } from '#core/agent/author.ts'
import { DEVICE_ID_BYTES, MAX_DEVICES, readDevice, type Device } from '#core/agent/device.ts'
import type { PatientState } from '#core/agent/patient-state.ts'
import { MAX_PATIENT_STATE_BYTES, decodePatientState, encodePatientState } from '#core/agent/patient-state-codec.ts'
import type { RecordOnChain } from '#core/agent/record-on-chain.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { dayOf } from '#core/record/day.ts'
import { decodeEntry, ENTRY_ID_BYTES } from '#core/record/entry.ts'
import { TAG_BYTES } from '#core/record/generation.ts'
import { openEntry, sealEntry, type SealedEntry } from '#core/record/seal-entry.ts'

const AREA = 'BACKUP'
const LABEL = 'salus/agent-backup/1'
const SALT = utf8('salus/agent-backup/1')
const TYPE = 'application/vnd.salus.agent-backup+cbor'
const MAX_BACKUP_BYTES: number = MAX_PATIENT_STATE_BYTES + 65_536

/** What one device knew. */
export interface Backup {
  /** Id of the device that made it. */
  readonly device: Uint8Array
  readonly devices: readonly Device[]
  readonly state: PatientState
}

/** A backup with its place among those of its device. */
export interface PlacedBackup extends Backup {
  readonly revision: number
  readonly cid: CID
}

/** The tag that backups carry: like a compartment's, it looks like any other. */
export function backupTag(p: Primitives, seed: Uint8Array): Uint8Array {
  return p.hkdfSha256(seed, SALT, utf8('tag'), TAG_BYTES)
}

function backupKey(p: Primitives, seed: Uint8Array): Uint8Array {
  return p.hkdfSha256(seed, SALT, utf8('key'), 32)
}

/** Each device has an entry of its own, so that no two of them write the same revision. */
function backupEntry(p: Primitives, seed: Uint8Array, device: Uint8Array): Uint8Array {
  return p.hkdfSha256(seed, SALT, concat(utf8('entry/'), device), ENTRY_ID_BYTES)
}

/**
 * Seals a backup.
 *
 * @param input - `deviceSeed`: of the device that makes it; `revision`: one that this device has not used; `parent`: name of
 * an earlier revision, null for the first
 */
export function sealBackup(
  p: Primitives,
  random: Random,
  backup: Backup,
  input: {
    readonly keys: AgentKeys
    readonly deviceSeed: Uint8Array
    readonly revision: number
    readonly parent: CID | null
    readonly nowMs: number
  }
): SealedEntry {
  const { state, device, devices } = backup
  const { nowMs, revision, parent } = input
  const fields = { v: 1, device, devices, state: encodePatientState(state) }
  const body = encodeCanonical({ ...fields, sig: p.ed25519Sign(input.deviceSeed, signingInput(LABEL, fields)) })
  return sealEntry(p, random, {
    network: state.network,
    patient: state.patient,
    tag: backupTag(p, state.seed),
    generation: 1,
    day: dayOf(nowMs),
    leafKey: backupKey(p, state.seed),
    author: input.keys,
    grant: null,
    content: { type: TYPE, recordedAtMs: nowMs, body },
    entry: backupEntry(p, state.seed, device),
    revision,
    parents: parent == null ? [] : [parent]
  })
}

/**
 * Opens a backup: sealed under the seed, written by the patient, signed by a device of its own list.
 *
 * @throws SalusError `BACKUP_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`; `BACKUP_AUTHOR`, `BACKUP_DEVICE`, and as `proveAuthor`, `openEntry` and `decodePatientState`
 */
export function openBackup(
  p: Primitives,
  seed: Uint8Array,
  sealed: ReceivedEntry,
  record: RecordOnChain
): PlacedBackup {
  const { header } = decodeEntry(sealed.headerBytes, record)
  const author = proveAuthor({ ...sealed, header, compartment: 'documents' }, record, [])
  if (author.kind !== 'patient') throw new SalusError('BACKUP_AUTHOR', 'Refused: the patient did not make this backup.')
  const { content, cid } = openEntry(p, { ...sealed, leafKey: backupKey(p, seed), tag: backupTag(p, seed) })
  const value = decodeCanonical(content.body, { area: AREA, maxBytes: MAX_BACKUP_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'device', 'devices', 'state', 'sig'])
  const device = readBytes(map['device'], AREA, 'device', DEVICE_ID_BYTES)
  const devices = readList(map['devices'], AREA, 'devices', MAX_DEVICES, item => readDevice(item, AREA))
  const stateBytes = readBytes(map['state'], AREA, 'state', { min: 1, max: MAX_PATIENT_STATE_BYTES })
  const signature = readBytes(map['sig'], AREA, 'sig', 64)
  const maker = devices.find(each => equalBytes(each.id, device))
  const fields = { v: 1, device, devices, state: stateBytes }
  const isSigned = maker != null && p.ed25519Verify(maker.sign, signingInput(LABEL, fields), signature)
  if (!isSigned || !equalBytes(header.entry, backupEntry(p, seed, device))) {
    throw new SalusError('BACKUP_DEVICE', 'Refused: the device that this backup names did not make it.')
  }
  return { device, devices, state: decodePatientState(stateBytes), revision: header.revision, cid }
}
