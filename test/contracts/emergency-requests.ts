import { AbiCoder, ZeroHash, id, keccak256 } from 'ethers'
import type { IEmergencyAccess } from '#core/abi/types/EmergencyAccess.ts'
import {
  breakGlassTypes,
  emergencyDisputeTypes,
  emergencyEndTypes,
  emergencyPolicyTypes,
  emergencyReviewTypes
} from '#core/abi/typed-data/emergencies.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import type { Key } from '#test/contracts/keys.ts'
import type { Sent } from '#test/contracts/requests.ts'

/** Reason, report and statement of tests. */
export const [REASON, REPORT, STATEMENT] = [id('reason'), id('report'), id('statement')] as const
/** What a review may find. */
export const [UNREVIEWED, JUSTIFIED, QUESTIONABLE, UNJUSTIFIED] = [0, 1, 2, 3] as const
/** Seconds. */
export const [HOUR, DAY] = [3600, 86_400] as const

/** What makes up an emergency's id. */
export interface Emergency {
  readonly patient: string
  readonly credential: string
  readonly secondCredential: string
  readonly salt: string
}

/** What a patient allows, unpacked. */
export interface Policy {
  readonly isAllowed: boolean
  readonly responders: number
  readonly roles: number
  readonly maxDuration: number
  readonly coolDown: number
}

/** What holds where a patient has said nothing: one physician, nurse or paramedic, four hours. */
export const STANDARD: Policy = { isAllowed: true, responders: 1, roles: 0b1110, maxDuration: 4 * HOUR, coolDown: 0 }
/** No emergency access at all. */
export const NEVER_ALLOWED: Policy = { isAllowed: false, responders: 0, roles: 0, maxDuration: 0, coolDown: 0 }

/** The word that the contract stores. */
export function packPolicy({ isAllowed, responders, roles, maxDuration, coolDown }: Policy): bigint {
  return (
    BigInt(coolDown) |
    (BigInt(maxDuration) << 32n) |
    (BigInt(roles) << 64n) |
    (BigInt(responders) << 96n) |
    (BigInt(isAllowed) << 104n)
  )
}

/** An emergency by one responder, or two. */
export function emergencyOf(
  patient: string,
  credential: string,
  salt = 'emergency',
  secondCredential = ZeroHash
): Emergency {
  return { patient, credential, secondCredential, salt: id(salt) }
}

/** Id of an emergency. */
export function emergencyIdOf({ patient, credential, secondCredential, salt }: Emergency): string {
  const types = ['bytes32', 'bytes32', 'bytes32', 'bytes32']
  return keccak256(AbiCoder.defaultAbiCoder().encode(types, [patient, credential, secondCredential, salt]))
}

/** Says what a patient allows. */
export async function setPolicy(chain: TestChain, key: Key, patient: string, policy: Policy): Sent {
  const { emergencies } = chain.contracts
  const deadline = await chain.deadline()
  const value = { patient, ...policy, nonce: await emergencies.policyNonceOf(patient), deadline }
  const signature = await key.sign(chain.domainOf('EmergencyAccess'), emergencyPolicyTypes, value)
  return emergencies.setPolicy(patient, packPolicy(policy), deadline, key.signer, signature)
}

/** What `breakGlass` takes. */
export type BreakGlassArguments = [
  emergency: Emergency,
  reason: string,
  duration: number,
  deadline: number,
  responders: IEmergencyAccess.ResponderStruct[]
]

/** Declares an emergency's arguments, signed by these. */
export async function signBreakGlass(
  chain: TestChain,
  keys: readonly Key[],
  emergency: Emergency,
  special: { reason?: string; duration?: number; deadline?: number } = {}
): Promise<BreakGlassArguments> {
  const { reason = REASON, duration = HOUR, deadline = (await chain.now()) + HOUR / 2 } = special
  const value = { ...emergency, reason, duration, deadline }
  const responders = await Promise.all(
    keys.map(async key => ({
      signer: key.signer,
      signature: await key.sign(chain.domainOf('EmergencyAccess'), breakGlassTypes, value)
    }))
  )
  return [emergency, reason, duration, deadline, responders]
}

/** Declares an emergency. */
export async function breakGlass(
  chain: TestChain,
  keys: readonly Key[],
  emergency: Emergency,
  special: { reason?: string; duration?: number; deadline?: number } = {}
): Sent {
  return chain.contracts.emergencies.breakGlass(...(await signBreakGlass(chain, keys, emergency, special)))
}

/** Ends an emergency. */
export async function end(chain: TestChain, key: Key, emergency: Emergency): Sent {
  const deadline = await chain.deadline()
  const value = { emergency: emergencyIdOf(emergency), deadline }
  const signature = await key.sign(chain.domainOf('EmergencyAccess'), emergencyEndTypes, value)
  return chain.contracts.emergencies.end(emergency, deadline, key.signer, signature)
}

/** Disputes an emergency. */
export async function dispute(chain: TestChain, key: Key, emergency: Emergency, statement: string = STATEMENT): Sent {
  const deadline = await chain.deadline()
  const value = { emergency: emergencyIdOf(emergency), statement, deadline }
  const signature = await key.sign(chain.domainOf('EmergencyAccess'), emergencyDisputeTypes, value)
  return chain.contracts.emergencies.dispute(emergency, statement, deadline, key.signer, signature)
}

/** Reviews an emergency under a credential. */
export async function reviewByCredential(
  chain: TestChain,
  key: Key,
  emergency: Emergency,
  reviewerCredential: string,
  outcome: number = JUSTIFIED,
  report: string = REPORT
): Sent {
  const deadline = await chain.deadline()
  const value = { emergency: emergencyIdOf(emergency), outcome, report, reviewerCredential, deadline }
  const signature = await key.sign(chain.domainOf('EmergencyAccess'), emergencyReviewTypes, value)
  return chain.contracts.emergencies.reviewByCredential(emergency, outcome, report, reviewerCredential, deadline, {
    signer: key.signer,
    signature
  })
}
