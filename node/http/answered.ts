/** Answers that were given under an idempotency key, durable, so that the same request is not carried out twice. */
import { z } from 'zod'
import type { Clock } from '#core/crypto/primitives.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { openTable, type Database } from '#node/store/database.ts'
import { createSyncWriter } from '#node/store/sync-writer.ts'

const kept = z.strictObject({
  /** Of the request that it answers. */
  request: z.string(),
  status: z.int(),
  type: z.string(),
  body: z.string(),
  atMs: z.number()
})

/** An answer; `body` is text. */
export type Answered = z.infer<typeof kept>

/** Answers by key. */
export interface AnsweredStore {
  start(): Promise<void>
  stop(): Promise<void>
  /** Where the key was used within its time. */
  find(whose: string, key: string): Promise<Answered | undefined>
  /** On the disk when this resolves. Of one asker and of all together, the oldest make room. */
  keep(whose: string, key: string, answer: Omit<Answered, 'atMs'>): Promise<void>
}

/** Time for which an answer is kept, ms. */
export const KEPT_MS: number = 86_400_000
const MAX_ANSWERS = 10_000
const MAX_OF_ONE = 500

/** Answers in a database; keys and askers are hashes. */
export function createAnsweredStore({
  db,
  clock,
  maxAnswers = MAX_ANSWERS,
  maxOfOne = MAX_OF_ONE
}: {
  readonly db: Database
  readonly clock: Clock
  readonly maxAnswers?: number
  readonly maxOfOne?: number
}): AnsweredStore {
  const table = openTable(db, 'answered')
  const writer = createSyncWriter(db)
  /** All that are kept, oldest first: key of the row to whose it is and when it was. */
  const order = new Map<string, { readonly whose: string; readonly atMs: number }>()
  const counts = new Map<string, number>()
  /** Whether what is noted is what is on the disk: a write that failed left more rows there. */
  let isOfDisk = true

  function note(row: string, whose: string, atMs: number): void {
    if (!order.has(row)) counts.set(whose, (counts.get(whose) ?? 0) + 1)
    order.delete(row)
    order.set(row, { whose, atMs })
  }

  function forget(row: string): void {
    const whose = order.get(row)?.whose
    if (whose == null) return
    order.delete(row)
    const left = (counts.get(whose) ?? 1) - 1
    if (left > 0) counts.set(whose, left)
    else counts.delete(whose)
  }

  /** Rows that go: those whose time is over, then the oldest of whoever has too many, then the oldest of all. */
  function leaving(whose: string): string[] {
    const gone: string[] = []
    const drop = (row: string): void => {
      forget(row)
      gone.push(row)
    }
    for (const [row, { atMs }] of order) {
      if (clock() - atMs < KEPT_MS) break
      drop(row)
    }
    if ((counts.get(whose) ?? 0) > maxOfOne) {
      const [oldest] = [...order].find(([, of]) => of.whose === whose) ?? []
      if (oldest != null) drop(oldest)
    }
    if (order.size > maxAnswers) {
      const [oldest] = order.keys()
      if (oldest != null) drop(oldest)
    }
    return gone
  }

  async function load(): Promise<void> {
    const rows: [string, number][] = []
    for await (const [row, bytes] of table.iterator()) rows.push([row, read(bytes).atMs])
    order.clear()
    counts.clear()
    for (const [row, atMs] of rows.sort(([, a], [, b]) => a - b)) note(row, row.split('/')[0] ?? '', atMs)
    isOfDisk = true
  }

  return {
    start: load,
    async stop() {
      await writer.stop()
    },
    async find(whose, key) {
      const bytes = await table.get(`${whose}/${key}`)
      const answer = bytes == null ? undefined : read(bytes)
      return answer == null || clock() - answer.atMs >= KEPT_MS ? undefined : answer
    },
    async keep(whose, key, answer) {
      try {
        await writer.write(async changes => {
          if (!isOfDisk) await load()
          const row = `${whose}/${key}`
          const atMs = clock()
          note(row, whose, atMs)
          for (const gone of leaving(whose)) changes.push({ type: 'del', table, key: gone })
          changes.push({ type: 'put', table, key: row, value: utf8(JSON.stringify({ ...answer, atMs })) })
        })
      } catch (error) {
        isOfDisk = false
        throw error
      }
    }
  }
}

function read(bytes: Uint8Array): Answered {
  return kept.parse(JSON.parse(new TextDecoder().decode(bytes)))
}
