/** The transactions of one account that are not deep in the chain yet: on the disk before they are sent (docs/decisions/0012). */
import type { RequestContract } from '#core/chain/contract-names.ts'
import type { GasOffer } from '#core/chain/fees.ts'
import type { Booking } from '#node/chain/spending.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { openTable, type Database } from '#node/store/database.ts'

/** A call to be made by a transaction. */
export interface OutboxCall {
  readonly contract: RequestContract
  readonly method: string
  readonly to: string
  readonly data: string
  readonly maxGas: number
}

/** One of the transactions with the same nonce, of which one gets into a block. */
export interface Attempt extends GasOffer {
  readonly hash: string
  readonly raw: string
  /** Milliseconds since 1970. */
  readonly sentMs: number
}

/** A call under way. */
export interface OutboxEntry {
  readonly nonce: number
  readonly call: OutboxCall
  readonly gasLimit: bigint
  /** Oldest first. */
  readonly attempts: readonly Attempt[]
  /** Of the block that it was seen in. */
  readonly blockNumber: number | null
  /** Until it is known what it cost. */
  readonly booking?: Booking | null
}

/** Calls under way, by their nonces. */
export interface Outbox {
  /** Reads what an earlier process left. */
  load(): Promise<void>
  /** In the order of nonces. */
  entries(): readonly OutboxEntry[]
  /** The entry with the same call that is in no block yet. */
  waitingFor(call: Pick<OutboxCall, 'to' | 'data'>): OutboxEntry | undefined
  get(nonce: number): OutboxEntry | undefined
  /** Notes an entry; on the disk when it resolves. */
  put(entry: OutboxEntry): Promise<void>
  remove(nonce: number): Promise<void>
}

const PREFIX = 'tx/'
const AMOUNTS: readonly string[] = ['gasLimit', 'maxFeePerGas', 'maxPriorityFeePerGas', 'wei']

/** Opens the outbox of an account of a chain; without a database it lasts as long as the process. */
export function createOutbox(db: Database | undefined, account: string): Outbox {
  const table = db == null ? undefined : openTable(db, 'relay')
  const prefix = `${PREFIX}${account.toLowerCase()}/`
  const keyOf = (nonce: number): string => prefix + nonce.toString(16).padStart(14, '0')
  const byNonce = new Map<number, OutboxEntry>()

  return {
    async load() {
      if (table == null) return
      await table.open()
      for await (const [, bytes] of table.iterator({ gte: prefix, lt: `${prefix}~` })) {
        const entry = readEntry(new TextDecoder().decode(bytes))
        byNonce.set(entry.nonce, entry)
      }
    },
    entries: () => [...byNonce.values()].sort((a, b) => a.nonce - b.nonce),
    waitingFor({ to, data }) {
      return [...byNonce.values()].find(
        ({ call, blockNumber }) => blockNumber == null && call.data === data && call.to === to
      )
    },
    get: nonce => byNonce.get(nonce),
    async put(entry) {
      byNonce.set(entry.nonce, entry)
      // Flushed: what is sent must be known after a crash.
      if (table != null)
        await db?.batch([{ type: 'put', sublevel: table, key: keyOf(entry.nonce), value: utf8(writeEntry(entry)) }], {
          sync: true
        })
    },
    async remove(nonce) {
      byNonce.delete(nonce)
      await table?.del(keyOf(nonce))
    }
  }
}

/** Whole numbers of wei and gas as text. */
function writeEntry(entry: OutboxEntry): string {
  return JSON.stringify(entry, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
}

function readEntry(text: string): OutboxEntry {
  return JSON.parse(text, (key, value: unknown) =>
    AMOUNTS.includes(key) ? BigInt(String(value)) : value
  ) as OutboxEntry
}
