/** The blind lists that a node keeps, in its database (docs/specs/blind-index.md). */
import { SalusError } from '#core/error.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { decodeBlindList, verifyBlindList, type BlindPlace, type SignedBlindList } from '#core/search/blind-list.ts'
import { openTable, type Database } from '#node/store/database.ts'
import { createSyncWriter } from '#node/store/sync-writer.ts'

/** What keeping lists needs. */
export interface BlindListsComponents {
  readonly p: Primitives
  readonly db: Database
  readonly network: Uint8Array
  /** Whether the patient said that it replaced a compartment tag. */
  readonly isRetired: (patient: Uint8Array, tag: Uint8Array) => boolean
}

/** What it may be told. */
export interface BlindListsInit {
  /** Lists of one patient, 4,096 unless told. */
  readonly maxPerPatient?: number
}

/** Lists of any number of patients. */
export interface BlindLists {
  /** Deletes the lists under tags that were retired while this did not run. */
  start(): Promise<void>
  /** Waits for what is being written. */
  stop(): Promise<void>
  /**
   * Keeps lists of a patient, all or none; on the disk when it resolves. Lists that are here already, byte for byte, are passed over.
   *
   * @throws SalusError `BLIND_LIST_*` of the decoder; `BLIND_LIST_AUTHOR` (not by the author given), `BLIND_LIST_SIGNATURE`, `BLIND_LIST_STALE`,
   * `BLIND_LIST_RETIRED`, `BLIND_LIST_FULL`, `STORE_*`
   */
  put(by: { readonly patient: Uint8Array; readonly author: Uint8Array }, lists: readonly Uint8Array[]): Promise<void>
  get(place: Omit<BlindPlace, 'network'>, blindTag: Uint8Array): Promise<Uint8Array | null>
  /** Forgets all lists under a compartment tag. */
  forget(patient: Uint8Array, tag: Uint8Array): Promise<void>
}

/** Makes the lists. */
export function createBlindLists(
  { p, db, network, isRetired }: BlindListsComponents,
  { maxPerPatient = 4_096 }: BlindListsInit = {}
): BlindLists {
  const table = openTable(db, 'blind-lists')
  const writer = createSyncWriter(db)
  /** One change at a time, so that each sees what the one before wrote. */
  let queue: Promise<unknown> = Promise.resolve()

  async function alone<T>(act: () => Promise<T>): Promise<T> {
    const turn = queue.then(act)
    queue = turn.catch(() => undefined)
    return turn
  }

  function check(
    bytes: Uint8Array,
    by: { readonly patient: Uint8Array; readonly author: Uint8Array }
  ): SignedBlindList {
    const list = decodeBlindList(bytes, { network, patient: by.patient })
    refuseUnless(equalBytes(list.author, by.author), 'BLIND_LIST_AUTHOR', 'the list was made by someone else')
    refuseUnless(verifyBlindList(p, list), 'BLIND_LIST_SIGNATURE', 'the list’s signature does not match')
    refuseUnless(
      !isRetired(list.patient, list.tag),
      'BLIND_LIST_RETIRED',
      'the patient has replaced the keys of this index'
    )
    return list
  }

  async function remove(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return
    await writer.write(async changes => {
      changes.push(...keys.map(key => ({ type: 'del' as const, table, key })))
      return Promise.resolve()
    })
  }

  return {
    async start() {
      await table.open()
      const gone: string[] = []
      for await (const [key, bytes] of table.iterator()) {
        const { patient, tag } = decodeBlindList(Uint8Array.from(bytes), { network })
        if (isRetired(patient, tag)) gone.push(key)
      }
      await remove(gone)
    },
    async stop() {
      await queue
      await writer.stop()
    },
    async put(by, lists) {
      const checked = lists.map(bytes => ({ bytes, list: check(bytes, by) }))
      await alone(async () => {
        const fresh = new Map<string, { readonly bytes: Uint8Array; readonly revision: number }>()
        let added = 0
        for (const { bytes, list } of checked) {
          const key = keyOf(list, list.blindTag)
          const stored = await table.get(key)
          if (stored == null && !fresh.has(key)) added++
          if (stored != null && equalBytes(Uint8Array.from(stored), bytes)) continue
          const kept = stored == null ? 0 : decodeBlindList(Uint8Array.from(stored)).revision
          const newest = Math.max(kept, fresh.get(key)?.revision ?? 0)
          refuseUnless(list.revision > newest, 'BLIND_LIST_STALE', 'a newer revision of this list is here')
          fresh.set(key, { bytes, revision: list.revision })
        }
        const range = { gt: `${toHex(by.patient)}/`, lt: `${toHex(by.patient)}/~` }
        const count = added === 0 ? 0 : (await table.keys({ ...range, limit: maxPerPatient + 1 }).all()).length
        refuseUnless(
          added === 0 || count + added <= maxPerPatient,
          'BLIND_LIST_FULL',
          'this node keeps enough lists of this patient'
        )
        if (fresh.size === 0) return
        await writer.write(async changes => {
          changes.push(...Array.from(fresh, ([key, { bytes }]) => ({ type: 'put' as const, table, key, value: bytes })))
          return Promise.resolve()
        })
      })
    },
    async get(place, blindTag) {
      const bytes = await table.get(keyOf(place, blindTag))
      if (bytes == null) return null
      const copy = Uint8Array.from(bytes)
      return decodeBlindList(copy).generation === place.generation ? copy : null
    },
    async forget(patient, tag) {
      const prefix = `${toHex(patient)}/${toHex(tag)}/`
      await alone(async () => remove(await table.keys({ gt: prefix, lt: `${prefix}~` }).all()))
    }
  }
}

function keyOf({ patient, tag }: Pick<BlindPlace, 'patient' | 'tag'>, blindTag: Uint8Array): string {
  return `${toHex(patient)}/${toHex(tag)}/${toHex(blindTag)}`
}

function refuseUnless(holds: boolean, code: string, why: string): void {
  if (!holds) throw new SalusError(code, `Refused: ${why}.`)
}
