/**
 * Access to a hospital's FHIR server without a person at the keyboard: SMART Backend Services (docs/specs/his-sync.md#access).
 *
 * @see https://hl7.org/fhir/smart-app-launch/backend-services.html
 */
import { SignJWT, type CryptoKey } from 'jose'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import type { Random } from '#core/crypto/primitives.ts'
import { isJsonObject, parseJson, type JsonObject } from '#core/fhir/json/parse.ts'
import { bodyOf, send, type HttpComponents, type RetryInit } from '#agent/fhir/http.ts'

/** What was agreed with the hospital. */
export interface HisClient {
  /** Base of the FHIR server, without a slash at its end. */
  readonly base: string
  readonly clientId: string
  /** Private key whose public half the hospital has registered. */
  readonly key: CryptoKey
  readonly keyId: string
  readonly algorithm: 'ES384' | 'RS384'
  /** For example `system/*.rs`. */
  readonly scope: string
  /** Where tokens are given; asked of the server if not stated. */
  readonly tokenUrl?: string
  /** Allows plain HTTP: for a server on this machine. */
  readonly allowHttp?: boolean
}

/** Gives access tokens. */
export interface TokenSource {
  /** A token that is good for another minute at least. */
  token(): Promise<string>
  /** Forgets the present token: the server has refused it. */
  drop(): void
}

const ANSWER_BYTES = 65_536
const ASSERTION_S = 240
const MARGIN_S = 60
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Makes a source of tokens for one server. */
export function createTokenSource(
  components: HttpComponents & { readonly random: Random },
  client: HisClient,
  retry: RetryInit = {}
): TokenSource {
  let held: { readonly token: string; readonly untilMs: number } | null = null
  let asking: Promise<string> | null = null
  let tokenUrl = client.tokenUrl
  const ask = async (): Promise<string> => {
    tokenUrl ??= await discover(components, client, retry)
    checkHttps(tokenUrl, client)
    const nowMs = components.clock()
    const assertion = await assertionOf(
      client,
      tokenUrl,
      toHex(components.random(16)).slice(2),
      Math.floor(nowMs / 1000)
    )
    const form = {
      grant_type: 'client_credentials',
      scope: client.scope,
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: assertion
    }
    const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }
    const response = await send(
      components,
      tokenUrl,
      { method: 'POST', headers, body: new URLSearchParams(form).toString() },
      retry
    )
    if (!response.ok) {
      await response.body?.cancel()
      throw new SalusError(
        'HIS_TOKEN',
        'The hospital’s server gives no access; check client id, key and scope with the hospital.'
      )
    }
    const { access_token: token, expires_in: seconds } = objectIn(await bodyOf(response, ANSWER_BYTES))
    if (typeof token !== 'string' || !/^[\x21-\x7e]{1,16384}$/.test(token)) {
      throw new SalusError('HIS_TOKEN', 'The hospital’s server answers without an access token.')
    }
    const lifeS = typeof seconds === 'number' ? seconds : 300
    held = { token, untilMs: nowMs + 1000 * lifeS }
    return token
  }
  return {
    async token() {
      if (held != null && components.clock() < held.untilMs - 1000 * MARGIN_S) return held.token
      // Many requests may find the token old at once: one asks for all.
      asking ??= ask().finally(() => (asking = null))
      return asking
    },
    drop: () => void (held = null)
  }
}

/** The signed statement by which the client proves who it is. */
async function assertionOf(
  { clientId, key, keyId, algorithm }: HisClient,
  audience: string,
  id: string,
  nowS: number
): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: algorithm, kid: keyId, typ: 'JWT' })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setJti(id)
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + ASSERTION_S)
    .sign(key)
}

async function discover(components: HttpComponents, client: HisClient, retry: RetryInit): Promise<string> {
  const url = `${client.base}/.well-known/smart-configuration`
  checkHttps(url, client)
  const response = await send(components, url, { headers: { accept: 'application/json' } }, retry)
  const { token_endpoint: endpoint } = response.ok ? objectIn(await bodyOf(response, ANSWER_BYTES)) : {}
  if (typeof endpoint !== 'string') {
    throw new SalusError(
      'HIS_DISCOVERY',
      'The server does not say where access is given; state the address of its tokens.'
    )
  }
  return new URL(endpoint, url).href
}

/**
 * Refuses an address that would carry tokens or records in the clear.
 *
 * @throws SalusError `HIS_INSECURE`
 */
export function checkHttps(url: string, { allowHttp = false }: Pick<HisClient, 'allowHttp'>): void {
  const { protocol } = new URL(url)
  if (protocol !== 'https:' && !(allowHttp && protocol === 'http:')) {
    throw new SalusError('HIS_INSECURE', 'Refused: the server is not reached over HTTPS.')
  }
}

/** A JSON object in an answer. */
export function objectIn(bytes: Uint8Array): JsonObject {
  const value = parseJson(bytes)
  if (isJsonObject(value)) return value
  throw new SalusError('HIS_ANSWER', 'The server does not answer as FHIR asks.')
}
