import { AbiCoder, concat, id, keccak256, toBeHex, type TypedDataDomain } from 'ethers'
import type { ICredentialRegistry } from '#core/abi/types/CredentialRegistry.ts'
import {
  credentialBatchTypes,
  credentialRevocationTypes,
  credentialTypes,
  organisationRotationTypes
} from '#core/abi/typed-data/credentials.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import type { Key } from '#test/contracts/keys.ts'
import { idOf, type Sent } from '#test/contracts/requests.ts'

const coder = AbiCoder.defaultAbiCoder()

/** What was checked about the organisations of tests. */
export const PROFILE: string = id('profile')
/** Roles of tests. */
export const [PHYSICIAN, NURSE, PARAMEDIC, PHARMACIST, REVIEWER] = [1, 2, 3, 6, 19] as const
/** How far ahead a credential may end, in seconds. */
export const MAX_AHEAD_S: number = 5 * 366 * 86_400

/** What a credential says, unpacked. */
export interface CredentialTerms {
  readonly holder: string
  readonly role: number
  readonly specialty: number
  readonly notBefore: number
  readonly expiresAt: number
}

/** The word that the contract stores. */
export function packCredential({ holder, role, specialty, notBefore, expiresAt }: CredentialTerms): bigint {
  const word = concat([toBeHex(specialty, 2), toBeHex(role, 2), toBeHex(expiresAt, 4), toBeHex(notBefore, 4), holder])
  return BigInt(word)
}

/** Id of a credential. */
export function credentialIdOf(organisation: string, holder: Key, salt: string): string {
  return keccak256(coder.encode(['bytes32', 'address', 'bytes32'], [organisation, holder.id, salt]))
}

/** A credential to be issued, as a test describes it. */
export interface Wanted {
  readonly holder: Key
  readonly terms?: Partial<CredentialTerms>
  readonly salt?: string
  readonly deadline?: number
  /** What the holder signs in place of the truth. */
  readonly signed?: Record<string, unknown>
  readonly domain?: TypedDataDomain
  readonly alter?: (signature: string) => string
}

/** An organisation's office: its requests, signed by whoever runs it. */
export interface Office {
  readonly organisation: string
  accredit(): Sent
  /** The arguments of `issue`, signed. */
  prepare(wanted: readonly Wanted[]): Promise<IssueArguments>
  issue(...wanted: readonly Wanted[]): Sent
  /** Issues one, and gives its id. */
  hire(holder: Key, role?: number): Promise<string>
  revoke(holder: Key, by?: Key, salt?: string): Sent
  rotate(from: Key, to: Key): Sent
}

/** What `issue` takes. */
export type IssueArguments = [
  organisation: string,
  acceptances: ICredentialRegistry.AcceptanceStruct[],
  deadline: number,
  signer: string,
  signature: string
]

/** Opens the office of an organisation that `key` signs for. */
export function openOffice(chain: TestChain, key: Key): Office {
  const { credentials } = chain.contracts
  const domain = chain.domainOf('CredentialRegistry')
  const organisation = idOf(key.signer, id('salt'))
  const saltOf = (salt?: string): string => salt ?? id('credential')
  const valueOf = async ({ holder, terms, salt, deadline }: Wanted): Promise<CredentialValue> => ({
    organisation,
    holder: holder.id,
    role: PHYSICIAN,
    specialty: 2,
    notBefore: 0,
    expiresAt: (await chain.now()) + 86_400 * 365,
    ...terms,
    salt: saltOf(salt),
    deadline: deadline ?? (await chain.deadline())
  })
  const office: Office = {
    organisation,
    accredit: () => credentials.accredit(key.signer, PROFILE, id('salt')),
    async prepare(wanted) {
      const deadline = await chain.deadline()
      const values = await Promise.all(wanted.map(valueOf))
      const acceptances = await Promise.all(
        wanted.map(async ({ holder, signed, domain: other, alter }, i) => {
          const value = values[i]!
          const signature = await holder.sign(other ?? domain, credentialTypes, { ...value, ...signed })
          return {
            terms: packCredential(value),
            salt: value.salt,
            deadline: value.deadline,
            holder: holder.signer,
            signature: alter?.(signature) ?? signature
          }
        })
      )
      const signature = await key.sign(domain, credentialBatchTypes, { credentials: values, deadline })
      return [organisation, acceptances, deadline, key.signer, signature]
    },
    issue: async (...wanted) => credentials.issue(...(await office.prepare(wanted))),
    async hire(holder, role = PHYSICIAN) {
      const salt = id(`credential ${String(role)}`)
      await (await office.issue({ holder, terms: { role }, salt })).wait()
      return credentialIdOf(organisation, holder, salt)
    },
    async revoke(holder, by = key, salt) {
      const deadline = await chain.deadline()
      const credential = credentialIdOf(organisation, holder, saltOf(salt))
      const signature = await by.sign(domain, credentialRevocationTypes, { credential, deadline })
      return credentials.revoke(organisation, holder.id, saltOf(salt), deadline, by.signer, signature)
    },
    async rotate(from, to) {
      const deadline = await chain.deadline()
      const nonce = await credentials.nonceOf(organisation)
      const value = { organisation, newSigner: to.signer, nonce, deadline }
      const signature = await from.sign(domain, organisationRotationTypes, value)
      const newSignature = await to.sign(domain, organisationRotationTypes, value)
      return credentials.rotateSigner(organisation, to.signer, deadline, from.signer, signature, newSignature)
    }
  }
  return office
}

interface CredentialValue extends CredentialTerms {
  readonly organisation: string
  readonly salt: string
  readonly deadline: number
}
