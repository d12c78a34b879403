import { p256 } from '@noble/curves/nist.js'
import {
  AbiCoder,
  concat,
  getAddress,
  getBytes,
  hexlify,
  id,
  keccak256,
  sha256,
  toUtf8Bytes,
  TypedDataEncoder,
  Wallet,
  type TypedDataDomain
} from 'ethers'
import type { TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import type { TestChain } from '#test/contracts/chain.ts'

/** Somebody who signs requests, whatever the key is. */
export interface Key {
  /** In the form of ERC-7913, in lower case. */
  readonly signer: string
  /** The address that packed terms name. */
  readonly id: string
  sign(domain: TypedDataDomain, types: TypedDataTypes, value: Record<string, unknown>): Promise<string>
}

/** One way of signing, and a maker of its keys. */
export interface Way {
  readonly name: string
  create(chain: TestChain, label: string): Promise<Key>
}

/** A wallet made from a label, the same each time. */
export function walletOf(label: string): Wallet {
  return new Wallet(id(label))
}

/** A key of an ordinary account. */
export function accountKey(label: string): Key {
  const wallet = walletOf(label)
  return {
    signer: wallet.address.toLowerCase(),
    id: wallet.address,
    sign: (domain, types, value) => wallet.signTypedData(domain, types, value)
  }
}

/** A key whose account sends transactions itself. */
export async function payingKey(
  chain: TestChain,
  label: string
): Promise<{ readonly key: Key; readonly signer: Wallet }> {
  const signer = walletOf(label).connect(chain.provider)
  await chain.fund(signer.address)
  return { key: accountKey(label), signer }
}

/** Every way of signing that the contracts understand. */
export const WAYS: readonly Way[] = [
  { name: 'an account', create: (_chain, label) => Promise.resolve(accountKey(label)) },
  {
    name: 'an account with a delegation that knows no ERC-1271 (EIP-7702)',
    create: async (chain, label) => {
      const key = accountKey(label)
      await chain.delegate(walletOf(label), chain.deployment.contracts.BatchAnchors.address)
      return key
    }
  },
  {
    name: 'a contract wallet (ERC-1271)',
    create: async (chain, label) => {
      const wallet = await chain.deployMock('OwnedWallet', walletOf(label).address)
      return { ...accountKey(label), signer: wallet.toLowerCase(), id: wallet }
    }
  },
  {
    name: 'a P-256 key (ERC-7913)',
    create: (chain, label) =>
      Promise.resolve(p256Key(chain.deployment.contracts.ERC7913P256Verifier.address, label, signP256))
  },
  {
    name: 'a passkey (ERC-7913, WebAuthn)',
    create: (chain, label) =>
      Promise.resolve(p256Key(chain.deployment.contracts.ERC7913WebAuthnVerifier.address, label, signWebAuthn))
  }
]

type P256Sign = (secret: Uint8Array, digest: string) => string

function p256Key(verifier: string, label: string, signDigest: P256Sign): Key {
  const secret = getBytes(id(label))
  const signer = concat([verifier, p256.getPublicKey(secret, false).slice(1)])
  return {
    signer,
    id: getAddress(`0x${keccak256(signer).slice(-40)}`),
    sign: (domain, types, value) => Promise.resolve(signDigest(secret, TypedDataEncoder.hash(domain, types, value)))
  }
}

function signP256(secret: Uint8Array, digest: string): string {
  return hexlify(p256.sign(getBytes(digest), secret, { prehash: false, lowS: true }))
}

/** An assertion as a browser makes it: https://www.w3.org/TR/webauthn-2/#sctn-op-get-assertion */
function signWebAuthn(secret: Uint8Array, digest: string): string {
  const challenge = Buffer.from(getBytes(digest)).toString('base64url')
  const clientData = `{"type":"webauthn.get","challenge":"${challenge}","origin":"https://salus.example","crossOrigin":false}`
  const userPresentAndVerified = '0x05'
  const authenticatorData = concat([sha256(toUtf8Bytes('salus.example')), userPresentAndVerified, '0x00000001'])
  const signature = signP256(secret, sha256(concat([authenticatorData, sha256(toUtf8Bytes(clientData))])))
  return AbiCoder.defaultAbiCoder().encode(
    ['bytes32', 'bytes32', 'uint256', 'uint256', 'bytes', 'string'],
    [
      signature.slice(0, 66),
      `0x${signature.slice(66)}`,
      clientData.indexOf('"challenge"'),
      clientData.indexOf('"type"'),
      authenticatorData,
      clientData
    ]
  )
}
