import { randomBytes } from 'node:crypto'
import { getBytes, hexlify } from 'ethers'
import { networkIdOf } from '#core/chain/network-id.ts'
import { encodeGrantDocument, grantScope } from '#core/grant/document.ts'
import type { Compartment } from '#core/record/compartment.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import type { Key } from '#test/contracts/keys.ts'
import { idOf, register, type Sent } from '#test/contracts/requests.ts'
import type { Habits } from '#test/scripts/observer/habits.ts'
import { PURPOSE } from '#test/scripts/observer/secrets.ts'

/** One pseudonym of the story's patient, and the transactions about it. */
export interface Relationship {
  readonly patient: string
  readonly hashes: string[]
  /** Notes a transaction as one about this pseudonym. */
  readonly did: (sent: Sent) => Promise<void>
  /** The scope of a grant, from a document as a patient's agent makes it. */
  readonly scopeFor: (grantee: Key, compartments: readonly Compartment[]) => string
}

/** Registers a pseudonym. */
export async function openRelationship(chain: TestChain, key: Key, habits: Habits): Promise<Relationship> {
  const salt = habits.salt()
  const patient = idOf(key.signer, salt)
  const { chainId, contracts } = chain.deployment
  const network = networkIdOf(chainId, contracts.AccessGrants.address)
  const relationship: Relationship = {
    patient,
    hashes: [],
    did: async sent => {
      relationship.hashes.push((await sent).hash)
    },
    scopeFor: (grantee, compartments) =>
      hexlify(
        grantScope(
          encodeGrantDocument({
            network,
            patient: getBytes(patient),
            grantee: getBytes(grantee.id),
            compartments,
            purpose: PURPOSE,
            salt: randomBytes(32)
          })
        )
      )
  }
  await relationship.did(register(chain, key, salt, await habits.keyBundle()))
  return relationship
}
