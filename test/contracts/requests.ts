import { AbiCoder, Signature, id, keccak256, type ContractTransactionResponse } from 'ethers'
import { anchorTypes, gatewayRegistrationTypes } from '#core/abi/typed-data/anchors.ts'
import { accessRequestTypes, claimTypes, grantTypes, revocationTypes } from '#core/abi/typed-data/grants.ts'
import { keyBundleUpdateTypes, registrationTypes, signerRotationTypes } from '#core/abi/typed-data/patients.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import type { Key } from '#test/contracts/keys.ts'

const coder = AbiCoder.defaultAbiCoder()

/** A submitted request; the promise may reject with the contract's error. */
export type Sent = Promise<ContractTransactionResponse>

/** The terms of a grant, unpacked. */
export interface Terms {
  readonly grantee: string
  readonly notBefore: number
  readonly expiresAt: number
  readonly rights: number
  readonly uses: number
}

/** No end. */
export const NEVER = 2 ** 40 - 1
/** The key bundle's digest that tests give everybody. */
export const BUNDLE: string = id('key bundle')
/** The scope of a grant of which only one is needed. */
export const SCOPE: string = id('scope')

/** Id of a patient or gateway: a hash of the first signer and a salt. */
export function idOf(signer: string, salt: string): string {
  return keccak256(coder.encode(['bytes32', 'bytes32'], [keccak256(signer), salt]))
}

/** Id of a grant. */
export function grantIdOf(patient: string, scope: string): string {
  return keccak256(coder.encode(['bytes32', 'bytes32'], [patient, scope]))
}

/** The word that the contract stores. */
export function pack({ grantee, notBefore, expiresAt, rights, uses }: Terms): bigint {
  return (
    BigInt(grantee) |
    (BigInt(notBefore) << 160n) |
    (BigInt(expiresAt) << 200n) |
    (BigInt(rights) << 240n) |
    (BigInt(uses) << 248n)
  )
}

/** Terms that a test only wants a part of to be special. */
export function termsFor(grantee: Key, special: Partial<Terms> = {}): Terms {
  return { grantee: grantee.id, notBefore: 0, expiresAt: NEVER, rights: 1, uses: 255, ...special }
}

/** Registers a patient. */
export async function register(
  chain: TestChain,
  key: Key,
  salt: string = id('salt'),
  keyBundle: string = BUNDLE
): Sent {
  const deadline = await chain.deadline()
  const value = { patient: idOf(key.signer, salt), signer: key.signer, keyBundle, deadline }
  const signature = await key.sign(chain.domainOf('AccessGrants'), registrationTypes, value)
  return chain.contracts.grants.register(key.signer, keyBundle, salt, deadline, signature)
}

/** Changes a patient's key bundle. */
export async function updateKeyBundle(chain: TestChain, key: Key, patient: string, keyBundle: string): Sent {
  const { grants } = chain.contracts
  const deadline = await chain.deadline()
  const value = { patient, keyBundle, nonce: await grants.nonceOf(patient), deadline }
  const signature = await key.sign(chain.domainOf('AccessGrants'), keyBundleUpdateTypes, value)
  return grants.updateKeyBundle(patient, keyBundle, deadline, key.signer, signature)
}

/** Hands a patient to a new signer. */
export async function rotateSigner(chain: TestChain, from: Key, to: Key, patient: string): Sent {
  const { grants } = chain.contracts
  const deadline = await chain.deadline()
  const value = { patient, newSigner: to.signer, nonce: await grants.nonceOf(patient), deadline }
  const domain = chain.domainOf('AccessGrants')
  const signature = await from.sign(domain, signerRotationTypes, value)
  const newSignature = await to.sign(domain, signerRotationTypes, value)
  return grants.rotateSigner(patient, to.signer, deadline, from.signer, signature, newSignature)
}

/** A signed grant, ready to be submitted once or again. */
export interface SignedGrant {
  readonly grantId: string
  readonly packed: bigint
  submit(): Sent
  /** The same for less gas; for the key of an account. */
  submitCompact(): Sent
}

/** Signs a grant. */
export async function signGrant(
  chain: TestChain,
  key: Key,
  patient: string,
  terms: Terms,
  scope: string = SCOPE
): Promise<SignedGrant> {
  const { grants } = chain.contracts
  const deadline = await chain.deadline()
  const epoch = await grants.epochOf(patient)
  const value = { patient, ...terms, scope, epoch, deadline }
  const signature = await key.sign(chain.domainOf('AccessGrants'), grantTypes, value)
  const packed = pack(terms)
  return {
    grantId: grantIdOf(patient, scope),
    packed,
    submit: () => grants.grant(patient, packed, scope, deadline, key.signer, signature),
    submitCompact: () => {
      const { r, yParityAndS } = Signature.from(signature)
      return grants.grantWithAccount(patient, packed, scope, deadline, r, yParityAndS)
    }
  }
}

/** Revokes a grant. */
export async function revoke(chain: TestChain, key: Key, patient: string, scope: string = SCOPE): Sent {
  const deadline = await chain.deadline()
  const signature = await key.sign(chain.domainOf('AccessGrants'), revocationTypes, { patient, scope, deadline })
  return chain.contracts.grants.revoke(patient, scope, deadline, key.signer, signature)
}

/** Uses up one use of a grant. */
export async function claim(chain: TestChain, key: Key, grantId: string, usesLeft: number): Sent {
  const deadline = await chain.deadline()
  const signature = await key.sign(chain.domainOf('AccessGrants'), claimTypes, { grantId, usesLeft, deadline })
  return chain.contracts.grants.claim(grantId, key.signer, deadline, signature)
}

/** Asks for access. */
export async function requestAccess(chain: TestChain, key: Key, request: string): Sent {
  const deadline = await chain.deadline()
  const value = { requester: key.id, request, deadline }
  const signature = await key.sign(chain.domainOf('AccessGrants'), accessRequestTypes, value)
  return chain.contracts.grants.requestAccess(request, deadline, key.signer, signature)
}

/** Registers a gateway. */
export async function registerGateway(chain: TestChain, key: Key, salt: string = id('salt')): Sent {
  const deadline = await chain.deadline()
  const value = { gateway: idOf(key.signer, salt), signer: key.signer, certificate: BUNDLE, deadline }
  const signature = await key.sign(chain.domainOf('BatchAnchors'), gatewayRegistrationTypes, value)
  return chain.contracts.anchors.register(key.signer, BUNDLE, salt, deadline, signature)
}

/** What a gateway anchors. */
export interface AnchorTerms {
  readonly gateway: string
  readonly sequence: number | bigint
  readonly treeSize: number | bigint
  readonly root: string
}

/** Anchors a tree. */
export async function anchor(chain: TestChain, key: Key, terms: AnchorTerms): Sent {
  const { gateway, sequence, treeSize, root } = terms
  const deadline = await chain.deadline()
  const signature = await key.sign(chain.domainOf('BatchAnchors'), anchorTypes, { ...terms, deadline })
  return chain.contracts.anchors.anchor(gateway, sequence, treeSize, root, deadline, key.signer, signature)
}
