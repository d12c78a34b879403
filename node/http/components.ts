import type { CID } from 'multiformats/cid'
import type { ChainView } from '#core/chain/view.ts'
import type { AcceptIndex } from '#node/assembly/accept-index.ts'
import type { Outcome } from '#node/assembly/acceptor.ts'
import type { BlobKeeper } from '#node/assembly/blob-keeper.ts'
import type { ReadGuard } from '#node/assembly/read-guard.ts'
import type { OperatorAuth } from '#node/auth/operator-auth.ts'
import type { Relayer } from '#node/chain/relayer.ts'
import type { AnsweredStore } from '#node/http/answered.ts'
import type { Status } from '#node/http/wire.ts'
import type { HttpMetrics } from '#node/metrics/http-metrics.ts'
import type { NoteRead } from '#node/custody/read-receipts.ts'
import type { Log } from '#node/log.ts'
import type { Wanted } from '#node/placement/confirm.ts'
import type { MessageLog } from '#node/store/messages.ts'

/** What the HTTP API needs of a node. */
export interface HttpComponents {
  readonly log: Log
  readonly status: () => Promise<Status>
  /** What the node still waits for; empty when it is ready. */
  readonly waitingFor: () => readonly string[]
  /** Takes a message in and, if it is new and valid, passes it on. */
  readonly submit: (bytes: Uint8Array, wanted: Partial<Wanted>) => Promise<Outcome>
  /** Waits until enough nodes hold a blob that was put here; undefined where this one is enough. */
  readonly confirmBlob: (cid: CID, sizeBytes: number, wanted: Partial<Wanted>) => Promise<string[] | undefined>
  readonly view: () => ChainView
  readonly relayer: Relayer | undefined
  readonly guard: ReadGuard
  /** This node's attestation of an erasure, by the erasure's SHA-256 as `0x…`. */
  readonly attestation: (digest: string) => Promise<Uint8Array>
  /** Writes the receipt of an admitted read, where the node writes receipts. */
  readonly noteRead: NoteRead | undefined
  /** Calls with the patient of each message that was taken, until the returned function is called. */
  readonly onAccepted: (handler: (patient: Uint8Array) => void) => () => void
  readonly messages: MessageLog
  readonly index: AcceptIndex
  readonly blobs: BlobKeeper
  /** Whether the root of a blob is in this node's own store. */
  readonly hasBlock: (cid: CID) => Promise<boolean>
  /** Knows whose tokens are whose; without it the API has no use for tokens. */
  readonly auth?: Pick<OperatorAuth, 'callerOf'>
  /** Keeps answers under idempotency keys; without it such keys mean nothing. */
  readonly answered?: AnsweredStore
  readonly httpMetrics?: HttpMetrics
}
