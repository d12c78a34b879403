/** Requests to a hospital's FHIR server under its access token. */
import { SalusError } from '#core/error.ts'
import { checkHttps, type HisClient, type TokenSource } from '#agent/fhir/his-token.ts'
import { send, type HttpComponents, type RetryInit } from '#agent/fhir/http.ts'

/** Asks one server. */
export interface HisRequests {
  /** An answer of status 2xx; `true` for a url that was given by the server and needs no token. */
  get(
    url: string,
    accept: string,
    more?: { readonly headers?: Record<string, string>; readonly isOpen?: boolean }
  ): Promise<Response>
  /** Ends what the server keeps for us; that it fails does not matter. */
  remove(url: string): Promise<void>
}

/** Makes requests under the tokens of one server. */
export function createHisRequests(
  components: HttpComponents,
  client: HisClient,
  tokens: TokenSource,
  retry: RetryInit
): HisRequests {
  const origin = new URL(client.base).origin
  const ask = async (url: string, request: RequestInit, isOpen: boolean): Promise<Response> => {
    checkHttps(url, client)
    // A token is for the server that asked for it: an answer cannot send it elsewhere.
    if (!isOpen && new URL(url).origin !== origin) {
      throw new SalusError('HIS_FOREIGN', 'Refused: the server points to another server that would get our access.')
    }
    const headers = { ...(request.headers as Record<string, string>) }
    if (!isOpen) headers['authorization'] = `Bearer ${await tokens.token()}`
    return send(components, url, { ...request, headers }, retry)
  }
  const asked = async (url: string, request: RequestInit, isOpen: boolean): Promise<Response> => {
    let response = await ask(url, request, isOpen)
    if (response.status === 401 && !isOpen) {
      await response.body?.cancel()
      tokens.drop()
      response = await ask(url, request, isOpen)
    }
    if (response.ok) return response
    await response.body?.cancel()
    if (response.status === 401 || response.status === 403) {
      throw new SalusError(
        'HIS_FORBIDDEN',
        'The hospital’s server refuses what was asked; check the scope with the hospital.'
      )
    }
    throw new SalusError('HIS_REFUSED', `The hospital’s server answered ${response.status} to what was asked.`)
  }
  return {
    get: (url, accept, { headers = {}, isOpen = false } = {}) =>
      asked(url, { headers: { accept, ...headers } }, isOpen),
    remove: async url => {
      const response = await ask(url, { method: 'DELETE' }, false).catch(() => undefined)
      await response?.body?.cancel()
    }
  }
}
