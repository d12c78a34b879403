import { AbiCoder, id, keccak256 } from 'ethers'
import { guardianSetTypes, recoveryTypes, recoveryVetoTypes } from '#core/abi/typed-data/recovery.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import type { Key } from '#test/contracts/keys.ts'
import type { Sent } from '#test/contracts/requests.ts'
import { treeOf, type Tree } from '#test/contracts/tree.ts'

const coder = AbiCoder.defaultAbiCoder()

/** Seconds that tests give a recovery. */
export const DELAY_S = 259_200

/** The guardians of a patient, each with a salt of its own. */
export interface Circle {
  readonly tree: Tree
  readonly leafOf: (guardian: Key) => string
  readonly saltOf: (guardian: Key) => string
  /** The guardians in the order that the contract demands. */
  inOrder(guardians: readonly Key[]): Key[]
}

/** Makes the tree of a patient's guardians. */
export function circleOf(
  patient: string,
  guardians: readonly Key[],
  saltOf = (guardian: Key): string => id(`salt of ${guardian.id}`)
): Circle {
  const leafOf = (guardian: Key): string =>
    keccak256(keccak256(coder.encode(['bytes32', 'address', 'bytes32'], [patient, guardian.id, saltOf(guardian)])))
  return {
    tree: treeOf(guardians.map(leafOf)),
    leafOf,
    saltOf,
    inOrder: chosen => [...chosen].sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1))
  }
}

/** What a patient says of its guardians. */
export interface GuardianTerms {
  readonly root: string
  readonly threshold: number
  readonly delay: number
}

/** Names a patient's guardians. */
export async function setGuardians(chain: TestChain, key: Key, patient: string, terms: GuardianTerms): Sent {
  const { grants } = chain.contracts
  const deadline = await chain.deadline()
  const { root, threshold, delay } = terms
  const value = { patient, ...terms, nonce: await grants.nonceOf(patient), deadline }
  const signature = await key.sign(chain.domainOf('AccessGrants'), guardianSetTypes, value)
  return grants.setGuardians(patient, root, threshold, delay, deadline, key.signer, signature)
}

/** Signs the opening of a recovery for the next ten days; the promise gives a function that submits it, once or again. */
export async function signRecovery(
  chain: TestChain,
  patient: string,
  to: Key,
  by: { readonly circle: Circle; readonly guardians: readonly Key[] }
): Promise<() => Sent> {
  const { grants } = chain.contracts
  const deadline = (await chain.now()) + 864_000
  const domain = chain.domainOf('AccessGrants')
  const value = { patient, newSigner: to.signer, nonce: await grants.nonceOf(patient), deadline }
  const approvals = await Promise.all(
    by.guardians.map(async guardian => ({
      signer: guardian.signer,
      salt: by.circle.saltOf(guardian),
      proof: by.circle.tree.proofOf(by.circle.leafOf(guardian)),
      signature: await guardian.sign(domain, recoveryTypes, value)
    }))
  )
  const newSignature = await to.sign(domain, recoveryTypes, value)
  return () => grants.openRecovery(patient, to.signer, deadline, newSignature, approvals)
}

/** Stops the recovery under way. */
export async function vetoRecovery(chain: TestChain, key: Key, patient: string): Sent {
  const { grants } = chain.contracts
  const deadline = await chain.deadline()
  const value = { patient, nonce: await grants.nonceOf(patient), deadline }
  const signature = await key.sign(chain.domainOf('AccessGrants'), recoveryVetoTypes, value)
  return grants.vetoRecovery(patient, deadline, key.signer, signature)
}
