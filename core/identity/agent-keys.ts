import { concat, utf8 } from '#core/encoding/bytes.ts'
import { SUITE_IDS, deriveKemKeyPair, type KemKeyPair, type SuiteId } from '#core/crypto/hpke.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { encodeKeyBundle, type KeyBundle } from '#core/identity/key-bundle.ts'

/** All keys of one person, gateway or device. Secret: stays with the agent, never reaches a node. */
export interface AgentKeys {
  /** Ed25519 seed, 32 bytes. */
  readonly signSeed: Uint8Array
  /** Encryption key pairs, one per suite of the bundle, in the same order. */
  readonly kemSecrets: readonly KemKeyPair[]
  readonly bundle: KeyBundle
  readonly bundleBytes: Uint8Array
}

const SALT = utf8('salus/agent-keys/1')

/**
 * The keys of a 32-byte seed (docs/specs/identity.md).
 *
 * @param suites - rising; fewer make a smaller bundle, which a gateway sends with every entry
 */
export async function deriveAgentKeys(
  p: Primitives,
  seed: Uint8Array,
  suites: readonly SuiteId[] = SUITE_IDS
): Promise<AgentKeys> {
  const signSeed = p.hkdfSha256(seed, SALT, utf8('sign'), 32)
  const kemSecrets = await Promise.all(
    suites.map(suite =>
      deriveKemKeyPair(suite, p.hkdfSha256(seed, SALT, concat(utf8('kem'), Uint8Array.of(suite)), 32))
    )
  )
  const kem = kemSecrets.map(({ suite, publicKey }) => ({ suite, publicKey }))
  const bundle = { sign: p.ed25519PublicKey(signSeed), kem }
  return { signSeed, kemSecrets, bundle, bundleBytes: encodeKeyBundle(bundle) }
}
