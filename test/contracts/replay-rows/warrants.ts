import { ZeroHash, id } from 'ethers'
import * as types from '#core/abi/typed-data/warrants.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import type { Row } from '#test/contracts/replay-matrix.ts'
import { openWarrantDesk, warrantIdOf, type WarrantDesk, type WarrantTerms } from '#test/contracts/warrant-requests.ts'

const [key, ...others] = ['a', 'b', 'c', 'd', 'e'].map(accountKey) as [Key, ...Key[]]
const deskOf = (chain: TestChain, by: Key = key): WarrantDesk =>
  openWarrantDesk(
    chain,
    [by, ...others].map(each => ({ key: each, organisation: id(each.id) }))
  )
let warrant: string
async function open(chain: TestChain, special: Partial<WarrantTerms> = {}): Promise<void> {
  await deskOf(chain).name()
  const terms = await deskOf(chain).terms(special)
  warrant = warrantIdOf(terms)
  await deskOf(chain).open(terms, special.isEmergency === true ? [1, 2, 3] : [1])
}
const common = {
  contract: 'EscrowWarrant',
  key,
  refused: 'ApprovalSignatureInvalid',
  prepare: (chain: TestChain) => open(chain)
} as const

/** The requests of auditors. */
export const WARRANT_ROWS: readonly Row[] = [
  {
    ...common,
    name: 'openWarrant',
    types: types.warrantOpeningTypes,
    once: 'WarrantAlreadyOpened',
    prepare: chain => deskOf(chain).name(),
    send: async (chain, by) => deskOf(chain, by).open(await deskOf(chain).terms())
  },
  {
    ...common,
    name: 'objectTo',
    types: types.warrantObjectionTypes,
    once: 'AuditorActedBefore',
    send: (chain, by) => deskOf(chain, by).object(warrant, 0)
  },
  {
    ...common,
    name: 'cancelByCourt',
    types: types.warrantCancellationTypes,
    once: 'WarrantNotOpen',
    send: (chain, by) => deskOf(chain, by).cancelByCourt(warrant)
  },
  {
    ...common,
    name: 'postNotice',
    types: types.warrantNoticeTypes,
    once: 'NoticeUnfit',
    prepare: chain => open(chain, { notice: ZeroHash, delayOrder: id('order') }),
    send: (chain, by) => deskOf(chain, by).notify(warrant)
  },
  {
    ...common,
    name: 'postShare',
    types: types.warrantShareTypes,
    once: 'AuditorActedBefore',
    async prepare(chain) {
      await open(chain)
      await chain.moveTo((await chain.now()) + 4 * 86_400)
    },
    send: (chain, by) => deskOf(chain, by).share(warrant, 0)
  },
  {
    ...common,
    name: 'review',
    types: types.warrantReviewTypes,
    once: 'ReviewUnfit',
    async prepare(chain) {
      await open(chain, { isEmergency: true })
      // It is reviewed when it is over.
      await chain.moveTo((await chain.now()) + 31 * 86_400)
    },
    send: (chain, by) => deskOf(chain, by).review(warrant, [0, 4])
  }
]
