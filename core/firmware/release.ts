/** The value that a manufacturer's keys sign and the chain keeps (docs/specs/firmware-release.md). */
import { TypedDataEncoder, keccak256, recoverAddress } from 'ethers'
import { domain } from '#core/abi/typed-data/domain.ts'
import { releaseTypes } from '#core/abi/typed-data/firmware.ts'
import { toHex } from '#core/encoding/bytes.ts'
import type { Hex } from '#core/chain/events.ts'
import { encodeManifest, type Manifest } from '#core/firmware/manifest.ts'

/** What `FirmwareRegistry` is called on its chain: the EIP-712 domain of every signature about firmware. */
export interface RegistryDomain {
  readonly chainId: number
  /** Address of `FirmwareRegistry`. */
  readonly registry: Hex
}

/** The struct `Release` of `FirmwareRegistry`; field by field what the signers sign. */
export interface ReleaseTerms {
  readonly model: Hex
  readonly sequence: number
  readonly securityCounter: number
  /** 0 feature, 1 security: how long it waits before it starts. */
  readonly kind: number
  readonly sizeBytes: number
  readonly imageSha256: Hex
  /** keccak256 of the manifest's bytes. */
  readonly manifestDigest: Hex
  /** Seconds since 1970: it starts no earlier; 0 for as soon as its model allows. */
  readonly notBefore: number
  /** Of the keys that sign. */
  readonly keysetVersion: number
  /** Seconds since 1970: until when the chain takes the publication. A published release never expires. */
  readonly deadline: bigint
}

/** One signature; `index` is its signer's place in the set, `signer` its bytes, or `0x` for an account. */
export interface Approval {
  readonly index: number
  readonly signer: Hex
  readonly signature: Hex
}

/** What signers may choose beside the manifest. */
export interface ReleaseChoices {
  readonly kind?: number
  readonly notBefore?: number
  readonly keysetVersion?: number
}

/** The release that publishes a manifest: a feature, at once, by the first keys unless told. */
export function releaseTermsOf(manifest: Manifest, deadline: bigint, choices: ReleaseChoices = {}): ReleaseTerms {
  return {
    model: toHex(manifest.model),
    sequence: manifest.sequence,
    securityCounter: manifest.securityCounter,
    kind: choices.kind ?? 0,
    sizeBytes: manifest.sizeBytes,
    imageSha256: toHex(manifest.sha256),
    manifestDigest: keccak256(encodeManifest(manifest)) as Hex,
    notBefore: choices.notBefore ?? 0,
    keysetVersion: choices.keysetVersion ?? 1,
    deadline
  }
}

/** The EIP-712 digest that release signers sign, 32 bytes. */
export function releaseDigest({ chainId, registry }: RegistryDomain, terms: ReleaseTerms): Hex {
  return TypedDataEncoder.hash(domain('FirmwareRegistry', chainId, registry), releaseTypes, terms) as Hex
}

/**
 * How many different release signers approved a digest. Only plain addresses (ECDSA over secp256k1, 65 bytes, low s)
 * count, because nothing else can be checked without believing the RPC endpoint.
 *
 * @param approvals - with rising indices; one that breaks the order does not count
 */
export function countApprovals(digest: Hex, signers: readonly Hex[], approvals: readonly Approval[]): number {
  const approved = new Set<string>()
  let last = -1
  for (const { index, signature } of approvals.slice(0, signers.length)) {
    const signer = signers[index]?.toLowerCase()
    if (signer != null && index > last && recover(digest, signature) === signer) approved.add(signer)
    last = Math.max(last, index)
  }
  return approved.size
}

/** The address that made a signature, or `undefined` where it is no signature at all. */
function recover(digest: Hex, signature: Hex): string | undefined {
  if (signature.length !== 2 + 2 * 65) return undefined
  try {
    return recoverAddress(digest, signature).toLowerCase()
  } catch {
    return undefined
  }
}
