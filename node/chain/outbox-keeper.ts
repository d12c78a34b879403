/** Looks after the transactions of an outbox until they are deep in the chain (docs/decisions/0012). */
import { setTimeout as pause } from 'node:timers/promises'
import type { JsonRpcProvider, TransactionReceipt } from 'ethers'
import { rpcError } from '#node/chain/chain-rpc.ts'
import type { Outbox, OutboxCall, OutboxEntry } from '#node/chain/outbox.ts'
import type { Booking } from '#node/chain/spending.ts'
import type { TransactionSender } from '#node/chain/transaction-sender.ts'
import type { Log } from '#node/log.ts'

/** What keeping needs. */
export interface KeeperComponents {
  readonly provider: JsonRpcProvider
  readonly outbox: Outbox
  readonly sender: Pick<TransactionSender, 'receipt' | 'keepAlive' | 'replace'>
  readonly log: Log
  /** Puts what a transaction cost, or nothing, in the place of what is booked for it. */
  readonly settle: (entry: OutboxEntry, costWei: bigint) => Promise<void>
  /** As of {@link TransactionSender.replace}. */
  readonly afford: (entry: OutboxEntry, wei: bigint) => Promise<Booking | undefined>
  /** Sends a call that had been applied and was taken back. */
  readonly deliverAgain: (call: OutboxCall) => Promise<void>
  readonly counters: { replaced: number; resent: number }
  readonly signal: AbortSignal
}

/** What keeping may be told. */
export interface KeeperInit {
  readonly pollMs: number
  readonly watchBlocks: number
  readonly stuckMs: number
}

/** Keeps an outbox. */
export interface OutboxKeeper {
  /** Looks after what is there, until there is nothing left. */
  tend(): void
  /** Notes the block that an entry is in, and what it cost. */
  noteIncluded(nonce: number, receipt: TransactionReceipt): Promise<void>
  /** Removes an entry of which nothing is under way. */
  drop(entry: OutboxEntry): Promise<void>
  stop(): Promise<void>
}

/** Most entries that are watched although they are in a block. */
const MAX_WATCHED = 1_024

/** Makes a keeper. */
export function createOutboxKeeper(components: KeeperComponents, init: KeeperInit): OutboxKeeper {
  const { provider, outbox, sender, log, settle, afford, deliverAgain, counters, signal } = components
  const { pollMs, watchBlocks, stuckMs } = init
  let tending: Promise<void> | undefined
  let lastHead = -1

  const rest = async (ms: number): Promise<void> => pause(ms, undefined, { signal }).catch(() => undefined)

  async function tendAll(): Promise<void> {
    while (outbox.entries().length > 0 && !signal.aborted) {
      await rest(4 * pollMs)
      await look().catch(async (error: unknown) => {
        log.warn({ code: rpcError(error).code }, 'relayed requests could not be checked')
        await rest(8 * pollMs)
      })
    }
  }

  /** One look at all entries; those in a block only where there is a new one. */
  async function look(): Promise<void> {
    const head = await provider.getBlockNumber()
    const hasMoved = head !== lastHead
    lastHead = head
    await forgetOldest()
    for (const { nonce } of outbox.entries()) {
      const entry = outbox.get(nonce)
      if (signal.aborted) return
      if (entry == null || (entry.blockNumber != null && !hasMoved)) continue
      try {
        await tendOne(entry, head)
      } catch (error) {
        // The code only: what the endpoint says repeats the request, and with it the pseudonym.
        const { code } = rpcError(error)
        const { contract, method } = entry.call
        log.warn({ code, contract, method }, 'a relayed request could not be checked')
        await rest(8 * pollMs)
      }
    }
  }

  /** What is in no block is never forgotten: all later ones wait for it. */
  async function forgetOldest(): Promise<void> {
    const mined = outbox.entries().filter(({ blockNumber }) => blockNumber != null)
    for (const { nonce } of mined.slice(0, Math.max(mined.length - MAX_WATCHED, 0))) await outbox.remove(nonce)
  }

  /** Receipts already handed out can vanish with a re-organisation or a crashed development chain. */
  async function tendOne(entry: OutboxEntry, head: number): Promise<void> {
    const { nonce, call } = entry
    const receipt = await sender.receipt(entry)
    if (receipt != null) {
      await noteIncluded(nonce, receipt)
      if (head - receipt.blockNumber >= watchBlocks) await outbox.remove(nonce)
      return
    }
    const { contract, method } = call
    if (entry.blockNumber != null) {
      counters.resent++
      log.warn({ contract, method, blockNumber: entry.blockNumber }, 'a relayed request vanished; sent again')
      await outbox.put({ ...entry, blockNumber: null })
    }
    if (!(await sender.keepAlive(entry))) {
      await drop(entry)
      if (entry.blockNumber != null) await deliverAgain(call)
    } else if (await sender.replace(entry, stuckMs, afford)) {
      counters.replaced++
      log.warn(
        { contract, method, attempts: entry.attempts.length + 1 },
        'a transaction was stuck; sent again for more'
      )
    }
  }

  async function noteIncluded(nonce: number, { blockNumber, fee }: TransactionReceipt): Promise<void> {
    const entry = outbox.get(nonce)
    if (entry == null || (entry.blockNumber === blockNumber && entry.booking == null)) return
    // The entry has no booking before it is settled: whoever sees the receipt as well does not settle it again.
    const noted = outbox.put({ ...entry, blockNumber, booking: null })
    await Promise.all([noted, settle(entry, fee)])
    if (watchBlocks === 0) await outbox.remove(nonce)
    tend()
  }

  async function drop(entry: OutboxEntry): Promise<void> {
    const { booking } = outbox.get(entry.nonce) ?? {}
    await outbox.remove(entry.nonce)
    await settle({ ...entry, booking: booking ?? null }, 0n)
  }

  function tend(): void {
    if (signal.aborted || outbox.entries().length === 0) return
    tending ??= tendAll().finally(() => {
      tending = undefined
    })
  }

  return {
    tend,
    noteIncluded,
    drop,
    async stop() {
      await tending
    }
  }
}
