/** The bytes of what an agent keeps about custodians (docs/specs/agent-state.md). */
import type {
  FollowedReceipts,
  Invitation,
  KeptReceipt,
  OutgoingShare,
  RecoveryAttempt
} from '#core/agent/agent-state.ts'
import { MAX_SEALED_SHARE_BYTES } from '#core/custody/sealed-share.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { MAX_CHECKPOINT_LENGTH } from '#core/tlog/checkpoint.ts'
import { SalusError } from '#core/error.ts'
import { MAX_EVIDENCE_BYTES } from '#core/identity/evidence.ts'
import { MAX_ANSWER_CUSTODIANS } from '#core/grant/answer-code.ts'

const AREA = 'AGENT_STATE'
const MAX_URL_LENGTH = 2048
const MAX_RECEIPTS = 1_048_576
/** A range has one peak for each bit of its size. */
const MAX_PEAKS = 53

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

/**
 * Reads how far a log of receipts was followed.
 *
 * @throws SalusError `AGENT_STATE_SHAPE`
 */
export function readFollowedReceipts(value: unknown): FollowedReceipts {
  const map = readMap(value, AREA, ['url', 'peer', 'key', 'size', 'peaks', 'note', 'receipts'])
  return {
    url: readText(map['url'], AREA, 'url', MAX_URL_LENGTH),
    peer: readBytes(map['peer'], AREA, 'peer', 38),
    key: readBytes(map['key'], AREA, 'key', 32),
    size: readUint(map['size'], AREA, 'size'),
    peaks: readList(map['peaks'], AREA, 'peaks', MAX_PEAKS, item => readBytes(item, AREA, 'peaks', 32)),
    note: map['note'] === null ? null : readText(map['note'], AREA, 'note', MAX_CHECKPOINT_LENGTH),
    receipts: readList(map['receipts'], AREA, 'receipts', MAX_RECEIPTS, readReceipt)
  }
}

function readReceipt(value: unknown): KeptReceipt {
  const map = readMap(value, AREA, ['number', 'kind', 'subject', 'atMs', 'address'])
  const { kind } = map
  if (kind !== 'share' && kind !== 'entries') {
    throw new SalusError('AGENT_STATE_SHAPE', 'Refused: a receipt of an unknown kind.')
  }
  return {
    number: readUint(map['number'], AREA, 'number'),
    kind,
    subject: map['subject'] === null ? null : readBytes(map['subject'], AREA, 'subject', 32),
    atMs: readUint(map['atMs'], AREA, 'atMs'),
    address: map['address'] === null ? null : readBytes(map['address'], AREA, 'address', 20)
  }
}
