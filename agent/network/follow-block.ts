import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '#core/crypto/primitives.ts'
import type { NodeClient } from '#node/http/client.ts'

/** Longest wait for a node to see a block that it has just put a request in: keys stay in memory meanwhile. */
const FOLLOW_MS = 30_000
const LOOK_MS = 100

/** Waits until a node has seen a block, or half a minute: whoever goes on then meets a node that answers as before. */
export async function followBlock(
  { node, clock }: { readonly node: Pick<NodeClient, 'status'>; readonly clock: Clock },
  blockNumber: number
): Promise<void> {
  const deadline = clock() + FOLLOW_MS
  while ((await node.status()).chain.blockNumber < blockNumber && clock() < deadline) await pause(LOOK_MS)
}
