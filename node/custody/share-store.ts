/** The shares that a custodian keeps, as they came: sealed to it (docs/specs/custody.md). */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { toHex } from '#core/encoding/bytes.ts'
import type { SharePlan } from '#core/custody/plan.ts'
import { MAX_SEALED_SHARE_BYTES } from '#core/custody/sealed-share.ts'
import { compactTable } from '#node/store/compact.ts'
import { openTable, type Database, type Table } from '#node/store/database.ts'
import type { Change } from '#node/store/sync-writer.ts'

const AREA = 'KEPT_SHARE'
const NAME = 'shares'

/** Why a share is no longer there. */
export type ShareEnd = 'released' | 'expired' | 'revoked' | 'withdrawn'

/** A share, or the tombstone that keeps it from being deposited again. */
export interface KeptShare {
  readonly revision: number
  /** SHA-256 of the plan. */
  readonly plan: Uint8Array
  /** The sealed share; null once it was deleted. */
  readonly sealed: Uint8Array | null
  /** Ed25519 public key of who it was released to; null while nobody has it. */
  readonly releasedTo: Uint8Array | null
  /** Why it was deleted; null while it is there. */
  readonly end: ShareEnd | null
}

/** Shares by whose they are and when they are released. */
export interface ShareStore {
  keyOf(of: Pick<SharePlan, 'patient' | 'rule' | 'subject'>): string
  /**
   * A share or tombstone.
   *
   * @param group - changes that are about to be written: whoever decides what to write next sees them as if they were
   */
  get(key: string, group?: readonly Change[]): Promise<KeptShare | undefined>
  /** The change that keeps a share; to be written by a writer that flushes. */
  put(key: string, share: KeptShare): Change
  /** All that are there, tombstones left out. */
  held(): AsyncIterable<readonly [key: string, share: KeptShare]>
  /** Shares and tombstones of one patient, those of `group` as in {@link ShareStore.get}. */
  countOf(patient: Uint8Array, group?: readonly Change[]): Promise<number>
  /** Whether there are tombstones. */
  hasEnded(): Promise<boolean>
  /** Has the database rewrite its files, so that bytes that were deleted are no longer in them. */
  compact(): Promise<void>
}

/** The store in a database. */
export function createShareStore(db: Database): ShareStore {
  const table: Table = openTable(db, NAME)
  const prefixOf = (patient: Uint8Array): string => `${toHex(patient).slice(2)}/`
  return {
    keyOf: ({ patient, rule, subject }) =>
      `${prefixOf(patient)}${rule}/${subject == null ? '' : toHex(subject).slice(2)}`,
    async get(key, group = []) {
      const pending = group.findLast(change => change.table === table && change.key === key)
      const bytes = pending?.type === 'put' ? pending.value : await table.get(key)
      return bytes == null ? undefined : decodeShare(bytes)
    },
    put: (key, share) => ({ type: 'put', table, key, value: encodeCanonical({ ...share }) }),
    async *held() {
      for await (const [key, bytes] of table.iterator()) {
        const share = decodeShare(bytes)
        if (share.sealed != null) yield [key, share] as const
      }
    },
    async countOf(patient, group = []) {
      const prefix = prefixOf(patient)
      const pending = group.filter(change => change.table === table && change.key.startsWith(prefix))
      const stored = await table.keys({ gt: prefix, lt: `${prefix}~` }).all()
      return new Set([...stored, ...pending.map(({ key }) => key)]).size
    },
    async hasEnded() {
      for await (const bytes of table.values()) if (decodeShare(bytes).sealed == null) return true
      return false
    },
    async compact() {
      await compactTable(db, NAME)
    }
  }
}

function decodeShare(bytes: Uint8Array): KeptShare {
  const value = decodeCanonical(Uint8Array.from(bytes), { area: AREA, maxBytes: MAX_SEALED_SHARE_BYTES + 256 })
  const map = readMap(value, AREA, ['revision', 'plan', 'sealed', 'releasedTo', 'end'])
  const bytesOrNull = (field: string, min: number, max: number): Uint8Array | null =>
    map[field] === null ? null : readBytes(map[field], AREA, field, { min, max })
  return {
    revision: readUint(map['revision'], AREA, 'revision'),
    plan: readBytes(map['plan'], AREA, 'plan', 32),
    sealed: bytesOrNull('sealed', 1, MAX_SEALED_SHARE_BYTES),
    releasedTo: bytesOrNull('releasedTo', 32, 32),
    end: map['end'] === null ? null : (readText(map['end'], AREA, 'end', 16) as ShareEnd)
  }
}
