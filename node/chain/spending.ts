/** What a relayer has spent today, and what it may: for all, for each contract, and for each who asks. */
import { SalusError } from '#core/error.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { openTable, type Database } from '#node/store/database.ts'

/** Most wei a day (UTC); without a bound where it is not told. */
export interface DayBudgets {
  readonly allWei?: bigint | undefined
  /** Of each asker; remembered by the process only, so that no address is on the disk. */
  readonly askerWei?: bigint | undefined
  readonly contractWei?: bigint | undefined
}

/** What was booked for a transaction, on a day counted from 1970. */
export interface Booking {
  readonly wei: bigint
  readonly day: number
  readonly isOwn: boolean
}

/** The account of a day. */
export interface Spending {
  load(): Promise<void>
  /**
   * Books what a transaction may cost at most.
   *
   * @throws SalusError `RELAY_DAY_BUDGET`, `RELAY_CONTRACT_BUDGET`, `RELAY_BUDGET`; never for the operator's own
   */
  book(wei: bigint, of: Spender): Promise<Booking>
  /** Puts what a transaction cost in the place of what was booked for it; what was booked on an earlier day stays there. */
  settle(booking: Booking, costWei: bigint, of: Spender): Promise<void>
  todayWei(): bigint
}

/** For what, and for whom: an asker that nobody remembers has no budget of its own. */
export interface Spender {
  readonly contract: string
  readonly asker: string | undefined
  /** The operator's own requests have no bound. */
  readonly isOwn: boolean
}

const ALL = 'all'
const DAY_MS = 86_400_000
/** Askers of a day that are told apart; beyond that, those booked first are forgotten. */
const MAX_ASKERS = 4_096

/** Opens the account. */
export function createSpending(
  { db, clock }: { readonly db: Database | undefined; readonly clock: () => number },
  budgets: DayBudgets
): Spending {
  const table = db == null ? undefined : openTable(db, 'relay')
  /** By contract, and for all. */
  let spent = new Map<string, bigint>()
  let askers = new Map<string, bigint>()
  let day = Math.floor(clock() / DAY_MS)

  function today(): void {
    const now = Math.floor(clock() / DAY_MS)
    if (now === day) return
    day = now
    spent = new Map()
    askers = new Map()
  }

  async function add(wei: bigint, { contract, asker }: Spender): Promise<void> {
    const plus = (to: Map<string, bigint>, key: string): void => {
      const sum = (to.get(key) ?? 0n) + wei
      to.set(key, sum < 0n ? 0n : sum)
    }
    for (const key of [ALL, contract]) plus(spent, key)
    if (asker != null) {
      plus(askers, asker)
      const [first] = askers.keys()
      if (askers.size > MAX_ASKERS && first != null) askers.delete(first)
    }
    const text = JSON.stringify({ day, spent: Array.from(spent, ([key, value]) => [key, String(value)]) })
    await table?.put('spent', utf8(text))
  }

  return {
    async load() {
      await table?.open()
      const bytes = await table?.get('spent')
      if (bytes == null) return
      const saved = JSON.parse(new TextDecoder().decode(bytes)) as { day: number; spent: [string, string][] }
      if (saved.day === day) spent = new Map(saved.spent.map(([key, wei]) => [key, BigInt(wei)]))
    },
    async book(wei, of) {
      today()
      const isOver = (used: bigint | undefined, most: bigint | undefined): boolean =>
        most != null && (used ?? 0n) + wei > most
      if (!of.isOwn) {
        if (isOver(spent.get(ALL), budgets.allWei)) {
          throw new SalusError(
            'RELAY_DAY_BUDGET',
            'This node has paid what it pays in a day; ask tomorrow, or another.'
          )
        }
        if (isOver(spent.get(of.contract), budgets.contractWei)) {
          throw new SalusError('RELAY_CONTRACT_BUDGET', 'This node pays no more for this contract today.')
        }
        if (of.asker != null && isOver(askers.get(of.asker), budgets.askerWei)) {
          throw new SalusError('RELAY_BUDGET', 'This address has used up the gas it is paid for; ask again later.')
        }
      }
      await add(wei, of)
      return { wei, day, isOwn: of.isOwn }
    },
    async settle(booking, costWei, of) {
      today()
      if (booking.day === day) await add(costWei - booking.wei, of)
    },
    todayWei() {
      today()
      return spent.get(ALL) ?? 0n
    }
  }
}
