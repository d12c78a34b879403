/** A gateway: takes readings in, batches, signs, seals, publishes and anchors them, and goes on where it was killed. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock, Primitives, Random } from '#core/crypto/primitives.ts'
import { networkIdOfDeployment, type Deployment } from '#core/chain/deployment.ts'
import { equalBytes, fromHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { decodeBatch } from '#core/batch/batch.ts'
import { MAX_BATCH_READINGS } from '#core/batch/streams.ts'
import type { Log } from '#node/log.ts'
import { registerGateway, sendAnchor, type AnchorerComponents } from '#gateway/anchorer.ts'
import { openBatchFiles, type BatchFiles } from '#gateway/batch-files.ts'
import { closeSpan, signIntent, type BatcherComponents, type SignedBatch } from '#gateway/batcher.ts'
import type { GatewayIdentity } from '#gateway/identity.ts'
import { openLedger, type Ledger } from '#gateway/ledger.ts'
import type { NodePort } from '#gateway/node-port.ts'
import { publishBatch, type PublisherComponents } from '#gateway/publisher.ts'
import type { ReadingSource } from '#gateway/replay.ts'
import { adoptBatches, syncAnchor, type RecoveryComponents } from '#gateway/recovery.ts'
import { untilDone } from '#gateway/retry.ts'
import { createSealingKeys } from '#gateway/sealing-keys.ts'
import type { AnchorPlan } from '#gateway/state.ts'

/** What a gateway needs. */
export interface GatewayComponents {
  readonly p: Primitives
  readonly random: Random
  readonly clock: Clock
  readonly log: Log
  readonly node: NodePort
  readonly identity: GatewayIdentity
  readonly deployment: Deployment
  readonly source: ReadingSource
  /** Evidence for each entry (core/identity/evidence.ts). */
  readonly evidence: Uint8Array
}

/** What it is told. */
export interface GatewayInit {
  readonly dataDir: string
  /** The patient's grant to write vitals, 32 bytes. */
  readonly grant: Uint8Array
  /** Digest of the patient's key bundle, 32 bytes, as the patient shows it: capsules of anyone else are refused. */
  readonly patientKeys: Uint8Array
  /** Length of a batch on the device's clock; a batch without readings is made as well. */
  readonly batchSeconds: number
  /** An anchor after each so many batches, and at the end. */
  readonly anchorEvery: number
  /** Ends once everything of the source is published and anchored; otherwise silence is batched too. */
  readonly exitAtEnd: boolean
  /** Signed batches that stay on the disk in clear, so that the gateway can prove their readings. */
  readonly keepBatches: number
  readonly onEvent: (event: GatewayEvent) => void
}

/** What a gateway reports. */
export type GatewayEvent =
  | ({ readonly event: 'batch' } & SignedBatch)
  | { readonly event: 'acknowledged'; readonly sequence: number }
  | { readonly event: 'anchored'; readonly sequence: number; readonly treeSize: number; readonly blockNumber: number }
  | { readonly event: 'end' }

/** A running gateway. */
export interface Gateway {
  /** Opens the data directory and begins. */
  start(): Promise<void>
  /** Resolves when it has ended by itself; fails where it cannot go on. */
  readonly ended: Promise<void>
  /** Ends cleanly: what was taken in is on the disk. */
  stop(): Promise<void>
}

/** Appends that may wait for the disk at once. */
const MAX_UNFLUSHED = 256

/** Empty spans made up for at most when a recording jumps. */
const MAX_EMPTY_SPANS = 1000

/** Makes a gateway. */
export function createGateway(components: GatewayComponents, init: GatewayInit): Gateway {
  const stopping = new AbortController()
  const { signal } = stopping
  let ledger: Ledger | undefined
  let loops: Promise<void> | undefined
  let settle: { resolve: () => void; reject: (error: unknown) => void } | undefined
  const ended = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject }
  })
  // Whoever does not wait for the end still learns of a failure from `stop`.
  ended.catch(() => undefined)

  return {
    ended,
    async start() {
      ledger = await openLedger(init.dataDir)
      const files = await openBatchFiles(init.dataDir)
      loops = runGateway(components, init, { ledger, files, signal, abort: () => stopping.abort() })
      loops.then(
        () => settle?.resolve(),
        (error: unknown) => settle?.reject(error)
      )
    },
    async stop() {
      stopping.abort()
      await loops?.catch(() => undefined)
      await ledger?.close()
      ledger = undefined
    }
  }
}

interface Running {
  readonly ledger: Ledger
  readonly files: BatchFiles
  readonly signal: AbortSignal
  readonly abort: () => void
}

async function runGateway(components: GatewayComponents, init: GatewayInit, running: Running): Promise<void> {
  const { p, clock, log, node, identity, deployment } = components
  const { ledger, signal } = running
  const network = networkIdOfDeployment(deployment)
  const keys = createSealingKeys(
    { p, clock, node, identity },
    {
      network,
      contract: fromHex(deployment.contracts.AccessGrants.address, 20),
      grant: init.grant,
      patientKeys: init.patientKeys,
      onPatient: async patient => rememberPatient(ledger, patient)
    }
  )
  if (ledger.state.patient == null) {
    await untilDone(async () => keys.refresh(), { what: 'fetching the keys of the grant', log, signal })
  }
  // Still unknown only if the gateway was stopped meanwhile.
  if (ledger.state.patient == null) return
  const shared = { ...components, ...running, network }
  const progress = { sourceEnded: false }
  const loops = [
    takeIn(shared, init, progress, signal),
    publishAll({ ...shared, keys, grant: init.grant }, init, progress, signal),
    anchorAll(shared, init, progress, signal)
  ]
  try {
    await Promise.all(loops)
  } catch (error) {
    // One cannot go on: the others end before the failure is reported, so that nothing writes any more.
    running.abort()
    await Promise.allSettled(loops)
    throw error
  }
  if (!signal.aborted) init.onEvent({ event: 'end' })
}

/** The first capsule tells whose readings these are, ever after. The patient's keys may change: the operator names them. */
async function rememberPatient(ledger: Ledger, patient: NonNullable<Ledger['state']['patient']>): Promise<void> {
  const known = ledger.state.patient
  if (known != null && !equalBytes(known.id, patient.id)) {
    throw new SalusError(
      'GATEWAY_PATIENT',
      'The keys of the grant are of another patient than before; they are not used.'
    )
  }
  if (known == null || !equalBytes(known.keyBundle, patient.keyBundle))
    await ledger.record({ type: 'patient', patient })
}

interface Progress {
  sourceEnded: boolean
}

async function takeIn(
  shared: BatcherComponents & Pick<GatewayComponents, 'source' | 'log'>,
  { batchSeconds, exitAtEnd, onEvent }: GatewayInit,
  progress: Progress,
  signal: AbortSignal
): Promise<void> {
  const { ledger, source, log } = shared
  const close = async (span: number): Promise<void> => onEvent({ event: 'batch', ...(await closeSpan(shared, span)) })
  const batchMs = batchSeconds * 1000
  const spanOf = (deviceTimeMs: number): number => Math.floor(deviceTimeMs / batchMs)
  if (ledger.state.intent != null) onEvent({ event: 'batch', ...(await signIntent(shared)) })
  const adopted = await adoptBatches(shared, spanOf)
  if (adopted > 0) log.warn({ batches: adopted }, 'signed batches were found that a damaged journal no longer told of')
  let unflushed: Promise<void>[] = []
  const failed = new AbortController()
  const arriving = AbortSignal.any([signal, failed.signal])
  for await (const { row, deviceTimeMs, readings } of source.arrivals(ledger.state.nextRow, arriving)) {
    const span = spanOf(deviceTimeMs)
    for (let open = openSpan(ledger, spanOf) ?? span; open < span; open++) {
      // A jump of the device's clock is not worth a flood of empty batches.
      if (span - open > MAX_EMPTY_SPANS) open = span - 1
      await close(open)
    }
    if (ledger.state.pending.length + readings.length > MAX_BATCH_READINGS) await close(span - 1)
    // Nobody waits for it yet: a failure ends the arrivals, and is thrown behind them.
    const recorded = ledger.record({ type: 'readings', nextRow: row + 1, readings })
    unflushed.push(recorded.catch((error: unknown) => failed.abort(error)))
    if (unflushed.length >= MAX_UNFLUSHED) {
      await Promise.all(unflushed)
      unflushed = []
    }
  }
  await Promise.all(unflushed)
  failed.signal.throwIfAborted()
  if (signal.aborted) return
  const last = openSpan(ledger, spanOf)
  if (last != null && ledger.state.pending.length > 0) await close(last)
  progress.sourceEnded = true
  // The source is silent from here on, and silence is signed as well.
  for (let span = (last ?? 0) + 1; !exitAtEnd && (await elapsed(batchMs, signal)); span++) await close(span)
}

/** A pause; false if the signal ended it. */
async function elapsed(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await pause(ms, undefined, { signal })
    return true
  } catch {
    // It fails for one reason only: the signal.
    return false
  }
}

/** The span that the next reading belongs to or comes after; none before the first reading. */
function openSpan({ state }: Ledger, spanOf: (timeMs: number) => number): number | undefined {
  const [first] = state.pending
  if (state.span != null) return state.span + 1
  return first == null ? undefined : spanOf(first.deviceTimeMs)
}

const IDLE_MS = 20

async function publishAll(
  shared: PublisherComponents,
  { exitAtEnd, keepBatches, onEvent }: GatewayInit,
  progress: Progress,
  signal: AbortSignal
): Promise<void> {
  const { ledger, files, log } = shared
  while (!signal.aborted) {
    const { acknowledged, sequence } = ledger.state
    if (acknowledged === sequence) {
      if (progress.sourceEnded && exitAtEnd) return
      await elapsed(IDLE_MS, signal)
      continue
    }
    const next = acknowledged + 1
    await untilDone(async () => publishBatch(shared, next), { what: 'publishing a batch', log, signal })
    if (ledger.state.acknowledged !== next) continue
    onEvent({ event: 'acknowledged', sequence: next })
    await files.forget(Math.min(next, ledger.state.anchored?.batch ?? 0) - keepBatches)
    await ledger.compact()
  }
}

async function anchorAll(
  shared: AnchorerComponents & RecoveryComponents & Pick<GatewayComponents, 'node' | 'log'>,
  { anchorEvery, exitAtEnd, onEvent }: GatewayInit,
  progress: Progress,
  signal: AbortSignal
): Promise<void> {
  const { ledger, log } = shared
  let registered = false
  while (!signal.aborted) {
    const { acknowledged, sequence, anchored, anchoring } = ledger.state
    const atEnd = progress.sourceEnded && exitAtEnd && acknowledged === sequence
    const done = anchored?.batch ?? 0
    const target = atEnd ? acknowledged : acknowledged - (acknowledged % anchorEvery)
    if (anchoring != null && anchored != null && anchoring.treeSize <= anchored.treeSize) {
      // The tree never shrinks: the chain would refuse this plan for ever.
      await ledger.record({ type: 'synced', anchor: anchored })
      continue
    }
    // After the anchor at an end, the next full interval may begin before it.
    if (anchoring == null && target <= done) {
      if (atEnd) return
      await elapsed(IDLE_MS, signal)
      continue
    }
    if (anchoring == null) {
      const anchor = await planAnchor(shared, target, (anchored?.sequence ?? 0) + 1)
      await ledger.record({ type: 'anchoring', anchor })
      continue
    }
    if (!registered) {
      const done = await untilDone(
        async () => {
          await registerGateway(shared)
          return true
        },
        { what: 'registering the gateway', log, signal }
      )
      registered = done === true
      continue
    }
    const sent = await untilDone(async () => anchorOnce(shared, anchoring), {
      what: 'anchoring',
      log,
      signal,
      fatal: ['GATEWAY_ROLLED_BACK']
    })
    if (sent == null || sent === 'synced') continue
    await ledger.record({ type: 'anchored' })
    const { treeSize } = anchoring
    onEvent({ event: 'anchored', sequence: anchoring.sequence, treeSize, blockNumber: sent.blockNumber })
  }
}

/** Sends an anchor; if it is refused because the chain is ahead of a damaged journal, takes the chain's word. */
async function anchorOnce(
  shared: AnchorerComponents & RecoveryComponents & Pick<GatewayComponents, 'node'>,
  plan: AnchorPlan
): Promise<{ readonly blockNumber: number } | 'synced'> {
  try {
    return await sendAnchor(shared, plan)
  } catch (error) {
    if (isSalusError(error, 'CHAIN_ANCHOR_OUT_OF_SEQUENCE') && (await syncAnchor(shared, shared.node))) return 'synced'
    throw error
  }
}

async function planAnchor(
  { p, files, identity }: Pick<BatcherComponents, 'p' | 'files' | 'identity'>,
  batch: number,
  sequence: number
): Promise<AnchorPlan> {
  const { header } = decodeBatch(p, await files.readBatch(batch), identity.keys.bundle.sign)
  return { sequence, batch, treeSize: header.treeTo, root: header.root }
}
