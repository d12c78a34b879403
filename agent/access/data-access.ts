/**
 * Data access under a grant (docs/specs/data-access.md): what is here at once, how new that is, and one refresh where it is old,
 * however many ask.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { judgeFreshness, type AsOf, type Freshness } from '#core/agent/freshness.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { askHead } from '#agent/access/head.ts'
import type { Accounts } from '#agent/accounts.ts'
import type { GrantedRecords } from '#agent/clinician/entries.ts'
import { refreshGrant } from '#agent/clinician/grants.ts'
import type { AgentComponents } from '#agent/components.ts'
import type { IndexedEntry } from '#agent/record/indexed-entry.ts'
import type { RecordCopy } from '#agent/record/record-copy.ts'
import type { Asker } from '#agent/record/source.ts'

/** What the service stands on. */
export interface DataAccessComponents extends AgentComponents {
  readonly accounts: Accounts
  readonly granted: GrantedRecords
}

/** Where a copy stands. */
export interface CopyState {
  /** Null before anything was fetched. */
  readonly asOf: AsOf | null
  /** Null of an empty record, and while the node cannot be asked. */
  readonly masterAsOf: AsOf | null
  readonly freshness: Freshness
  readonly isRefreshing: boolean
  /** Why the last refresh failed; null if it did not. */
  readonly failure: string | null
}

/** An answer. */
export interface DataAnswer extends CopyState {
  readonly entries: readonly IndexedEntry[]
  readonly next: number | null
}

/** The service. */
export interface DataAccess {
  /** @throws SalusError `GRANT_UNKNOWN`, `AGENT_LOCKED`, and what the node refuses the reader with */
  answer(grantId: Uint8Array, page: { readonly after: number; readonly limit: number }): Promise<DataAnswer>
  /** Where the copy stands as soon as it has something after a position, or after a time. Called outside of `keeper.hold`. */
  whenFresh(grantId: Uint8Array, wish: { readonly after: number; readonly waitMs: number }): Promise<CopyState>
}

interface Copy {
  /** The question for the head that is under way. */
  asking: Promise<AsOf | null | undefined> | undefined
  refreshing: Promise<void> | undefined
  /** One long question for all that wait. */
  watching: Promise<void> | undefined
  failure: string | null
  /** A refresh that failed is not begun again at once. */
  restsUntilMs: number
}

/** For so long a node may think about its head before the answer goes out without it. */
const HEAD_WAIT_MS = 1_000
/** Pause after a refresh that failed. */
const REST_MS = 1_000
const LONGEST_WATCH_MS = 20_000
/** Refusals that mean that there is nothing to read, not that something is away. */
const REFUSED = /^(?:READ_(?!BUSY|NOT_YET)|GRANT_|EVIDENCE_|BINDING_)/

/** Makes the service; what it knows is forgotten when the vault is locked. */
export function createDataAccess(components: DataAccessComponents): DataAccess {
  const { clock, keeper, accounts, granted, log } = components
  const copies = new Map<string, Copy>()
  keeper.onChange(() => copies.clear())

  function copyOf(grantId: Uint8Array): Copy {
    const id = toHex(grantId)
    const blank = { asking: undefined, refreshing: undefined, watching: undefined, failure: null, restsUntilMs: 0 }
    const copy: Copy = copies.get(id) ?? blank
    copies.set(id, copy)
    return copy
  }

  const askerOf = (grantId: Uint8Array) => async (): Promise<Asker> => {
    const { account, keys, evidence } = await accounts.clinician()
    const { state } = account
    const held = state.grants.find(each => equalBytes(each.grantId, grantId))
    if (held == null)
      throw new SalusError('GRANT_UNKNOWN', 'This clinician holds no such grant; take its answer first.')
    return { reader: { state, keys, evidence }, patient: held.patient, grant: grantId }
  }

  /** The head of the record at the node; undefined where the node is away. One question for all who ask at once. */
  async function headOf(grantId: Uint8Array): Promise<AsOf | null | undefined> {
    const copy = copyOf(grantId)
    copy.asking ??= askHead(components, askerOf(grantId)).finally(() => (copy.asking = undefined))
    try {
      const late = new Promise<undefined>(resolve => setTimeout(resolve, HEAD_WAIT_MS, undefined).unref())
      return await Promise.race([copy.asking, late])
    } catch (error) {
      if (!isSalusError(error) || REFUSED.test(error.code) || error.code === 'AGENT_LOCKED') throw error
      return undefined
    }
  }

  /** Begins a refresh, if none is under way. */
  function refresh(grantId: Uint8Array, index: RecordCopy): Promise<void> {
    const copy = copyOf(grantId)
    if (copy.refreshing == null && clock() < copy.restsUntilMs && copy.restsUntilMs - clock() <= REST_MS) {
      return Promise.resolve()
    }
    copy.refreshing ??= keeper
      .hold(async () => {
        await refreshGrant(components, grantId)
        await index.refresh()
        copy.failure = null
      })
      .catch((error: unknown) => {
        copy.failure = isSalusError(error) ? error.code : 'HTTP_INTERNAL'
        copy.restsUntilMs = clock() + REST_MS
        log.warn({ code: copy.failure }, 'a copy could not be refreshed')
      })
      .finally(() => (copy.refreshing = undefined))
    return copy.refreshing
  }

  function stateOf(grantId: Uint8Array, index: RecordCopy, master: AsOf | null | undefined): CopyState {
    const { asOf } = index.peek({ after: 0, limit: 0 })
    const freshness = judgeFreshness(index, master)
    if (freshness === 'stale') void refresh(grantId, index)
    const { refreshing, failure } = copyOf(grantId)
    return { asOf, masterAsOf: master ?? null, freshness, isRefreshing: refreshing != null, failure }
  }

  /** Waits at the node for something new, and fetches it. */
  async function watch(grantId: Uint8Array, index: RecordCopy, waitMs: number): Promise<void> {
    const copy = copyOf(grantId)
    copy.watching ??= (async () => {
      const after = index.peek({ after: 0, limit: 0 }).asOf?.position ?? 0
      const master = await askHead(components, askerOf(grantId), { after, waitMs: Math.min(waitMs, LONGEST_WATCH_MS) })
      if (judgeFreshness(index, master) === 'stale') await refresh(grantId, index)
    })().finally(() => (copy.watching = undefined))
    await copy.watching
  }

  return {
    async answer(grantId, page) {
      const index = await granted.copyOf(grantId)
      await index.load()
      const master = await headOf(grantId)
      // From here on nothing waits: entries and state are of one moment.
      const state = stateOf(grantId, index, master)
      const { entries, next } = index.peek(page)
      return { ...state, entries, next }
    },
    async whenFresh(grantId, { after, waitMs }) {
      const index = await keeper.hold(async () => granted.copyOf(grantId))
      const isThere = (): boolean => (index.peek({ after: 0, limit: 0 }).asOf?.position ?? 0) > after
      for (let leftMs = waitMs; !isThere() && leftMs > 0;) {
        const began = performance.now()
        try {
          await (copyOf(grantId).refreshing ?? watch(grantId, index, leftMs))
        } catch (error) {
          if (!isSalusError(error) || REFUSED.test(error.code) || error.code === 'AGENT_LOCKED') throw error
          await pause(Math.min(REST_MS, leftMs))
        }
        // A turn takes some time, so that a node that answers at once is not asked without end.
        if (!isThere() && performance.now() - began < 100) await pause(Math.min(100, leftMs))
        leftMs -= performance.now() - began
      }
      return stateOf(grantId, index, await headOf(grantId))
    }
  }
}
