/** Who a gateway is: one seed in a file, from which its signing, decryption and wallet keys derive (docs/specs/identity.md). */
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Wallet } from 'ethers'
import type { Primitives } from '#core/crypto/primitives.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { deriveAgentKeys, type AgentKeys } from '#core/identity/agent-keys.ts'
import { encodeEvidence } from '#core/identity/evidence.ts'
import { keyBindingDomain, keyBindingTypedData } from '#core/identity/key-binding.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { gatewayIdOf } from '#core/proof/keccak.ts'
import type { ChainPlace } from '#core/batch/bundle.ts'
import { readIfThere, writeDurably } from '#node/store/durable-file.ts'

const SEED_FILE = 'seed'
const SEED_BYTES = 32
const SALT = utf8('salus/gateway/1')

/** X-Wing: what a recorder of the capsule's delivery cannot open later either. */
const SUITES = [1] as const

/** Validity of the statement that ties the key bundle to the wallet. */
const BINDING_VALID_S = 365 * 86_400

/** A gateway's keys and names. */
export interface GatewayIdentity {
  readonly keys: AgentKeys
  /** Signs registration and anchors; holds no money. */
  readonly wallet: Wallet
  /** Gateway id, 32 bytes: it follows from the seed. */
  readonly id: Uint8Array
  /** Address of the wallet, 20 bytes. */
  readonly signer: Uint8Array
  readonly signerSalt: Uint8Array
  /** Digest of the key bundle, as registered. */
  readonly certificate: Uint8Array
}

/**
 * The identity in a data directory, made on first use; the file is readable by its owner only.
 *
 * @throws SalusError `GATEWAY_SEED` if the file holds no seed
 */
export async function loadOrCreateGateway(p: Primitives, directory: string): Promise<GatewayIdentity> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, SEED_FILE)
  let seed = await readIfThere(path)
  if (seed == null) {
    seed = new Uint8Array(randomBytes(SEED_BYTES))
    await writeDurably(path, seed)
  }
  return deriveGateway(p, seed)
}

/**
 * The identity of a seed.
 *
 * @throws SalusError `GATEWAY_SEED` if it is not 32 bytes
 */
export async function deriveGateway(p: Primitives, seed: Uint8Array): Promise<GatewayIdentity> {
  if (seed.length !== SEED_BYTES) {
    throw new SalusError('GATEWAY_SEED', 'The gateway’s seed file is damaged; restore it or make a new gateway.')
  }
  const derive = (name: string): Uint8Array => p.hkdfSha256(seed, SALT, utf8(name), 32)
  const keys = await deriveAgentKeys(p, derive('keys'), SUITES)
  const wallet = new Wallet(toHex(derive('wallet')))
  const signer = fromHex(wallet.address, 20)
  const signerSalt = derive('id')
  return {
    keys,
    wallet,
    signer,
    signerSalt,
    id: gatewayIdOf(signer, signerSalt),
    certificate: keyBundleDigest(keys.bundleBytes)
  }
}

/** Evidence that nodes and verifiers want: the key bundle, bound to the wallet's address for a year from `nowMs`. */
export async function signEvidence(
  { keys, wallet, certificate }: GatewayIdentity,
  { chainId, contracts }: Deployment,
  nowMs: number
): Promise<Uint8Array> {
  const notAfter = Math.floor(nowMs / 1000) + BINDING_VALID_S
  const { domain, types, value } = keyBindingTypedData(
    keyBindingDomain(chainId, contracts.AccessGrants.address),
    certificate,
    notAfter
  )
  const signature = fromHex(await wallet.signTypedData(domain, types, value), 65)
  return encodeEvidence({ bundle: keys.bundleBytes, binding: { notAfter, signature } })
}

/** What a proof bundle says about the chain. */
export function chainPlaceOf({ chainId, contracts }: Deployment): ChainPlace {
  return {
    chainId,
    accessGrants: fromHex(contracts.AccessGrants.address, 20),
    batchAnchors: fromHex(contracts.BatchAnchors.address, 20)
  }
}
