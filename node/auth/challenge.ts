/** Challenges that need no memory: their nonce proves that this process made them, for these words and no longer than they say. */
import { getAddress } from 'ethers'
import { equalBytes, toHex, utf8 } from '#core/encoding/bytes.ts'
import type { Clock, Primitives, Random } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import { readSignIn, writeSignIn, type SignIn } from '#core/operator/sign-in-message.ts'
import { SCOPES, type Scope } from '#node/auth/scopes.ts'

/** Who asks for signatures. */
export interface ChallengeInit {
  /** Where operators reach the node; asked anew each time, since a port may be chosen late. */
  readonly url: () => string
  readonly peerId: string
  readonly chainId: number
}

/** What challenges need. */
export interface ChallengeComponents {
  readonly p: Pick<Primitives, 'hmacSha256'>
  readonly random: Random
  readonly clock: Clock
}

/** What a signed challenge asks for. */
export interface SignInRequest {
  readonly address: string
  readonly scopes: readonly Scope[]
  readonly nonce: string
  readonly expiresAtS: number
}

/** Challenges of one process. */
export interface Challenges {
  /** The text to sign. */
  make(address: string, scopes: readonly Scope[]): SignIn & { readonly text: string }
  /**
   * What a text asks for, if this process made it and its time is not over. Whether it was used before is the caller's to know.
   *
   * @throws SalusError `SIGN_IN_FORM`, `SIGN_IN_FOREIGN`, `SIGN_IN_EXPIRED`
   */
  read(text: string): SignInRequest
}

/** Time for which a challenge may be signed, s. */
export const CHALLENGE_LIFETIME_S: number = 300

const STATEMENT = 'Operate this Salus node. Signing costs nothing and moves nothing.'
const SCOPE_PREFIX = 'urn:salus:scope:'
const SALT_BYTES = 16

/** Makes challenges for a node. */
export function createChallenges({ p, random, clock }: ChallengeComponents, init: ChallengeInit): Challenges {
  /** Lives as long as the process: a restart makes what was not redeemed void. */
  const key = random(32)

  function seal(signIn: SignIn, salt: string): string {
    return `${salt}${toHex(p.hmacSha256(key, utf8(writeSignIn({ ...signIn, nonce: salt })))).slice(2)}`
  }

  return {
    make(address, scopes) {
      const issuedAtS = Math.floor(clock() / 1000)
      const uri = init.url()
      const salt = toHex(random(SALT_BYTES)).slice(2)
      const unsealed: SignIn = {
        domain: new URL(uri).host,
        address: getAddress(address.toLowerCase()),
        statement: STATEMENT,
        uri,
        chainId: init.chainId,
        nonce: salt,
        issuedAtS,
        expiresAtS: issuedAtS + CHALLENGE_LIFETIME_S,
        resources: [`urn:salus:peer:${init.peerId}`, ...scopes.map(scope => `${SCOPE_PREFIX}${scope}`)]
      }
      const signIn = { ...unsealed, nonce: seal(unsealed, salt) }
      return { ...signIn, text: writeSignIn(signIn) }
    },
    read(text) {
      const signIn = readSignIn(text)
      const { nonce, address, expiresAtS, resources } = signIn
      const salt = nonce.slice(0, 2 * SALT_BYTES)
      if (salt.length < 2 * SALT_BYTES || !equalBytes(utf8(seal(signIn, salt)), utf8(nonce))) {
        throw new SalusError('SIGN_IN_FOREIGN', 'This text was not made by this node since it started; ask it for one.')
      }
      if (clock() >= expiresAtS * 1000) {
        throw new SalusError('SIGN_IN_EXPIRED', 'The time to sign this text is over; ask for another one.')
      }
      const asked = resources.map(resource => resource.slice(SCOPE_PREFIX.length))
      return { address, nonce, expiresAtS, scopes: SCOPES.filter(scope => asked.includes(scope)) }
    }
  }
}
