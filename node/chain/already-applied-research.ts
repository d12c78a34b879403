/** Whether a refused request about research had been applied before, by `contract.method.error`. */
import { TypedDataEncoder, ZeroHash } from 'ethers'
import { researchReleaseTypes } from '#core/abi/typed-data/research.ts'
import type { Check } from '#node/chain/applied-check.ts'

const RELEASE_FIELDS = Object.values(researchReleaseTypes)[0]?.map(({ name }) => name) ?? []
const applied: Check = async () => Promise.resolve(true)

/** What is not listed was not applied. */
export const RESEARCH_CHECKS: Readonly<Record<string, Check>> = {
  'ConsentRegistry.give.ConsentOutOfSequence': async (chain, { args: [patient, consentId, policy, revision] }) => {
    const [consent] = (await chain.view('consentOf', patient, consentId)) as [readonly unknown[]]
    return consent[0] === policy && consent[1] === revision
  },
  // What is for ever has only one outcome: whoever asked for it, it is as the request wanted it.
  'ConsentRegistry.withdraw.ConsentIsWithdrawn': applied,
  'ReleaseRegistry.revokeAccess.AccessIsRevoked': applied,
  'ReleaseRegistry.challenge.ReleaseAlreadyChallenged': applied,
  'ReleaseRegistry.publishRelease.ResearchReleaseOutOfSequence': async (chain, { args }) => {
    const values = args[0] as readonly unknown[]
    const terms = Object.fromEntries(RELEASE_FIELDS.map((name, index) => [name, values[index]]))
    const [digest] = await chain.view('digestOf', terms['release'])
    return digest === TypedDataEncoder.from(researchReleaseTypes).hash(terms)
  },
  'ReleaseRegistry.grantAccess.AccessAlreadyGiven': async (chain, { args, errorArgs }) => {
    const [, , , purpose, expiresAt] = args[0] as readonly unknown[]
    const [given] = await chain.events('AccessGranted', [errorArgs[0]])
    return given?.[4] === purpose && given?.[5] === expiresAt
  },
  'PrivacyLedger.spendSigned.QueryAlreadyBooked': async (
    chain,
    { args: [dataset, researcher, query, price, sequence] }
  ) => {
    const [spent] = await chain.events('Spent', [dataset, sequence, researcher])
    return spent?.[3] === query && spent?.[4] === price
  },
  // A warrant's id holds all but the notice, or the order to delay it, and the kind.
  'EscrowWarrant.openWarrant.WarrantAlreadyOpened': async (chain, { args, errorArgs: [warrant] }) => {
    const [, , , notice, delayOrder, isEmergency] = args[0] as readonly unknown[]
    const [opened] = await chain.events('WarrantOpened', [warrant])
    if (opened?.[4] !== delayOrder || opened?.[5] !== isEmergency) return false
    if (delayOrder !== ZeroHash) return true
    // A warrant has one notice; without an order it came with the opening.
    const [noticed] = await chain.events('WarrantNoticed', [warrant])
    return noticed?.[1] === notice
  }
}
