/** The bytes of what an agent keeps about custodians (docs/specs/agent-state.md). */
import type { Invitation, OutgoingShare, RecoveryAttempt } from '#core/agent/agent-state.ts'
import { MAX_SEALED_SHARE_BYTES } from '#core/custody/sealed-share.ts'
import { readBytes, readList, readMap, readText } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import { MAX_EVIDENCE_BYTES } from '#core/identity/evidence.ts'
import { MAX_ANSWER_CUSTODIANS } from '#core/grant/answer-code.ts'

const AREA = 'AGENT_STATE'
const MAX_URL_LENGTH = 2048

/**
 * Reads a share that is on its way.
 *
 * @throws SalusError `AGENT_STATE_SHAPE`
 */
export function readOutgoingShare(value: unknown): OutgoingShare {
  const map = readMap(value, AREA, ['custodian', 'keeper', 'sealed'])
  return {
    custodian: readText(map['custodian'], AREA, 'custodian', MAX_URL_LENGTH),
    keeper: readBytes(map['keeper'], AREA, 'keeper', 32),
    sealed: readBytes(map['sealed'], AREA, 'sealed', { min: 1, max: MAX_SEALED_SHARE_BYTES })
  }
}

/**
 * Reads a one-time grant whose keys custodians give.
 *
 * @throws SalusError `AGENT_STATE_SHAPE`
 */
export function readInvitation(value: unknown): Invitation {
  const map = readMap(value, AREA, ['grantId', 'patient', 'author', 'custodians', 'isFetched'])
  const { isFetched } = map
  if (typeof isFetched !== 'boolean') {
    throw new SalusError('AGENT_STATE_SHAPE', 'Refused: "isFetched" must be a boolean.')
  }
  return {
    grantId: readBytes(map['grantId'], AREA, 'grantId', 32),
    patient: readBytes(map['patient'], AREA, 'patient', 32),
    author: readBytes(map['author'], AREA, 'author', 32),
    custodians: readList(map['custodians'], AREA, 'custodians', MAX_ANSWER_CUSTODIANS, item =>
      readText(item, AREA, 'custodians', MAX_URL_LENGTH)
    ),
    isFetched
  }
}

/**
 * Reads a share that is kept for somebody else.
 *
 * @throws SalusError `AGENT_STATE_SHAPE`
 */
export function readKeptShare(value: unknown): Uint8Array {
  return readBytes(value, AREA, 'kept', { min: 1, max: MAX_SEALED_SHARE_BYTES })
}

/**
 * Reads a recovery that is under way.
 *
 * @throws SalusError `AGENT_STATE_SHAPE`
 */
export function readRecoveryAttempt(value: unknown): RecoveryAttempt {
  const map = readMap(value, AREA, ['patient', 'seed', 'walletKey', 'evidence'])
  return {
    patient: readBytes(map['patient'], AREA, 'patient', 32),
    seed: readBytes(map['seed'], AREA, 'seed', 32),
    walletKey: readBytes(map['walletKey'], AREA, 'walletKey', 32),
    evidence: readBytes(map['evidence'], AREA, 'evidence', { min: 1, max: MAX_EVIDENCE_BYTES })
  }
}
