import { isSalusError } from '#core/error.ts'
import { decodeBatchHeader } from '#core/batch/batch.ts'
import type { GatewayEvent } from '#gateway/events.ts'
import type { Ledger } from '#gateway/ledger.ts'
import type { Progress } from '#gateway/progress.ts'
import { askWitness, checkpointAt, type WitnessClientComponents, type WitnessPlace } from '#gateway/witness-client.ts'
import type { Log } from '#node/log.ts'

/** What the loop needs. */
export interface WitnessLoopComponents extends WitnessClientComponents {
  readonly ledger: Ledger
  readonly log: Log
  readonly onEvent: (event: GatewayEvent) => void
}

/** What it is told. */
export interface WitnessLoopInit {
  readonly witnesses: readonly WitnessPlace[]
  /** Shortest time between two checkpoints, ms. */
  readonly everyMs: number
  readonly exitAtEnd: boolean
}

/** Rounds in which no witness answers before an ended gateway ends without them. */
const LAST_ROUNDS = 3
const LAST_REST_MS = 500

/** Keeps a cosigned checkpoint of the newest batch on the disk. A witness that is away delays nothing else. */
export async function witnessAll(
  components: WitnessLoopComponents,
  { witnesses, everyMs, exitAtEnd }: WitnessLoopInit,
  progress: Progress,
  signal: AbortSignal
): Promise<void> {
  const { ledger } = components
  let done = 0
  let failed = 0
  const isEnding = (): boolean => progress.sourcesEnded && exitAtEnd

  /** The time between two checkpoints; an end is not waited for. */
  async function rest(): Promise<void> {
    const untilMs = performance.now() + (isEnding() ? LAST_REST_MS : everyMs)
    const wasEnding = isEnding()
    while (!signal.aborted && performance.now() < untilMs && isEnding() === wasEnding) await progress.moved(signal)
  }

  while (!signal.aborted && witnesses.length > 0) {
    const { sequence } = ledger.state
    if (isEnding() && (done === sequence || failed >= LAST_ROUNDS)) return
    if (done === sequence) {
      await progress.moved(signal)
      continue
    }
    const cosigned = await witnessOne(components, witnesses, sequence)
    if (cosigned > 0) {
      done = sequence
      failed = 0
      progress.move()
    } else failed++
    await rest()
  }
}

/** Asks every witness about the tree after a batch; keeps the note if one cosigned. */
async function witnessOne(
  { p, files, identity, log, onEvent, ...rest }: WitnessLoopComponents,
  witnesses: readonly WitnessPlace[],
  sequence: number
): Promise<number> {
  const header = decodeBatchHeader(p, await files.readBatch(sequence), identity.keys.bundle.sign)
  const answers = await Promise.all(
    witnesses.map(async witness => {
      try {
        return await askWitness({ p, files, identity, ...rest }, witness, header)
      } catch (error) {
        if (!isSalusError(error)) throw error
        log.warn({ code: error.code }, `asking a witness: ${error.message}`)
        return undefined
      }
    })
  )
  const lines = answers.filter(line => line != null)
  if (lines.length === 0) return 0
  await files.writeCheckpoint(header.treeTo, checkpointAt(p, identity, header) + lines.join(''))
  onEvent({ event: 'cosigned', sequence, treeSize: header.treeTo, witnesses: lines.length })
  return lines.length
}
