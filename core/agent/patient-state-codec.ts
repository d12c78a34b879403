/** The bytes of a patient's state (docs/specs/agent-state.md). */
import { readGuardianPlan } from '#core/agent/guardian-plan.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SalusError } from '#core/error.ts'
import type { CustodyState, GivenGrant, KeptGeneration, PatientState } from '#core/agent/patient-state.ts'
import { MAX_ANSWER_CUSTODIANS } from '#core/grant/answer-code.ts'
import { MAX_GRANT_DOCUMENT_BYTES } from '#core/grant/document.ts'
import { MAX_KEY_BUNDLE_BYTES } from '#core/identity/key-bundle.ts'
import { COMPARTMENTS, readCompartment, type Compartment } from '#core/record/compartment.ts'
import { LAST_DAY } from '#core/record/day.ts'

const AREA = 'PATIENT_STATE'
const MAX_GENERATIONS = 65_536
const MAX_GRANTS = 65_536
const UINT32_MAX = 0xffff_ffff

/** The most bytes a patient's state may have. */
export const MAX_PATIENT_STATE_BYTES = 67_108_864

/** The bytes to keep. They hold every key of the record: encrypt them at rest. */
export function encodePatientState(state: PatientState): Uint8Array {
  return encodeCanonical({ v: 1, ...state })
}

/**
 * Reads back what {@link encodePatientState} gave.
 *
 * @throws SalusError `PATIENT_STATE_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`
 */
export function decodePatientState(bytes: Uint8Array): PatientState {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_PATIENT_STATE_BYTES })
  readVersion(value, AREA)
  const fields = ['v', 'network', 'patient', 'salt', 'signer', 'seed', 'epoch', 'generations', 'grants']
  const map = readMap(value, AREA, [...fields, 'rotationRevision'], ['guardians'])
  return {
    network: readBytes(map['network'], AREA, 'network', 32),
    patient: readBytes(map['patient'], AREA, 'patient', 32),
    salt: readBytes(map['salt'], AREA, 'salt', 32),
    signer: readBytes(map['signer'], AREA, 'signer', 20),
    seed: readBytes(map['seed'], AREA, 'seed', 32),
    epoch: readUint(map['epoch'], AREA, 'epoch', UINT32_MAX),
    generations: readGenerations(map['generations']),
    grants: readList(map['grants'], AREA, 'grants', MAX_GRANTS, readGrant),
    rotationRevision: readUint(map['rotationRevision'], AREA, 'rotationRevision', UINT32_MAX),
    ...(map['guardians'] === undefined ? {} : { guardians: readGuardianPlan(map['guardians']) })
  }
}

function readGenerations(value: unknown): PatientState['generations'] {
  const map = readMap(value, AREA, COMPARTMENTS)
  const generations: Partial<Record<Compartment, KeptGeneration[]>> = {}
  for (const each of COMPARTMENTS) {
    const kept = readList(map[each], AREA, each, MAX_GENERATIONS, readGeneration)
    if (kept.length === 0)
      throw new SalusError('PATIENT_STATE_SHAPE', 'The agent’s state lacks keys; restore a backup.')
    generations[each] = kept
  }
  return generations as Record<Compartment, KeptGeneration[]>
}

function readGeneration(value: unknown): KeptGeneration {
  const map = readMap(value, AREA, ['number', 'key', 'retiredDay'])
  return {
    number: readUint(map['number'], AREA, 'number', UINT32_MAX),
    key: readBytes(map['key'], AREA, 'key', 32),
    retiredDay: map['retiredDay'] === null ? null : readUint(map['retiredDay'], AREA, 'retiredDay', LAST_DAY)
  }
}

function readGrant(value: unknown): GivenGrant {
  const named = ['grantId', 'document', 'terms', 'bundle', 'compartments', 'firstGenerations']
  const map = readMap(
    value,
    AREA,
    [...named, 'fromDay', 'toDay', 'capsuleRevision', 'isRevoked'],
    ['custody', 'custodians']
  )
  const isRevoked = map['isRevoked']
  if (typeof isRevoked !== 'boolean')
    throw new SalusError('PATIENT_STATE_SHAPE', 'Refused: "isRevoked" must be a boolean.')
  const count = COMPARTMENTS.length
  return {
    grantId: readBytes(map['grantId'], AREA, 'grantId', 32),
    document: readBytes(map['document'], AREA, 'document', { min: 1, max: MAX_GRANT_DOCUMENT_BYTES }),
    terms: readBytes(map['terms'], AREA, 'terms', 32),
    bundle: readBytes(map['bundle'], AREA, 'bundle', { min: 1, max: MAX_KEY_BUNDLE_BYTES }),
    compartments: readList(map['compartments'], AREA, 'compartments', count, item => readCompartment(item, AREA)),
    firstGenerations: readList(map['firstGenerations'], AREA, 'firstGenerations', count, item =>
      readUint(item, AREA, 'firstGenerations', UINT32_MAX)
    ),
    fromDay: readUint(map['fromDay'], AREA, 'fromDay', LAST_DAY),
    toDay: readUint(map['toDay'], AREA, 'toDay', LAST_DAY),
    capsuleRevision: readUint(map['capsuleRevision'], AREA, 'capsuleRevision', UINT32_MAX),
    isRevoked,
    ...(map['custody'] === undefined ? {} : { custody: readCustody(map['custody']) }),
    ...(map['custodians'] === undefined
      ? {}
      : {
          custodians: readList(map['custodians'], AREA, 'custodians', MAX_ANSWER_CUSTODIANS, item =>
            readText(item, AREA, 'custodians', 200)
          )
        })
  }
}

function readCustody(value: unknown): CustodyState {
  if (value === 'shared' || value === 'outdated') return value
  throw new SalusError('PATIENT_STATE_SHAPE', 'Refused: "custody" must be a state known to this version.')
}
