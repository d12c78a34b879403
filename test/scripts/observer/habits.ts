import { randomBytes } from 'node:crypto'
import { concat, hexlify, keccak256, toUtf8Bytes } from 'ethers'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import { DELAY_S } from '#test/contracts/recovery-requests.ts'

/** How an agent chooses what the contracts do not choose for it. A careless one has one of these another way. */
export interface Habits {
  /** What stands on the chain for words. */
  commit(words: string): string
  /** Salts of registrations and emergencies, names of consents. */
  salt(): string
  /** The digest of a relationship's public keys. */
  keyBundle(): Promise<string>
  /** A guardian of the relationship with this number. */
  guardian(who: string, relationship: number): Key
  /** When a grant begins and ends, in seconds. */
  term(): { readonly notBefore: number; readonly expiresAt: number }
  /** Seconds in which a recovery can be vetoed. */
  recoveryDelay(): number
  /** What an agent does between the requests of one relationship and those of the next. */
  pause(chain: TestChain): Promise<void>
}

/** What docs/privacy.md asks of agents. */
export const CAREFUL: Habits = {
  commit: words => keccak256(concat([randomBytes(32), toUtf8Bytes(words)])),
  salt: () => hexlify(randomBytes(32)),
  keyBundle: async () => {
    const { bundleBytes } = await deriveAgentKeys(nativePrimitives, randomBytes(32))
    return hexlify(keyBundleDigest(bundleBytes))
  },
  guardian: (who, relationship) => accountKey(`${who} ${String(relationship)}`),
  // To the second: no two are the same.
  term: () => ({
    notBefore: 1_790_000_000 + randomBytes(2).readUInt16BE(),
    expiresAt: 1_890_000_000 + randomBytes(3).readUIntBE(0, 3)
  }),
  recoveryDelay: () => DELAY_S,
  pause: async chain => chain.moveTo((await chain.now()) + 3600 + randomBytes(2).readUInt16BE())
}
