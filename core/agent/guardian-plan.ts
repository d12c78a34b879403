/** What a patient's agent remembers of its guardians (docs/specs/agent-state.md). */
import { MAX_SEALED_SHARE_BYTES } from '#core/custody/sealed-share.ts'
import { MAX_SHARES } from '#core/custody/plan.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import { MAX_KEY_BUNDLE_BYTES } from '#core/identity/key-bundle.ts'

const AREA = 'PATIENT_STATE'
const UINT32_MAX = 0xffff_ffff

/** One guardian. */
export interface KeptGuardian {
  /** Address of its wallet, 20 bytes. */
  readonly address: Uint8Array
  readonly bundle: Uint8Array
  /** Its share, sealed to it. */
  readonly sealed: Uint8Array
  /** Whether it confirmed that it keeps the share. */
  readonly isConfirmed: boolean
}

/** The guardians of a patient, as shared out last. */
export interface GuardianPlan {
  readonly revision: number
  readonly threshold: number
  /** Between the opening of a recovery and its completion, seconds. */
  readonly delayS: number
  /** Of the tree whose root the chain gets, 32 bytes. */
  readonly root: Uint8Array
  readonly guardians: readonly KeptGuardian[]
}

/**
 * Reads a plan.
 *
 * @throws SalusError `PATIENT_STATE_SHAPE`
 */
export function readGuardianPlan(value: unknown): GuardianPlan {
  const map = readMap(value, AREA, ['revision', 'threshold', 'delayS', 'root', 'guardians'])
  return {
    revision: readUint(map['revision'], AREA, 'revision', UINT32_MAX),
    threshold: readUint(map['threshold'], AREA, 'threshold', MAX_SHARES),
    delayS: readUint(map['delayS'], AREA, 'delayS', UINT32_MAX),
    root: readBytes(map['root'], AREA, 'root', 32),
    guardians: readList(map['guardians'], AREA, 'guardians', MAX_SHARES, readGuardian)
  }
}

function readGuardian(value: unknown): KeptGuardian {
  const map = readMap(value, AREA, ['address', 'bundle', 'sealed', 'isConfirmed'])
  const { isConfirmed } = map
  if (typeof isConfirmed !== 'boolean') {
    throw new SalusError('PATIENT_STATE_SHAPE', 'Refused: "isConfirmed" must be a boolean.')
  }
  return {
    address: readBytes(map['address'], AREA, 'address', 20),
    bundle: readBytes(map['bundle'], AREA, 'bundle', { min: 1, max: MAX_KEY_BUNDLE_BYTES }),
    sealed: readBytes(map['sealed'], AREA, 'sealed', { min: 1, max: MAX_SEALED_SHARE_BYTES }),
    isConfirmed
  }
}

/** Two devices' plans made into one: the newer, and of the same one the confirmations that either has. The order does not matter. */
export function mergeGuardianPlans(a: GuardianPlan | undefined, b: GuardianPlan | undefined): GuardianPlan | undefined {
  if (a == null || b == null) return a ?? b
  if (a.revision !== b.revision) return a.revision > b.revision ? a : b
  // Both shared out at once: the guardians keep whichever they got first, and the next refresh replaces both.
  if (!equalBytes(a.root, b.root)) return toHex(a.root) < toHex(b.root) ? a : b
  const guardians = a.guardians.map((each, i) => ({
    ...each,
    isConfirmed: each.isConfirmed || b.guardians[i]?.isConfirmed === true
  }))
  return { ...a, guardians }
}
