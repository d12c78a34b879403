/** A manufacturer with known keys, a device of one of its models and a sound release for it. */
import { TypedDataEncoder, Wallet, keccak256, toUtf8Bytes } from 'ethers'
import { domain } from '#core/abi/typed-data/domain.ts'
import { releaseTypes } from '#core/abi/typed-data/firmware.ts'
import type { Hex } from '#core/chain/events.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { createDeviceState, type DeviceState } from '#core/firmware/device-state.ts'
import type { HeadFacts, PublishedRelease } from '#core/firmware/facts.ts'
import { manufacturerIdOf, modelIdOf, type ModelKeys } from '#core/firmware/keyset.ts'
import { encodeManifest, type Manifest } from '#core/firmware/manifest.ts'
import { releaseTermsOf, type Approval, type RegistryDomain, type ReleaseTerms } from '#core/firmware/release.ts'
import { EXAMPLE_DOMAIN, exampleManifest } from '#test/core/firmware/example.ts'

/** Three release signers in the order of the keyset, and one guard. */
export const SIGNERS: readonly Wallet[] = ['one', 'two', 'three'].map(name => new Wallet(hashOf(name)))
/** Two root signers. */
export const ROOTS: readonly Wallet[] = ['root one', 'root two'].map(name => new Wallet(hashOf(name)))
/** The one guard of {@link KEYS}. */
export const GUARD = new Wallet(hashOf('guard'))

/** Two of three release, one guard stops. */
export const KEYS: ModelKeys = {
  root: { threshold: 2, signers: ROOTS.map(addressOf) },
  release: { threshold: 2, signers: SIGNERS.map(addressOf) },
  guard: { threshold: 1, signers: [addressOf(GUARD)] },
  steward: { threshold: 0, signers: [] },
  silenceDays: 400,
  salt: hashOf('salt'),
  modelClass: hashOf('infusion pump')
}

/** The model of {@link KEYS}. */
export const MODEL: Hex = modelIdOf(manufacturerIdOf(KEYS, KEYS.salt), KEYS.modelClass)

/** A device fresh from the factory, with changes. */
export function device(changes: Partial<DeviceState> = {}): DeviceState {
  const place = {
    rpcUrl: 'http://127.0.0.1:8545',
    model: MODEL,
    keys: KEYS,
    slotBytes: 1 << 20,
    rolloutSalt: hashOf('rollout')
  }
  return { ...createDeviceState({ ...EXAMPLE_DOMAIN, ...place }), ...changes }
}

const NOTHING_ELSE = { staged: 0, rolloutBps: 0, minimum: 0, securityFloor: 0 }

/** A head with one active release, with changes. */
export function head(changes: Partial<HeadFacts> = {}): HeadFacts {
  const block = { blockNumber: 100, blockTimeS: 1_800_000_000 }
  return { ...EXAMPLE_DOMAIN, model: MODEL, ...block, latest: 1, active: 1, ...NOTHING_ELSE, ...changes }
}

/** The example's manifest for {@link MODEL}, with changes. */
export function manifestFor(changes: Partial<Manifest> = {}): Manifest {
  return exampleManifest({ model: fromHex(MODEL), ...changes })
}

/** Signatures over terms by some of {@link SIGNERS}. */
export function approve(
  terms: ReleaseTerms,
  indices: readonly number[],
  place: RegistryDomain = EXAMPLE_DOMAIN
): Approval[] {
  return indices.map(index => ({
    index,
    signer: '0x',
    signature: SIGNERS[index]!.signingKey.sign(digestOf(terms, place)).serialized as Hex
  }))
}

/** A release as the chain would hand it out, signed by the first two signers. */
export function published(
  manifest: Manifest = manifestFor(),
  changes: Partial<PublishedRelease> = {}
): PublishedRelease {
  const terms = releaseTermsOf(manifest, 1_800_000_000n)
  const signed = { terms, manifest: encodeManifest(manifest), approvals: approve(terms, [0, 1]) }
  return { ...signed, status: 'active', rotations: [], ...changes }
}

function digestOf(terms: ReleaseTerms, { chainId, registry }: RegistryDomain): string {
  return TypedDataEncoder.hash(domain('FirmwareRegistry', chainId, registry), releaseTypes, terms)
}

function addressOf(wallet: Wallet): Hex {
  return wallet.address.toLowerCase() as Hex
}

function hashOf(text: string): Hex {
  return keccak256(toUtf8Bytes(text)) as Hex
}
