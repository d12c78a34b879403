/** The followed chain on disk: state, cursor and undo journal in one LevelDB table (docs/specs/chain-index.md). */
import type { Deployment } from '#core/chain/deployment.ts'
import { canEnd, hasEnded, withEnd } from '#core/chain/ended.ts'
import type { ChainEvent, Hex } from '#core/chain/events.ts'
import { projectEvents, undoOf } from '#core/chain/projection.ts'
import {
  recordKey,
  withdrawnId,
  type Change,
  type ImageRecord,
  type ModelRecord,
  type ReleaseRecord,
  type StateView
} from '#core/chain/records.ts'
import { createChainView, type ChainView } from '#core/chain/view.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { openTable, type Database } from '#node/store/database.ts'

/** Blocks whose effects can be taken back. */
export const JOURNAL_BLOCKS = 256

/** The newest block in the index. */
export interface Cursor {
  readonly number: number
  readonly hash: Hex
  /** Seconds since 1970. */
  readonly timeS: number
}

/** A block, with the events of Salus in it in their order. */
export interface BlockEvents {
  readonly block: Cursor
  readonly events: readonly ChainEvent[]
}

/** The index; one writer. */
export interface ChainIndex {
  /** `undefined` before the first block and after {@link ChainIndex.clear}. */
  cursor(): Cursor | undefined
  /** The chain at the newest block, with what ended for ever on a branch that is gone. */
  view(): ChainView
  /** Sets the block before the first one to follow. */
  begin(at: Cursor): Promise<void>
  /**
   * Adds the next block; journaled, one atomic write.
   *
   * @param wordOf - the endpoint on whose word alone its logs are believed; none where they are proven or others gave the same
   */
  append(next: BlockEvents, wordOf?: string): Promise<void>
  /** Adds many blocks that are too old to be taken back; one atomic write, the journal starts anew at `end`. */
  appendOld(blocks: readonly BlockEvents[], end: Cursor, wordOf?: string): Promise<void>
  /** Whether logs of any block are believed on the word of an endpoint alone, also by an earlier run. */
  restsOn(endpoint: string): boolean
  /** The oldest block from which on all blocks up to the cursor are known. */
  oldestKnown(): Promise<Cursor | undefined>
  /** The newest block up to a number whose hash is known: the cursor, one in the journal, or where the index began. */
  newestUpTo(number: number): Cursor | undefined
  /** Takes the newest block back; one atomic write. Returns false if the journal does not reach that far. */
  takeBack(): Promise<boolean>
  /** Forgets everything but what ended for ever, where more than one endpoint's word stands for it. */
  clear(): Promise<void>
}

interface UndoRecord {
  readonly before: Cursor
  readonly changes: readonly Change[]
}

const CURSOR = 'cursor'
const BEGINNING = 'beginning'
const NETWORK = 'network'
const PROJECTION = 'projection'
/** Changes whenever core/chain/projection.ts writes other records: an index of another revision is built anew. */
const PROJECTION_REVISION = '6'
const STATE = 'state/'
const UNDO = 'undo/'
const ENDED = 'ended/'
/** Rows of the state whose end is one endpoint's word, and the endpoints on whose word anything is. */
const UNSURE = 'unsure/'
const WORD_OF = 'word/'
/** Rows that are looked at before what is to be kept of them is written. */
const KEEP_ROWS = 1_000

/**
 * Opens the index of a deployment.
 *
 * @throws SalusError `CHAIN_OTHER_NETWORK` if the database was filled from another network
 */
export async function openChainIndex(db: Database, deployment: Deployment): Promise<ChainIndex> {
  const table = openTable(db, 'chain')
  await table.open()
  const text = (key: string): string | undefined => {
    const bytes = table.getSync(key)
    return bytes == null ? undefined : new TextDecoder().decode(bytes)
  }
  const state: StateView = { get: key => text(STATE + key) }
  const write = async (operations: readonly Operation[]): Promise<void> =>
    // Not flushed: a crash loses whole newest blocks, which are read from the chain again.
    table.batch(operations.map(({ key, value }) => (value == null ? del(key) : put(key, utf8(value)))))

  const network = text(NETWORK)
  if (network != null && network !== deployment.networkId) {
    throw new SalusError(
      'CHAIN_OTHER_NETWORK',
      'This data folder belongs to another network (chain or deployment); choose another folder or deployment file.'
    )
  }
  await write([{ key: NETWORK, value: deployment.networkId }])
  const isOfToday = text(PROJECTION) === PROJECTION_REVISION
  let cursor = isOfToday ? (readJson(text(CURSOR)) as Cursor | undefined) : undefined

  /** Without any, which is the rule, no row is looked for. */
  let anyEnded = (await table.keys({ gte: ENDED, lt: `${ENDED}~`, limit: 1 }).all()).length > 0
  const trusted = new Set(
    (await table.keys({ gte: WORD_OF, lt: `${WORD_OF}~` }).all()).map(key => key.slice(WORD_OF.length))
  )
  const endedState: StateView = {
    get(key) {
      const row = state.get(key)
      const ended = anyEnded && canEnd(key) ? text(ENDED + key) : undefined
      return ended == null ? row : withEnd(key, row, ended)
    }
  }
  /** What ends for ever in the rows of the state. */
  async function keepEnded(): Promise<void> {
    let kept: Operation[] = []
    for await (const [key, bytes] of table.iterator({ gte: STATE, lt: `${STATE}~` })) {
      const row = new TextDecoder().decode(bytes)
      const name = key.slice(STATE.length)
      if (hasEnded(name, row) && text(UNSURE + name) == null) kept.push({ key: ENDED + name, value: row })
      anyEnded ||= kept.length > 0
      if (kept.length < KEEP_ROWS) continue
      await write(kept)
      kept = []
    }
    await write(kept)
  }

  /** Notes which of the things that a write ends, end on the word of one endpoint. */
  function unsure(changes: readonly Change[], wordOf: string | undefined): Operation[] {
    if (wordOf == null) return []
    trusted.add(wordOf)
    const ends = changes.filter(({ key, value }) => hasEnded(key, value ?? undefined) && !hasEnded(key, state.get(key)))
    return [{ key: WORD_OF + wordOf, value: '' }, ...ends.map(({ key }) => ({ key: UNSURE + key, value: '' }))]
  }

  const move = async (to: Cursor, operations: readonly Operation[]): Promise<void> => {
    await write([...operations, { key: CURSOR, value: JSON.stringify(to) }])
    cursor = to
  }
  const index: ChainIndex = {
    cursor: () => cursor,
    view: () => createChainView(endedState, { blockNumber: cursor?.number ?? 0, blockTimeS: cursor?.timeS ?? 0 }),
    begin: async at => move(at, [{ key: BEGINNING, value: JSON.stringify(at) }]),
    async append({ block, events }, wordOf) {
      if (cursor == null) throw new Error('the index has no beginning')
      const changes = projectEvents(state, events, block.timeS)
      const undo: UndoRecord = { before: cursor, changes: undoOf(state, changes) }
      await move(block, [
        ...changes.map(toState),
        ...unsure(changes, wordOf),
        { key: undoKey(block.number), value: JSON.stringify(undo) },
        { key: undoKey(block.number - JOURNAL_BLOCKS), value: null }
      ])
    },
    async appendOld(blocks, end, wordOf) {
      const written = new Map<string, string | null>()
      const overlay: StateView = { get: key => (written.has(key) ? (written.get(key) ?? undefined) : state.get(key)) }
      for (const { block, events } of blocks) {
        for (const { key, value } of projectEvents(overlay, events, block.timeS)) written.set(key, value)
      }
      await table.clear({ gte: UNDO, lt: `${UNDO}~` })
      const changes = Array.from(written, ([key, value]) => ({ key, value }))
      await move(end, [...changes.map(toState), ...unsure(changes, wordOf)])
    },
    restsOn: endpoint => trusted.has(endpoint),
    async oldestKnown() {
      const [first] = await table.values({ gte: UNDO, lt: `${UNDO}~`, limit: 1 }).all()
      return first == null ? cursor : (JSON.parse(new TextDecoder().decode(first)) as UndoRecord).before
    },
    newestUpTo(number) {
      if (cursor == null || cursor.number <= number) return cursor
      const before = undoOfBlock(number + 1)?.before
      if (before != null) return before
      const beginning = readJson(text(BEGINNING)) as Cursor | undefined
      return beginning != null && beginning.number <= number ? beginning : undefined
    },
    async takeBack() {
      const undo = cursor == null ? undefined : undoOfBlock(cursor.number)
      if (cursor == null || undo == null) return false
      const ended = undo.changes.flatMap(({ key, value }): Operation[] => {
        const row = state.get(key)
        if (!hasEnded(key, row) || hasEnded(key, value ?? undefined)) return []
        return text(UNSURE + key) == null ? [{ key: ENDED + key, value: row }] : [{ key: UNSURE + key, value: null }]
      })
      anyEnded ||= ended.some(({ value }) => value != null)
      await move(undo.before, [...undo.changes.map(toState), ...ended, { key: undoKey(cursor.number), value: null }])
      return true
    },
    async clear() {
      await keepEnded()
      // The cursor goes first: without one, whatever a crash leaves behind is cleared again.
      await write([{ key: CURSOR, value: null }])
      cursor = undefined
      for (const rows of [STATE, UNDO, UNSURE, WORD_OF]) await table.clear({ gte: rows, lt: `${rows}~` })
      trusted.clear()
    }
  }
  const undoOfBlock = (number: number): UndoRecord | undefined =>
    readJson(text(undoKey(number))) as UndoRecord | undefined
  if (cursor == null) await index.clear()
  // Only now: a crash before leaves it to the next start to clear.
  await write([{ key: PROJECTION, value: PROJECTION_REVISION }])
  return index
}

/** A release with its model and the maker of that; yanked also where only another number of its image was. */
export interface ListedRelease extends ReleaseRecord, ImageRecord {
  readonly manufacturer: Hex
}

/** Every firmware release in the index, of all models, in the order of models and sequences as texts. */
export async function* listReleases(db: Database): AsyncGenerator<ListedRelease> {
  const prefix = STATE + recordKey('release', '')
  const table = openTable(db, 'chain')
  let maker: { readonly model: string; readonly manufacturer: Hex } | undefined
  for await (const [key, bytes] of table.iterator({ gte: prefix, lt: `${prefix}~` })) {
    const [model = '', sequence] = key.slice(prefix.length).split('/')
    const record = JSON.parse(new TextDecoder().decode(bytes)) as ReleaseRecord
    if (maker?.model !== model) {
      const found = await table.get(STATE + recordKey('model', model))
      // Taken back by a re-organisation since the walk began: its releases are gone as well.
      if (found == null) continue
      const { manufacturer } = JSON.parse(new TextDecoder().decode(found)) as ModelRecord
      maker = { model, manufacturer }
    }
    const withdrawn = await table.get(STATE + recordKey('withdrawn', withdrawnId(model as Hex, record.imageSha256)))
    const yanked = record.yanked || withdrawn != null
    yield { ...record, yanked, model: model as Hex, sequence: Number(sequence), manufacturer: maker.manufacturer }
  }
}

interface Operation {
  readonly key: string
  readonly value: string | null
}

function toState({ key, value }: Change): Operation {
  return { key: STATE + key, value }
}

/** Order of keys is order of blocks. */
function undoKey(number: number): string {
  return `${UNDO}${Math.max(number, 0).toString(16).padStart(14, '0')}`
}

function readJson(text: string | undefined): unknown {
  return text == null ? undefined : JSON.parse(text)
}

function put(key: string, value: Uint8Array): { type: 'put'; key: string; value: Uint8Array } {
  return { type: 'put', key, value }
}

function del(key: string): { type: 'del'; key: string } {
  return { type: 'del', key }
}
