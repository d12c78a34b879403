/** Errors as RFC 9457 problems with a stable code. */
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { isSalusError, SalusError } from '#core/error.ts'
import type { Log } from '#node/log.ts'

/** Status by code, or by its area where the code is not listed; others are the caller's fault, 400. */
const STATUS: Readonly<Record<string, ContentfulStatusCode>> = {
  HTTP_BODY_TOO_LARGE: 413,
  HTTP_TYPE: 415,
  HTTP_NOT_FOUND: 404,
  HTTP_RATE: 429,
  HTTP_FORMAT: 406,
  HTTP_RANGE: 416,
  GRANT_UNKNOWN: 404,
  GATEWAY_UNKNOWN: 404,
  MODEL_UNKNOWN: 404,
  PATIENT_UNKNOWN: 409,
  PATIENT_KEYS: 409,
  GRANT_REVOKED: 409,
  GRANT_EXPIRED: 409,
  GRANT_SPENT: 409,
  GRANT_UNCLAIMED: 409,
  GRANT_NOT_YET: 409,
  BINDING_EXPIRED: 409,
  ENTRY_DAY_FUTURE: 409,
  ENTRY_RETIRED: 409,
  ENTRY_REVISION_USED: 409,
  CAPSULE_STALE: 409,
  ROTATION_STALE: 409,
  ROTATION_DAY_FUTURE: 409,
  BLOB_QUOTA: 409,
  BLOB_NOT_NAMED: 404,
  BLOB_NOT_FOUND: 404,
  FETCH_NO_BLOCK: 504,
  FETCH_OVERSIZE: 413,
  READ_REVOKED: 403,
  READ_EXPIRED: 403,
  READ_NOT_GRANTED: 403,
  READ_NOT_YET: 403,
  READ_UNCLAIMED: 403,
  READ_REPLAYED: 403,
  READ_STALE: 403,
  READ_BUSY: 503,
  ERASURE_UNKNOWN: 404,
  ERASURE_DAY_FUTURE: 409,
  ENTRY_ERASED: 409,
  CUSTODY_UNKNOWN: 404,
  CUSTODY_GONE: 410,
  CUSTODY_SPENT: 403,
  CUSTODY_NOT_FINAL: 409,
  CUSTODY_REVISION: 409,
  CUSTODY_FULL: 409,
  EMERGENCY_UNKNOWN: 404,
  EMERGENCY_OVER: 403,
  EMERGENCY_RESPONDER: 403,
  BLIND_LIST_AUTHOR: 403,
  BLIND_LIST_STALE: 409,
  BLIND_LIST_RETIRED: 409,
  BLIND_LIST_FULL: 409,
  RECEIPT_READER_UNKNOWN: 503,
  TILE_PATH: 404,
  TILE_UNKNOWN: 404,
  RELAY_BUDGET: 429,
  RELAY_BUSY: 503,
  RELAY_STOPPED: 503,
  RELAY_DISABLED: 503,
  RELAY_NO_FUNDS: 503,
  RELAY_TIMEOUT: 504,
  CHAIN_UNREACHABLE: 503,
  CHAIN_RPC_FAILED: 503,
  CHAIN_NOT_STARTED: 503,
  STORE_BUSY: 503,
  STORE_CLOSED: 503,
  STORE_FULL: 507,
  STORE_REPLICAS: 504,
  STORE_WRITE_FAILED: 503,
  AUTH_REQUIRED: 401,
  AUTH_TOKEN: 401,
  AUTH_REFUSED: 401,
  AUTH_SCOPE: 403,
  AUTH_TOO_MANY: 409,
  SIGN_IN_FOREIGN: 401,
  SIGN_IN_EXPIRED: 401,
  TOKEN_UNKNOWN: 404,
  EVENTS_BUSY: 503,
  UPKEEP_BUSY: 409,
  BACKUP_FOLDER: 403,
  NODE_NOT_RUNNING: 503,
  IDEMPOTENCY_IN_FLIGHT: 409,
  IDEMPOTENCY_REUSED: 422,
  PEER_UNREACHED: 504,
  HTTP_INTERNAL: 500
}

/** When to ask again, by status. */
const RETRY_AFTER_S: Readonly<Record<number, string>> = { 429: '1', 503: '5' }

/**
 * The answer for an error; what is not a {@link SalusError} is logged and told as `HTTP_INTERNAL` only.
 *
 * @param own - statuses of codes that only this API has
 */
export function problemResponse(
  context: Context,
  error: unknown,
  log: Log,
  own: Readonly<Record<string, ContentfulStatusCode>> = {}
): Response {
  const known = isSalusError(error)
    ? error
    : new SalusError('HTTP_INTERNAL', 'The node failed to answer; its log says why.')
  if (!isSalusError(error)) log.error({ err: error, method: context.req.method }, 'a request failed')
  const status = own[known.code] ?? STATUS[known.code] ?? (known.code.startsWith('CHAIN_') ? 409 : 400)
  const body = {
    type: 'about:blank',
    title: known.code.replaceAll('_', ' ').toLowerCase(),
    status,
    code: known.code,
    detail: known.message
  }
  const headers: Record<string, string> = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' }
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="salus"'
  if (RETRY_AFTER_S[status] != null) headers['retry-after'] = RETRY_AFTER_S[status]
  // What was not read of the body would be taken for the next request.
  if (context.req.method !== 'GET') headers['connection'] = 'close'
  return context.body(JSON.stringify(body), status, headers)
}
