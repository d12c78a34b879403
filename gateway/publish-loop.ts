import type { GatewayEvent } from '#gateway/events.ts'
import { publishBatch, type PublisherComponents } from '#gateway/publisher.ts'
import type { Progress } from '#gateway/progress.ts'
import { untilDone } from '#gateway/retry.ts'

/** Publishes each signed batch, oldest first, until the sources have ended and nothing is left. */
export async function publishAll(
  shared: PublisherComponents & { readonly onEvent: (event: GatewayEvent) => void },
  { exitAtEnd, keepBatches }: { readonly exitAtEnd: boolean; readonly keepBatches: number },
  progress: Progress,
  signal: AbortSignal
): Promise<void> {
  const { ledger, files, log, onEvent } = shared
  while (!signal.aborted) {
    const { acknowledged, sequence } = ledger.state
    if (acknowledged === sequence) {
      if (progress.sourcesEnded && exitAtEnd) return
      await progress.moved(signal)
      continue
    }
    const next = acknowledged + 1
    await untilDone(async () => publishBatch(shared, next), { what: 'publishing a batch', log, signal })
    if (ledger.state.acknowledged !== next) continue
    progress.move()
    onEvent({ event: 'acknowledged', sequence: next })
    await files.forget(Math.min(next, progress.anchoredBatch(ledger.state)) - keepBatches)
  }
}
