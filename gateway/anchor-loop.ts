/** Puts the gateway's tree on the chain when it is due, by itself or through an aggregator. */
import { isSalusError } from '#core/error.ts'
import { isAnchorDue, type AnchorCadence } from '#core/batch/anchor-cadence.ts'
import { decodeBatchHeader } from '#core/batch/batch.ts'
import { registerGateway, sendAnchor, type AnchorerComponents } from '#gateway/anchorer.ts'
import type { GatewayEvent } from '#gateway/events.ts'
import type { NodePort } from '#gateway/node-port.ts'
import type { MonitorPort } from '#gateway/ports.ts'
import type { Progress } from '#gateway/progress.ts'
import { syncAnchor, type RecoveryComponents } from '#gateway/recovery.ts'
import { untilDone } from '#gateway/retry.ts'
import { rootHead, type RootedComponents } from '#gateway/rooted.ts'
import type { AnchorPlan } from '#gateway/state.ts'
import type { Log } from '#node/log.ts'

/** What the loop needs. */
export interface AnchorLoopComponents
  extends AnchorerComponents, RecoveryComponents, Omit<RootedComponents, 'aggregator' | 'files'> {
  readonly node: Pick<NodePort, 'relay' | 'gateway'>
  readonly log: Log
  readonly monitor: MonitorPort
  readonly aggregator?: RootedComponents['aggregator']
  /** Price of a unit of gas in wei, where it is known. */
  readonly gasPrice?: () => Promise<bigint | null>
  readonly onEvent: (event: GatewayEvent) => void
}

/** What it is told. */
export interface AnchorLoopInit {
  /** An anchor after each so many batches; or by risk and price. */
  readonly anchorEvery?: number
  readonly cadence: AnchorCadence
  /** How long an aggregator may take before the gateway anchors by itself, ms. */
  readonly aggregatorSlaMs: number
  readonly exitAtEnd: boolean
}

/** Anchors until the sources have ended and the last batch is on the chain. */
export async function anchorAll(
  shared: AnchorLoopComponents,
  init: AnchorLoopInit,
  progress: Progress,
  signal: AbortSignal
): Promise<void> {
  const { ledger, log, clock, onEvent } = shared
  let registered = false
  let lastAnchorMs: number | null = null
  while (!signal.aborted) {
    const { acknowledged, sequence, anchored, anchoring } = ledger.state
    if (anchoring != null && anchored != null && anchoring.treeSize <= anchored.treeSize) {
      // The tree never shrinks: the chain would refuse this plan for ever.
      await ledger.record({ type: 'synced', anchor: anchored })
      continue
    }
    if (anchoring == null) {
      const atEnd = progress.sourcesEnded && init.exitAtEnd && acknowledged === sequence
      const done = progress.anchoredBatch(ledger.state)
      const target = atEnd ? acknowledged : await targetOf(shared, init, acknowledged, { done, lastAnchorMs })
      // After the anchor at an end, the next full interval may begin before it.
      if (target <= done) {
        if (atEnd) return
        await progress.moved(signal)
        continue
      }
      const plan = await planAnchor(shared, target, (anchored?.sequence ?? 0) + 1)
      if (await isRooted(shared, init, plan, { progress, signal })) lastAnchorMs = clock()
      else await ledger.record({ type: 'anchoring', anchor: plan })
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
    if (sent == null) continue
    lastAnchorMs = clock()
    if (sent === 'synced') continue
    await ledger.record({ type: 'anchored' })
    const { treeSize } = anchoring
    onEvent({ event: 'anchored', sequence: anchoring.sequence, treeSize, blockNumber: sent.blockNumber })
  }
}

/** The last batch that is to be on the chain by now. */
async function targetOf(
  { clock, monitor, gasPrice }: AnchorLoopComponents,
  { anchorEvery, cadence }: AnchorLoopInit,
  acknowledged: number,
  { done, lastAnchorMs }: { readonly done: number; readonly lastAnchorMs: number | null }
): Promise<number> {
  if (acknowledged <= done) return done
  if (anchorEvery != null) return acknowledged - (acknowledged % anchorEvery)
  const gasPriceWei = cadence.cheapWei == null || gasPrice == null ? null : await gasPrice()
  const isDue = isAnchorDue(cadence, {
    nowMs: clock(),
    lastAnchorMs,
    isAtRisk: monitor.risk() !== 'routine',
    lastHighAlertMs: monitor.lastHighAlertMs(),
    gasPriceWei
  })
  return isDue ? acknowledged : done
}

/** Tries an aggregator, where there is one. */
async function isRooted(
  shared: AnchorLoopComponents,
  { aggregatorSlaMs }: AnchorLoopInit,
  plan: AnchorPlan,
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal }
): Promise<boolean> {
  const { aggregator, files, onEvent } = shared
  if (aggregator == null) return false
  const { batch, treeSize, root } = plan
  const head = { batch, treeSize, root }
  const rooted = await rootHead({ ...shared, aggregator, files }, head, { slaMs: aggregatorSlaMs, signal })
  if (rooted == null) return false
  progress.rootedBatch = batch
  progress.move()
  const { epoch, blockNumber } = rooted
  onEvent({ event: 'rooted', sequence: shared.ledger.state.head?.sequence ?? 0, epoch, treeSize, blockNumber })
  return true
}

/** Sends an anchor; if it is refused because the chain is ahead of a damaged journal, takes the chain's word. */
async function anchorOnce(
  shared: AnchorLoopComponents,
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
  { p, files, identity }: Pick<AnchorLoopComponents, 'p' | 'files' | 'identity'>,
  batch: number,
  sequence: number
): Promise<AnchorPlan> {
  const header = decodeBatchHeader(p, await files.readBatch(batch), identity.keys.bundle.sign)
  return { sequence, batch, treeSize: header.treeTo, root: header.root }
}
