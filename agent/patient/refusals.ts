/** Which refusals pass by themselves, and which mean that all is well. */
import { isSalusError, type SalusError } from '#core/error.ts'

/** What says nothing about the request: it is tried again. */
const TRANSIENT =
  /^(?:NODE_|RELAY_(?!NOT_ALLOWED)|HTTP_(?:RATE|INTERNAL)|STORE_|CHAIN_(?:UNREACHABLE|RPC_FAILED|NOT_STARTED)|WALLET_UNREACHABLE|PATIENT_UNKNOWN|PATIENT_KEYS|GRANT_UNKNOWN|GRANT_NOT_YET|BLOB_QUOTA|READ_NOT_YET|READ_BUSY)/
/** What means that a node has it, or something newer. */
const KNOWN: readonly string[] = ['CAPSULE_STALE', 'GRANT_REVOKED']

/** Whether an error will pass by itself. */
export function isTransient(error: unknown): error is SalusError {
  return isSalusError(error) && TRANSIENT.test(error.code)
}

/** Whether a node's refusal means that it has the message, or something newer. */
export function isKnown(error: unknown): boolean {
  return isSalusError(error) && KNOWN.includes(error.code)
}
