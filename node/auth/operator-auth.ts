/** Who operates a node, and what for: signed challenges become tokens, tokens become callers (docs/specs/sign-in.md). */
import type { JsonRpcProvider } from 'ethers'
import type { Clock } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import { isSignedBy } from '#node/auth/account-signature.ts'
import type { Challenges } from '#node/auth/challenge.ts'
import type { LocalToken } from '#node/auth/local-token.ts'
import { READ_SCOPES, SCOPES, type Scope } from '#node/auth/scopes.ts'
import type { TokenRecord, TokenStore } from '#node/auth/token-store.ts'

/** An account that may sign in. */
export interface Operator {
  readonly address: string
  readonly scopes: readonly Scope[]
  /** Whether it is a contract account, whose code says what it signed. */
  readonly isContract?: boolean
}

/** Whoever presents a token. */
export interface Caller {
  /** Of the token; `local` for the one in the node's folder. */
  readonly id: string
  readonly holder: string
  readonly scopes: readonly Scope[]
}

/** What signing in needs. */
export interface OperatorAuthComponents {
  readonly provider: Pick<JsonRpcProvider, 'call'>
  readonly challenges: Challenges
  readonly tokens: TokenStore
  readonly local: LocalToken
  readonly clock: Clock
}

/** What it is told. */
export interface OperatorAuthInit {
  readonly operators: readonly Operator[]
  readonly tokenLifetimeS: number
  readonly readTokenLifetimeS: number
}

/** A token and what is known of it. */
export interface Issued {
  readonly token: string
  readonly record: TokenRecord
}

/** Signing in at a node. */
export interface OperatorAuth {
  /** The text to sign for some scopes; anyone may ask. */
  challenge(address: string, scopes: readonly Scope[]): { readonly text: string; readonly expiresAtS: number }
  /**
   * A token for a signed text; each text is good for one.
   *
   * @throws SalusError `SIGN_IN_*`, `AUTH_REFUSED`, `AUTH_TOO_MANY`, `STORE_*`
   */
  redeem(text: string, signature: string, label: string): Promise<Issued>
  /**
   * A further token that may do no more than its maker's.
   *
   * @throws SalusError `AUTH_SCOPE`, `AUTH_TOO_MANY`, `STORE_*`
   */
  mint(
    by: Caller,
    asked: { readonly scopes: readonly Scope[]; readonly lifetimeS: number; readonly label: string }
  ): Promise<Issued>
  /** Whose token it is, now; undefined for none that opens anything. */
  callerOf(token: string): Caller | undefined
}

/** Texts that were redeemed and whose time is not over; only operators fill it. */
const MAX_USED = 4_096
const LOCAL = 'local'

/** Makes it. */
export function createOperatorAuth(components: OperatorAuthComponents, init: OperatorAuthInit): OperatorAuth {
  const { provider, challenges, tokens, local, clock } = components
  const operators = new Map(init.operators.map(operator => [operator.address.toLowerCase(), operator]))
  const used = new Map<string, number>()

  function lifetimeOf(scopes: readonly Scope[]): number {
    return scopes.every(scope => READ_SCOPES.includes(scope)) ? init.readTokenLifetimeS : init.tokenLifetimeS
  }

  function useUp(nonce: string, expiresAtS: number): void {
    for (const [each, untilS] of used) if (clock() >= untilS * 1000) used.delete(each)
    if (used.has(nonce) || used.size >= MAX_USED) throw refused()
    used.set(nonce, expiresAtS)
  }

  return {
    challenge: (address, scopes) => challenges.make(address, scopes),
    async redeem(text, signature, label) {
      const { address, scopes, nonce, expiresAtS } = challenges.read(text)
      const operator = operators.get(address.toLowerCase())
      // Not told apart from a wrong signature, by its time either: who operates a node is nobody's business. A stranger's contract is not run.
      const isSigned = await isSignedBy(provider, operator ?? { address }, text, signature)
      if (operator == null || !isSigned) throw refused()
      if (scopes.length === 0 || scopes.some(scope => !operator.scopes.includes(scope))) throw outOfScope()
      useUp(nonce, expiresAtS)
      return tokens.issue({ holder: address.toLowerCase(), label, scopes, lifetimeS: init.tokenLifetimeS })
    },
    async mint(by, { scopes, lifetimeS, label }) {
      if (scopes.length === 0 || scopes.some(scope => !by.scopes.includes(scope))) throw outOfScope()
      // No token outlives what its kind may, or it could prolong itself for ever: makers of tokens are not made here.
      if (by.id !== LOCAL && scopes.includes('tokens')) throw outOfScope()
      return tokens.issue({ holder: by.holder, label, scopes, lifetimeS: Math.min(lifetimeS, lifetimeOf(scopes)) })
    },
    callerOf(token) {
      if (local.is(token)) return { id: LOCAL, holder: LOCAL, scopes: SCOPES }
      const record = tokens.find(token)
      if (record == null) return undefined
      // An account that is taken out of the configuration takes its tokens with it.
      const allowed = record.holder === LOCAL ? SCOPES : operators.get(record.holder)?.scopes
      if (allowed == null) return undefined
      return { id: record.id, holder: record.holder, scopes: record.scopes.filter(scope => allowed.includes(scope)) }
    }
  }
}

function refused(): SalusError {
  return new SalusError('AUTH_REFUSED', 'The text is not signed by an account that operates this node, or was used.')
}

function outOfScope(): SalusError {
  return new SalusError('AUTH_SCOPE', 'The account or token may not do this.')
}
