import { id } from 'ethers'
import {
  releaseChallengeTypes,
  releaseHoldTypes,
  releaseLetGoTypes,
  releaseWithdrawalTypes,
  researchAccessRevocationTypes,
  researchAccessTypes,
  researchReleaseTypes
} from '#core/abi/typed-data/research.ts'
import type { TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import type { IKeySets, IReleaseRegistry, IResearchAccess, ReleaseRegistry } from '#core/abi/types/ReleaseRegistry.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import type { Key } from '#test/contracts/keys.ts'
import { REASON, approve, hashOf, researchContracts, type Sent } from '#test/contracts/research-contracts.ts'

/** What the contract takes as a release. */
export type ReleaseTerms = IReleaseRegistry.ReleaseTermsStruct
/** What the contract takes as an access. */
export type AccessTerms = IResearchAccess.AccessTermsStruct

/** Terms of GA4GH's Data Use Ontology, as bits; contracts/libraries/DataUse.sol. */
export const USE = {
  NRES: 1 << 0,
  GRU: 1 << 1,
  HMB: 1 << 2,
  DS: 1 << 3,
  POA: 1 << 4,
  NCU: 1 << 5,
  NPU: 1 << 6,
  NPUNCU: 1 << 7,
  NMDS: 1 << 8,
  NPOA: 1 << 9,
  IRB: 1 << 10,
  NRI: 1 << 22,
  NOLINK: 1 << 23,
  T1: 1 << 24,
  CC: 1 << 25,
  METHODS: 1 << 26,
  CONTROL_SET: 1 << 27,
  COMMERCIAL: 1 << 28,
  CLINICAL_CARE: 1 << 29
} as const

/** The scheme that tests admit: registered rows, eleven to a class. */
export const SCHEME: IReleaseRegistry.SchemeStruct = {
  rules: id('rules'),
  code: id('code'),
  parameters: id('parameters'),
  tier: 2,
  minimumK: 11
}

/** Id of a scheme. */
export function schemeIdOf({ rules, code, parameters, tier, minimumK }: IReleaseRegistry.SchemeStruct): string {
  return hashOf(['bytes32', 'bytes32', 'bytes32', 'uint8', 'uint16'], [rules, code, parameters, tier, minimumK])
}

/** Id of an access. */
export function accessIdOf({ release, researcher, agreement }: AccessTerms): string {
  return hashOf(['uint48', 'address', 'bytes32'], [release, researcher, agreement])
}

/** Requests to the registry of releases, signed by stewards; by default by exactly as many as it takes. */
export interface ReleaseDesk {
  readonly releases: ReleaseRegistry
  readonly set: IKeySets.KeySetStruct
  /** Signs with the stewards of these indices. */
  sign(types: TypedDataTypes, value: object, indices?: readonly number[]): ReturnType<typeof approve>
  /** Names the stewards and admits the scheme. */
  open(): Promise<void>
  terms(release: number, special?: Partial<ReleaseTerms>): Promise<ReleaseTerms>
  publish(terms: ReleaseTerms, indices?: readonly number[]): Sent
  challenge(release: number, proof: string, key: Key): Sent
  hold(release: number, index?: number): Sent
  letGo(release: number, indices?: readonly number[]): Sent
  withdraw(release: number, indices?: readonly number[]): Sent
  accessTerms(researcher: Key, special?: Partial<AccessTerms>): Promise<AccessTerms>
  grant(terms: AccessTerms, researcher: Key, indices?: readonly number[]): Sent
  revoke(access: string, index?: number): Sent
}

/** Opens the desk of some stewards. */
export function openReleaseDesk(chain: TestChain, stewards: readonly Key[], threshold: number): ReleaseDesk {
  const { releases } = researchContracts(chain)
  const enough = Array.from({ length: threshold }, (_, index) => index)
  const set = { ids: stewards.map(({ id: each }) => each), threshold }
  const sign: ReleaseDesk['sign'] = (types, value, indices = enough) =>
    approve(stewards, indices, chain.domainOf('ReleaseRegistry'), types, value as Record<string, unknown>)
  const one = async (types: TypedDataTypes, value: object, index: number) => {
    const [approval] = await sign(types, value, [index])
    return approval!
  }
  const revisionOf = async (release: number): Promise<bigint> => (await releases.releaseOf(release)).revision
  return {
    releases,
    set,
    sign,
    async open() {
      await releases.setStewards(
        stewards.map(({ signer }) => signer),
        threshold
      )
      await releases.addScheme(SCHEME)
    },
    terms: async (release, special = {}) => ({
      release,
      scheme: schemeIdOf(SCHEME),
      manifest: id(`manifest ${String(release)}`),
      certificate: id('certificate'),
      escrowRoot: id('escrow'),
      rows: 2000,
      escrowed: 2000,
      k: 11,
      tier: 2,
      dataUse: USE.GRU | USE.NRI,
      windowBlock: 1,
      deadline: await chain.deadline(),
      ...special
    }),
    publish: async (terms, indices) =>
      releases.publishRelease(terms, set, await sign(researchReleaseTypes, terms, indices)),
    async challenge(release, proof, key) {
      const deadline = await chain.deadline()
      const value = { release, proof, deadline }
      const signature = await key.sign(chain.domainOf('ReleaseRegistry'), releaseChallengeTypes, value)
      return releases.challenge(release, proof, deadline, key.signer, signature)
    },
    async hold(release, index = 0) {
      const value = { release, reason: REASON, revision: await revisionOf(release), deadline: await chain.deadline() }
      return releases.holdRelease(release, REASON, value.deadline, set, await one(releaseHoldTypes, value, index))
    },
    async letGo(release, indices) {
      const value = { release, reason: REASON, revision: await revisionOf(release), deadline: await chain.deadline() }
      const approvals = await sign(releaseLetGoTypes, value, indices)
      return releases.letGoRelease(release, REASON, value.deadline, set, approvals)
    },
    async withdraw(release, indices) {
      const value = { release, reason: REASON, deadline: await chain.deadline() }
      const approvals = await sign(releaseWithdrawalTypes, value, indices)
      return releases.withdrawRelease(release, REASON, value.deadline, set, approvals)
    },
    accessTerms: async (researcher, special = {}) => ({
      release: 1,
      researcher: researcher.id,
      agreement: id('agreement'),
      purpose: USE.HMB | USE.NRI,
      expiresAt: (await chain.now()) + 86_400,
      deadline: await chain.deadline(),
      ...special
    }),
    async grant(terms, researcher, indices) {
      const value = { ...terms }
      const acceptance = await researcher.sign(chain.domainOf('ReleaseRegistry'), researchAccessTypes, value)
      const approvals = await sign(researchAccessTypes, terms, indices)
      return releases.grantAccess(terms, set, approvals, researcher.signer, acceptance)
    },
    async revoke(access, index = 0) {
      const value = { access, deadline: await chain.deadline() }
      return releases.revokeAccess(access, value.deadline, set, await one(researchAccessRevocationTypes, value, index))
    }
  }
}
