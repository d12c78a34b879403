/** The text that an operator's account signs to enter a node, in the form of EIP-4361 (docs/specs/sign-in.md). */
import { SalusError } from '#core/error.ts'

/** What is signed. */
export interface SignIn {
  /** Host, with a port where there is one, of the node that asks. */
  readonly domain: string
  /** Account, with the checksum of EIP-55. */
  readonly address: string
  /** One line for people. */
  readonly statement: string
  readonly uri: string
  readonly chainId: number
  /** 8 to 128 letters and digits. */
  readonly nonce: string
  /** Seconds since 1970. */
  readonly issuedAtS: number
  /** Seconds since 1970. */
  readonly expiresAtS: number
  /** URIs: whom it is for, and what. */
  readonly resources: readonly string[]
}

/** Longest text, characters. */
export const MAX_SIGN_IN_LENGTH: number = 4096

const FORM = new RegExp(
  [
    '^(?<domain>[^\\s/?#@]{1,255}) wants you to sign in with your Ethereum account:',
    '(?<address>0x[0-9a-fA-F]{40})',
    '',
    '(?<statement>[\\x20-\\x7e]{1,255})',
    '',
    'URI: (?<uri>[\\x21-\\x7e]{1,512})',
    'Version: 1',
    'Chain ID: (?<chainId>[1-9][0-9]{0,15})',
    'Nonce: (?<nonce>[a-zA-Z0-9]{8,128})',
    'Issued At: (?<issuedAt>[0-9TZ:.-]{20,24})',
    'Expiration Time: (?<expiresAt>[0-9TZ:.-]{20,24})',
    'Resources:(?<resources>(?:\\n- [\\x21-\\x7e]{1,512}){1,16})$'
  ].join('\\n')
)

/** The text. */
export function writeSignIn(signIn: SignIn): string {
  const { domain, address, statement, uri, chainId, nonce, issuedAtS, expiresAtS, resources } = signIn
  return [
    `${domain} wants you to sign in with your Ethereum account:`,
    address,
    '',
    statement,
    '',
    `URI: ${uri}`,
    'Version: 1',
    `Chain ID: ${chainId}`,
    `Nonce: ${nonce}`,
    `Issued At: ${writeTime(issuedAtS)}`,
    `Expiration Time: ${writeTime(expiresAtS)}`,
    'Resources:',
    ...resources.map(resource => `- ${resource}`)
  ].join('\n')
}

/**
 * Reads a text; only the one that {@link writeSignIn} writes of its parts is one.
 *
 * @throws SalusError `SIGN_IN_FORM`
 */
export function readSignIn(text: string): SignIn {
  const parts = text.length > MAX_SIGN_IN_LENGTH ? undefined : FORM.exec(text)?.groups
  const { domain = '', address = '', statement = '', uri = '', nonce = '', resources = '' } = parts ?? {}
  const signIn = {
    ...{ domain, address, statement, uri, nonce },
    chainId: Number(parts?.['chainId']),
    issuedAtS: readTime(parts?.['issuedAt']),
    expiresAtS: readTime(parts?.['expiresAt']),
    resources: resources.split('\n- ').slice(1)
  }
  const times = [signIn.issuedAtS, signIn.expiresAtS]
  if (parts == null || !times.every(Number.isSafeInteger) || writeSignIn(signIn) !== text) {
    throw new SalusError('SIGN_IN_FORM', 'This is not the text that was to be signed; sign it as it was given.')
  }
  return signIn
}

function writeTime(timeS: number): string {
  return new Date(timeS * 1000).toISOString().replace('.000Z', 'Z')
}

function readTime(text: string | undefined): number {
  return Date.parse(text ?? '') / 1000
}
