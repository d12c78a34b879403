/** Has an aggregator anchor the head of the gateway's tree among those of others; whatever it answers is checked. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock, Primitives } from '#core/crypto/primitives.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { signGatewayHead } from '#core/batch/gateway-head.ts'
import { verifySuperRootPath } from '#core/batch/super-root.ts'
import type { AggregatorPort, RootedHead } from '#gateway/aggregator-port.ts'
import type { BatchFiles } from '#gateway/batch-files.ts'
import type { GatewayIdentity } from '#gateway/identity.ts'
import type { Ledger } from '#gateway/ledger.ts'
import type { Log } from '#node/log.ts'

/** What is needed for it. */
export interface RootedComponents {
  readonly p: Primitives
  readonly clock: Clock
  readonly log: Log
  readonly identity: GatewayIdentity
  readonly ledger: Ledger
  readonly files: Pick<BatchFiles, 'writeRooted'>
  readonly aggregator: AggregatorPort
  readonly network: Uint8Array
  readonly evidence: Uint8Array
}

const ASK_EVERY_MS = 250

/**
 * Signs the next head and waits until it lies under a super-root, for at most `slaMs`.
 *
 * @returns where it lies; null if the aggregator was late, unreachable or answered wrongly: then the gateway anchors by itself
 */
export async function rootHead(
  components: RootedComponents,
  head: { readonly batch: number; readonly treeSize: number; readonly root: Uint8Array },
  { slaMs, signal }: { readonly slaMs: number; readonly signal: AbortSignal }
): Promise<RootedHead | null> {
  const { p, clock, log, identity, ledger, files, aggregator, network, evidence } = components
  const before = ledger.state.head
  const plan = { ...head, sequence: (before?.sequence ?? 0) + 1, previousRoot: before?.root ?? null }
  // Decided before it is signed: there is one head of a number.
  await ledger.record({ type: 'head', head: plan })
  const { sequence, treeSize, root, previousRoot } = plan
  const content = { network, gateway: identity.id, sequence, treeSize, root, previousRoot }
  const signed = signGatewayHead(p, content, identity.keys.signSeed)
  const untilMs = clock() + slaMs
  let isSubmitted = false
  while (clock() < untilMs && !signal.aborted) {
    try {
      if (!isSubmitted) await aggregator.submit(signed, evidence)
      isSubmitted = true
      const found = await aggregator.find(identity.id, sequence)
      if (found != null) {
        verifySuperRootPath(p, found.path, found, identity.keys.bundle.sign)
        if (!equalBytes(found.path.signed.bytes, signed.bytes)) return null
        await files.writeRooted(treeSize, found)
        return found
      }
    } catch (error) {
      if (!isSalusError(error)) throw error
      log.warn({ code: error.code }, `the aggregator: ${error.message}`)
      // What is wrong once stays wrong; what is unreachable may come back.
      if (!/^AGGREGATOR_(UNREACHABLE|BUSY)$/.test(error.code)) return null
    }
    await pause(ASK_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
  return null
}
