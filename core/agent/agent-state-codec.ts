/** The bytes of a vault's state (docs/specs/agent-state.md). */
import type {
  AgentState,
  ClinicianAccount,
  Operation,
  PatientAccount,
  ReceivedRequest,
  SettledRequest,
  WalletReference
} from '#core/agent/agent-state.ts'
import { DEVICE_ID_BYTES, MAX_DEVICES, readDevice } from '#core/agent/device.ts'
import { decodeGranteeState, encodeGranteeState } from '#core/agent/grantee-state.ts'
import { decodePatientState, encodePatientState, MAX_PATIENT_STATE_BYTES } from '#core/agent/patient-state-codec.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { MAX_SHARES } from '#core/custody/plan.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import {
  readFollowedReceipts,
  readInvitation,
  readKeptShare,
  readOutgoingShare,
  readRecoveryAttempt
} from '#core/agent/custody-codec.ts'
import { SalusError } from '#core/error.ts'
import { MAX_REQUEST_CODE_BYTES } from '#core/grant/request-code.ts'
import { MAX_EVIDENCE_BYTES } from '#core/identity/evidence.ts'
import { MAX_MESSAGE_BYTES } from '#core/network/envelope.ts'
import { DAG_CBOR_CODEC, readSha256Cid } from '#core/record/cid.ts'

const AREA = 'AGENT_STATE'
const MAX_STATE_BYTES = 167_772_160
const MAX_ITEMS = 65_536
const MAX_URL_LENGTH = 2048
const UINT32_MAX = 0xffff_ffff
const OPERATION_KINDS: readonly string[] = ['register', 'grant', 'revoke', 'replace', 'guardians', 'erase']

/** The bytes to seal. They hold every key of a person: they never leave memory but inside a vault. */
export function encodeAgentState({ patient, clinician, ...rest }: AgentState): Uint8Array {
  return encodeCanonical({
    v: 1,
    ...rest,
    patient: patient == null ? null : { ...patient, state: encodePatientState(patient.state) },
    clinician: clinician == null ? null : { ...clinician, state: encodeGranteeState(clinician.state) }
  })
}

/**
 * Reads back what {@link encodeAgentState} gave.
 *
 * @throws SalusError `AGENT_STATE_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`; `PATIENT_STATE_*`, `GRANTEE_STATE_*`
 */
export function decodeAgentState(bytes: Uint8Array): AgentState {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_STATE_BYTES })
  readVersion(value, AREA)
  const fields = ['v', 'network', 'deviceId', 'deviceSeed', 'devices', 'patient', 'clinician']
  const map = readMap(value, AREA, fields, ['kept', 'recovery', 'logs'])
  return {
    network: readBytes(map['network'], AREA, 'network', 32),
    deviceId: readBytes(map['deviceId'], AREA, 'deviceId', DEVICE_ID_BYTES),
    deviceSeed: readBytes(map['deviceSeed'], AREA, 'deviceSeed', 32),
    devices: readList(map['devices'], AREA, 'devices', MAX_DEVICES, item => readDevice(item, AREA)),
    patient: map['patient'] === null ? null : readPatient(map['patient']),
    clinician: map['clinician'] === null ? null : readClinician(map['clinician']),
    ...(map['kept'] === undefined ? {} : { kept: readList(map['kept'], AREA, 'kept', MAX_ITEMS, readKeptShare) }),
    ...(map['recovery'] === undefined ? {} : { recovery: readRecoveryAttempt(map['recovery']) }),
    ...(map['logs'] === undefined ? {} : { logs: readList(map['logs'], AREA, 'logs', MAX_ITEMS, readFollowedReceipts) })
  }
}

function readPatient(value: unknown): PatientAccount {
  const map = readMap(value, AREA, ['state', 'wallet', 'operations', 'backup', 'requests', 'answered'])
  const backup = readMap(map['backup'], AREA, ['revision', 'cid', 'isDue'])
  const cid = backup['cid']
  return {
    state: decodePatientState(readBytes(map['state'], AREA, 'state', { min: 1, max: MAX_PATIENT_STATE_BYTES })),
    wallet: readWallet(map['wallet']),
    operations: readList(map['operations'], AREA, 'operations', MAX_ITEMS, readOperation),
    backup: {
      revision: readUint(backup['revision'], AREA, 'revision', UINT32_MAX),
      cid: cid === null ? null : readSha256Cid(cid, AREA, 'cid', [DAG_CBOR_CODEC]),
      isDue: readBoolean(backup['isDue'], 'isDue')
    },
    requests: readList(map['requests'], AREA, 'requests', MAX_ITEMS, readReceived),
    answered: readList(map['answered'], AREA, 'answered', MAX_ITEMS, readSettled)
  }
}

function readClinician(value: unknown): ClinicianAccount {
  const map = readMap(value, AREA, ['state', 'seed', 'wallet', 'evidence', 'requests'], ['invitations'])
  return {
    state: decodeGranteeState(readBytes(map['state'], AREA, 'state', { min: 1, max: MAX_PATIENT_STATE_BYTES })),
    seed: readBytes(map['seed'], AREA, 'seed', 32),
    wallet: readWallet(map['wallet']),
    evidence: readBytes(map['evidence'], AREA, 'evidence', { min: 1, max: MAX_EVIDENCE_BYTES }),
    requests: readList(map['requests'], AREA, 'requests', MAX_ITEMS, readSettled),
    ...(map['invitations'] === undefined
      ? {}
      : { invitations: readList(map['invitations'], AREA, 'invitations', MAX_ITEMS, readInvitation) })
  }
}

function readWallet(value: unknown): WalletReference {
  const { kind } = readMap(value, AREA, ['kind'], ['key', 'url', 'address'])
  if (kind === 'key') {
    const map = readMap(value, AREA, ['kind', 'key'])
    return { kind, key: readBytes(map['key'], AREA, 'key', 32) }
  }
  if (kind !== 'rpc') throw new SalusError('AGENT_STATE_SHAPE', 'Refused: a wallet of an unknown kind.')
  const map = readMap(value, AREA, ['kind', 'url', 'address'])
  return {
    kind,
    url: readText(map['url'], AREA, 'url', MAX_URL_LENGTH),
    address: readBytes(map['address'], AREA, 'address', 20)
  }
}

function readOperation(value: unknown): Operation {
  const map = readMap(value, AREA, ['id', 'kind', 'grantId', 'messages'], ['shares'])
  const kind = readText(map['kind'], AREA, 'kind', 16)
  if (!OPERATION_KINDS.includes(kind)) throw new SalusError('AGENT_STATE_SHAPE', 'Refused: an unknown operation.')
  return {
    id: readBytes(map['id'], AREA, 'id', 16),
    kind: kind as Operation['kind'],
    grantId: map['grantId'] === null ? null : readBytes(map['grantId'], AREA, 'grantId', 32),
    messages: readList(map['messages'], AREA, 'messages', MAX_ITEMS, item =>
      readBytes(item, AREA, 'messages', { min: 1, max: MAX_MESSAGE_BYTES })
    ),
    ...(map['shares'] === undefined
      ? {}
      : { shares: readList(map['shares'], AREA, 'shares', MAX_SHARES, readOutgoingShare) })
  }
}

function readReceived(value: unknown): ReceivedRequest {
  const map = readMap(value, AREA, ['code', 'receivedAtS'])
  return {
    code: readBytes(map['code'], AREA, 'code', { min: 1, max: MAX_REQUEST_CODE_BYTES }),
    receivedAtS: readUint(map['receivedAtS'], AREA, 'receivedAtS')
  }
}

function readSettled(value: unknown): SettledRequest {
  const map = readMap(value, AREA, ['digest', 'notAfterS', 'isAnswered'])
  return {
    digest: readBytes(map['digest'], AREA, 'digest', 32),
    notAfterS: readUint(map['notAfterS'], AREA, 'notAfterS'),
    isAnswered: readBoolean(map['isAnswered'], 'isAnswered')
  }
}

function readBoolean(value: unknown, field: string): boolean {
  if (typeof value === 'boolean') return value
  throw new SalusError('AGENT_STATE_SHAPE', `Refused: "${field}" must be a boolean.`)
}
