import { AbiCoder, hexlify, keccak256, randomBytes, type Wallet } from 'ethers'
import { domain } from '#core/abi/typed-data/domain.ts'
import { grantTypes, revocationTypes } from '#core/abi/typed-data/grants.ts'
import { registrationTypes } from '#core/abi/typed-data/patients.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import type { Hex } from '#core/chain/events.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { packTerms, type Terms } from '#core/grant/terms.ts'
import type { RelayedRequest } from '#node/chain/relayed-methods.ts'

/** A signed request, and the id of the thing it makes. */
export interface TestRequest {
  readonly id: Hex
  readonly request: RelayedRequest
}

/** Far enough ahead for a test, in seconds since 1970. */
export function deadline(): number {
  return Math.floor(Date.now() / 1000) + 3600
}

/** 32 random bytes. */
export function random32(): Hex {
  return hexlify(randomBytes(32)) as Hex
}

function idOf(types: string[], values: unknown[]): Hex {
  return keccak256(AbiCoder.defaultAbiCoder().encode(types, values)) as Hex
}

/** Registers a patient whose signer is a wallet. */
export async function registration(deployment: Deployment, wallet: Wallet, keyBundle: Hex): Promise<TestRequest> {
  const [salt, until] = [random32(), deadline()]
  const patient = idOf(['bytes32', 'bytes32'], [keccak256(wallet.address), salt])
  const signature = await wallet.signTypedData(
    domain('AccessGrants', deployment.chainId, deployment.contracts.AccessGrants.address),
    registrationTypes,
    { patient, signer: wallet.address, keyBundle, deadline: until }
  )
  const args = [wallet.address, keyBundle, salt, until, signature]
  return { id: patient, request: { contract: 'AccessGrants', method: 'register', args } }
}

/** Gives an address a grant. */
export async function grantOf(
  deployment: Deployment,
  wallet: Wallet,
  patient: Hex,
  given: { grantee: string; rights: number; expiresAt?: number; scope?: Hex }
): Promise<TestRequest & { scope: Hex }> {
  const { scope = random32() } = given
  const terms: Terms = {
    grantee: fromHex(given.grantee, 20),
    notBefore: 0,
    expiresAt: given.expiresAt ?? 2 ** 40 - 1,
    rights: given.rights,
    uses: 255
  }
  const until = deadline()
  const value = { ...terms, grantee: given.grantee, patient, scope, epoch: 0, deadline: until }
  const where = domain('AccessGrants', deployment.chainId, deployment.contracts.AccessGrants.address)
  const signature = await wallet.signTypedData(where, grantTypes, value)
  const args = [patient, packTerms(terms).toString(), scope, until, wallet.address, signature]
  const id = idOf(['bytes32', 'bytes32'], [patient, scope])
  return { id, scope, request: { contract: 'AccessGrants', method: 'grant', args } }
}

/** Takes a grant back. */
export async function revocation(
  deployment: Deployment,
  wallet: Wallet,
  patient: Hex,
  scope: Hex
): Promise<RelayedRequest> {
  const until = deadline()
  const where = domain('AccessGrants', deployment.chainId, deployment.contracts.AccessGrants.address)
  const signature = await wallet.signTypedData(where, revocationTypes, { patient, scope, deadline: until })
  return { contract: 'AccessGrants', method: 'revoke', args: [patient, scope, until, wallet.address, signature] }
}
