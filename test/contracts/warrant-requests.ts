import { ZeroHash, id } from 'ethers'
import type { TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import {
  warrantCancellationTypes,
  warrantNoticeTypes,
  warrantObjectionTypes,
  warrantOpeningTypes,
  warrantReviewTypes,
  warrantShareTypes
} from '#core/abi/typed-data/warrants.ts'
import type { EscrowWarrant, IAudited, IEscrowWarrant } from '#core/abi/types/EscrowWarrant.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import type { Key } from '#test/contracts/keys.ts'
import { REASON, approve, hashOf, researchContracts, type Sent } from '#test/contracts/research-contracts.ts'

/** What the contract takes as a warrant. */
export type WarrantTerms = IEscrowWarrant.WarrantTermsStruct

/** An auditor's key and organisation. */
export interface Auditor {
  readonly key: Key
  readonly organisation: string
}

/** Requests to the contract of warrants, signed by auditors. */
export interface WarrantDesk {
  readonly warrants: EscrowWarrant
  readonly set: IAudited.AuditorSetStruct
  sign(types: TypedDataTypes, value: object, indices: readonly number[]): ReturnType<typeof approve>
  /** Names the auditors. */
  name(): Sent
  terms(special?: Partial<WarrantTerms>): Promise<WarrantTerms>
  open(terms: WarrantTerms, indices?: readonly number[]): Sent
  object(warrant: string, index: number): Sent
  cancelByCourt(warrant: string, index?: number): Sent
  notify(warrant: string, notice?: string, index?: number): Sent
  share(warrant: string, index: number, share?: string): Sent
  execute(warrant: string): Sent
  /** By auditors of this desk; `openedUnder` is the set that opened it, this one unless told. */
  review(warrant: string, indices: readonly number[], openedUnder?: IAudited.AuditorSetStruct): Sent
}

/** Id of a warrant. */
export function warrantIdOf({ row, legalBasis, caseDigest }: WarrantTerms): string {
  return hashOf(['bytes32', 'bytes32', 'bytes32'], [row, legalBasis, caseDigest])
}

/** Opens the desk of some auditors, three of whom open a row and two of whom stop it. */
export function openWarrantDesk(chain: TestChain, auditors: readonly Auditor[]): WarrantDesk {
  const { warrants } = researchContracts(chain)
  const keys = auditors.map(({ key }) => key)
  const organisations = auditors.map(({ organisation }) => organisation)
  const set = { ids: keys.map(({ id: each }) => each), organisations, threshold: 3, objectors: 2 }
  const sign: WarrantDesk['sign'] = (types, value, indices) =>
    approve(keys, indices, chain.domainOf('EscrowWarrant'), types, value as Record<string, unknown>)
  const one = async (types: TypedDataTypes, value: object, index: number) => {
    const [approval] = await sign(types, value, [index])
    return approval!
  }
  return {
    warrants,
    set,
    sign,
    name: async () =>
      warrants.setAuditors(
        keys.map(({ signer }) => signer),
        organisations,
        3,
        2
      ),
    terms: async (special = {}) => ({
      row: id('row'),
      legalBasis: id('legal basis'),
      caseDigest: id('case'),
      notice: id('notice'),
      delayOrder: ZeroHash,
      isEmergency: false,
      deadline: await chain.deadline(),
      ...special
    }),
    open: async (terms, indices = terms.isEmergency ? [0, 2, 4] : [0]) =>
      warrants.openWarrant(terms, set, await sign(warrantOpeningTypes, terms, indices)),
    async object(warrant, index) {
      const deadline = await chain.deadline()
      const approval = await one(warrantObjectionTypes, { warrant, reason: REASON, deadline }, index)
      return warrants.objectTo(warrant, REASON, deadline, set, approval)
    },
    async cancelByCourt(warrant, index = 0) {
      const deadline = await chain.deadline()
      const value = { warrant, courtOrder: id('order'), deadline }
      const approval = await one(warrantCancellationTypes, value, index)
      return warrants.cancelByCourt(warrant, value.courtOrder, deadline, set, approval)
    },
    async notify(warrant, notice = id('notice'), index = 0) {
      const deadline = await chain.deadline()
      const approval = await one(warrantNoticeTypes, { warrant, notice, deadline }, index)
      return warrants.postNotice(warrant, notice, deadline, set, approval)
    },
    async share(warrant, index, share = '0xc0ffee') {
      const deadline = await chain.deadline()
      const approval = await one(warrantShareTypes, { warrant, share, deadline }, index)
      return warrants.postShare(warrant, share, deadline, set, approval)
    },
    execute: async warrant => warrants.execute(warrant, set),
    async review(warrant, indices, openedUnder = set) {
      const deadline = await chain.deadline()
      const approvals = await sign(warrantReviewTypes, { warrant, finding: REASON, deadline }, indices)
      return warrants.review(warrant, REASON, deadline, set, openedUnder, approvals)
    }
  }
}
