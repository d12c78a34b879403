/** Blobs that are named but not here: each waits for its own next try, and every patient's get their turn. */
import type { CID } from 'multiformats/cid'
import type { Hex } from '#core/chain/events.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { openTable, type Database } from '#node/store/database.ts'

/** A blob as some accepted entry names it: another size is another blob, whoever is right. */
export interface NamedBlob {
  readonly cid: string
  readonly sizeBytes: number
}

/** A blob that is to be fetched. */
export interface WantedBlob extends NamedBlob {
  readonly patient: Hex
  /** Tries that have failed. */
  readonly tries: number
}

/** Rows of the table of acceptance, by key. */
export type Rows = ReadonlyMap<string, string>

/** What is wanted, on the disk. */
export interface BlobWants {
  /** Rows that make the blob wanted, to be written now; none where it is wanted already. */
  rowsOf(patient: Hex, cid: CID, sizeBytes: number): Rows
  /** Rows of {@link BlobWants.rowsOf} could not be written. */
  takeBack(rows: Rows): void
  /** Blobs of the patient that are wanted. */
  open(patient: Hex): number
  /** All blobs that are wanted. */
  total(): number
  /** Up to `limit` blobs whose time has come, a few of each patient, going on where the last call stopped. */
  due(nowMs: number, limit: number): Promise<WantedBlob[]>
  /** Wanted blobs after one of them, whenever their next try is, in the order of their patients. */
  page(after: WantedBlob | undefined, limit: number): Promise<WantedBlob[]>
  /** Somebody says that it has the blob: its next try is now. Whoever says so wrongly makes the one after that no sooner. */
  hasten(want: WantedBlob): Promise<void>
  /** A try failed: the next one is later, each time twice as long, an hour at most. */
  postpone(want: WantedBlob, nowMs: number): Promise<void>
  /** The blob is here in this size, or will never be. */
  unwant(blob: NamedBlob): Promise<void>
}

/** Blobs of one patient in one call of {@link BlobWants.due}. */
const PER_PATIENT = 8
/** Rows of one patient that are looked at in one call. */
const SCANNED_PER_PATIENT = 256
const FIRST_DELAY_MS = 5_000
const MAX_DELAY_MS = 3_600_000
/** Tries that are counted; the delay has long stopped to grow. */
const MAX_TRIES = 16

interface State {
  readonly tries: number
  readonly nextMs: number
}

/** Opens the rows `want/` (by patient) and `wanted-by/` (by blob) of the table of acceptance. */
export async function openBlobWants(db: Database): Promise<BlobWants> {
  const table = openTable(db, 'accept')
  await table.open()
  /** Wanted blobs of each patient that has any; the first is the next to get a turn. */
  const counts = new Map<Hex, number>()
  /** Where the last look at a patient stopped. */
  const stoppedAt = new Map<Hex, string>()
  /** Changes of rows, one after the other: none is taken away twice. */
  let changing: Promise<void> = Promise.resolve()
  for await (const key of table.keys({ gte: 'want/', lt: 'want/~' })) count(readKey(key).patient, 1)

  function count(patient: Hex, change: 1 | -1): void {
    const now = (counts.get(patient) ?? 0) + change
    if (now > 0) counts.set(patient, now)
    else {
      counts.delete(patient)
      stoppedAt.delete(patient)
    }
  }

  /** The patient's rows after the place of the last look, then those before it. */
  async function* rowsAfter(patient: Hex): AsyncGenerator<[string, Uint8Array]> {
    const [from, to] = [`want/${patient}/`, `want/${patient}/~`]
    const place = stoppedAt.get(patient) ?? from
    yield* table.iterator({ gt: place, lt: to, limit: SCANNED_PER_PATIENT })
    yield* table.iterator({ gt: from, lte: place, limit: SCANNED_PER_PATIENT })
  }

  async function dueOf(patient: Hex, nowMs: number, limit: number): Promise<WantedBlob[]> {
    const found: WantedBlob[] = []
    let scanned = 0
    for await (const [key, value] of rowsAfter(patient)) {
      stoppedAt.set(patient, key)
      const { tries, nextMs } = readState(value)
      if (nextMs <= nowMs) found.push({ ...readKey(key), tries })
      if (++scanned >= SCANNED_PER_PATIENT || found.length >= limit) break
    }
    return found
  }

  async function postponeNow(want: WantedBlob, nowMs: number): Promise<void> {
    const key = wantKey(want.patient, want)
    if ((await table.get(key)) == null) return
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** want.tries)
    await table.put(key, utf8(writeState({ tries: Math.min(want.tries + 1, MAX_TRIES), nextMs: nowMs + delayMs })))
  }

  async function hastenNow(want: WantedBlob): Promise<void> {
    const key = wantKey(want.patient, want)
    const value = await table.get(key)
    if (value != null) await table.put(key, utf8(writeState({ tries: readState(value).tries, nextMs: 0 })))
  }

  async function unwantNow(blob: NamedBlob): Promise<void> {
    const prefix = wantedByPrefix(blob)
    for await (const key of table.keys({ gte: prefix, lt: `${prefix}~` })) {
      const patient = key.slice(prefix.length) as Hex
      await table.batch([
        { type: 'del', key },
        { type: 'del', key: wantKey(patient, blob) }
      ])
      count(patient, -1)
    }
  }

  return {
    rowsOf(patient, cid, sizeBytes) {
      const blob = { cid: cid.toString(), sizeBytes }
      const key = wantKey(patient, blob)
      if (table.getSync(key) != null) return new Map()
      // Before the rows are there, since whoever sees them may take them away.
      count(patient, 1)
      return new Map([
        [key, writeState({ tries: 0, nextMs: 0 })],
        [`${wantedByPrefix(blob)}${patient}`, '']
      ])
    },
    takeBack(rows) {
      for (const key of rows.keys()) if (key.startsWith('want/')) count(readKey(key).patient, -1)
    },
    open: patient => counts.get(patient) ?? 0,
    total: () => Array.from(counts.values()).reduce((sum, open) => sum + open, 0),
    async due(nowMs, limit) {
      const found: WantedBlob[] = []
      for (const patient of Array.from(counts.keys())) {
        if (found.length >= limit) break
        const open = counts.get(patient)
        if (open == null) continue
        // Whoever had a turn goes to the end.
        counts.delete(patient)
        counts.set(patient, open)
        found.push(...(await dueOf(patient, nowMs, Math.min(PER_PATIENT, limit - found.length))))
      }
      return found
    },
    async page(after, limit) {
      const range = { gt: after == null ? 'want/' : wantKey(after.patient, after), lt: 'want/~', limit }
      const rows = await table.iterator(range).all()
      return rows.map(([key, value]) => ({ ...readKey(key), tries: readState(value).tries }))
    },
    async hasten(want) {
      changing = changing.catch(() => undefined).then(async () => hastenNow(want))
      return changing
    },
    async postpone(want, nowMs) {
      changing = changing.catch(() => undefined).then(async () => postponeNow(want, nowMs))
      return changing
    },
    async unwant(blob) {
      changing = changing.catch(() => undefined).then(async () => unwantNow(blob))
      return changing
    }
  }
}

function wantKey(patient: Hex, { cid, sizeBytes }: NamedBlob): string {
  return `want/${patient}/${cid}/${String(sizeBytes)}`
}

function readKey(key: string): NamedBlob & { patient: Hex } {
  const [, patient = '', cid = '', size = ''] = key.split('/')
  return { patient: patient as Hex, cid, sizeBytes: Number(size) }
}

function wantedByPrefix({ cid, sizeBytes }: NamedBlob): string {
  return `wanted-by/${cid}/${String(sizeBytes)}/`
}

function writeState({ tries, nextMs }: State): string {
  return `${String(tries)} ${String(nextMs)}`
}

function readState(value: Uint8Array): State {
  const [tries = 0, nextMs = 0] = new TextDecoder().decode(value).split(' ').map(Number)
  return { tries, nextMs }
}
