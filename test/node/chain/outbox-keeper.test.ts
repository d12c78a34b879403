import { expect } from 'chai'
import { TransactionReceipt, type JsonRpcProvider } from 'ethers'
import { createOutbox, type OutboxEntry } from '#node/chain/outbox.ts'
import { createOutboxKeeper } from '#node/chain/outbox-keeper.ts'
import { createSpending } from '#node/chain/spending.ts'
import { expectCode } from '#test/error-code.ts'
import { until } from '#test/node/chain/paper-network.ts'
import { silentLog } from '#test/node/chain/test-chain.ts'

const CALL = { contract: 'AccessGrants', method: 'revoke', to: '0x01', data: '0x', maxGas: 1 } as const
const DAY_MS = 86_400_000
const OWN = { contract: 'a', asker: undefined, isOwn: true }

function receiptOf(blockNumber: number): TransactionReceipt {
  return Object.create(TransactionReceipt.prototype, {
    blockNumber: { value: blockNumber },
    fee: { value: 1n }
  }) as TransactionReceipt
}

function entryOf(nonce: number, blockNumber: number | null): OutboxEntry {
  return { nonce, call: { ...CALL, data: `0x${String(nonce)}` }, gasLimit: 1n, attempts: [], blockNumber }
}

describe('the keeper of an outbox', () => {
  it('forgets the oldest that are in a block where there are too many, and none that is in no block', async () => {
    const outbox = createOutbox(undefined, '0x01')
    for (let nonce = 0; nonce < 10; nonce++) await outbox.put(entryOf(nonce, null))
    for (let nonce = 10; nonce < 1_050; nonce++) await outbox.put(entryOf(nonce, 5))
    const stop = new AbortController()
    let looks = 0
    const keeper = createOutboxKeeper(
      {
        provider: { getBlockNumber: async () => Promise.resolve(7 + looks++) } as unknown as JsonRpcProvider,
        sender: {
          receipt: async ({ blockNumber }) => Promise.resolve(blockNumber == null ? undefined : receiptOf(blockNumber)),
          keepAlive: async () => Promise.resolve(true),
          replace: async () => Promise.resolve(false)
        },
        settle: async () => Promise.resolve(),
        afford: async () => Promise.resolve(undefined),
        deliverAgain: async () => Promise.resolve(),
        counters: { replaced: 0, resent: 0 },
        signal: stop.signal,
        log: silentLog,
        outbox
      },
      { pollMs: 1, watchBlocks: 32, stuckMs: 1 }
    )
    keeper.tend()
    await until(() => looks > 2)
    stop.abort()
    await keeper.stop()
    const left = outbox.entries()
    expect(left.filter(({ blockNumber }) => blockNumber == null)).to.have.length(10)
    expect(left.filter(({ blockNumber }) => blockNumber != null).map(({ nonce }) => nonce)).to.deep.equal(
      Array.from({ length: 1_024 }, (_, i) => 26 + i)
    )
  })
})

describe('the account of a day', () => {
  it('replaces what was booked by what it cost, on the same day only, and never falls below nought', async () => {
    let nowMs = 10 * DAY_MS
    const spending = createSpending({ db: undefined, clock: () => nowMs }, { allWei: 100n, askerWei: 60n })
    const first = await spending.book(60n, { contract: 'a', asker: 'x', isOwn: false })
    await expectCode('RELAY_BUDGET', async () => spending.book(1n, { contract: 'a', asker: 'x', isOwn: false }))
    await expectCode('RELAY_DAY_BUDGET', async () =>
      spending.book(41n, { contract: 'b', asker: undefined, isOwn: false })
    )
    await spending.settle(first, 20n, { contract: 'a', asker: 'x', isOwn: false })
    expect(spending.todayWei()).to.equal(20n)
    const late = await spending.book(50n, OWN)
    nowMs += DAY_MS
    expect(spending.todayWei()).to.equal(0n)
    await spending.settle(late, 10n, OWN)
    expect(spending.todayWei()).to.equal(0n)
    const own = await spending.book(5n, OWN)
    await spending.settle({ ...own, wei: 50n }, 0n, OWN)
    expect(spending.todayWei()).to.equal(0n)
  })
})
