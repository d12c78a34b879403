/** Runs a node as its configuration says, until a signal. */
import type { Hex } from '#core/chain/events.ts'
import type { LiveService } from '#node/assembly/parts.ts'
import { runUntilSignal } from '#node/cli/signals.ts'
import { listReleases } from '#node/chain/chain-index.ts'
import { nodeParts } from '#node/config/node-parts.ts'
import type { NodeConfig } from '#node/config/schema.ts'
import { createReplicator } from '#node/firmware/replicate.ts'
import { createLog } from '#node/log.ts'
import { createNode, type NodeContext } from '#node/node.ts'
import { VERSION } from '#node/version.ts'

/** Resolves when it was stopped. */
export async function runNode(config: NodeConfig): Promise<void> {
  const log = createLog({ name: 'node', level: config.log.level })
  const { components, init } = await nodeParts(config, log)
  try {
    const services = (context: NodeContext): LiveService[] => [firmwareReplication(context)]
    const node = createNode(components, { ...init, services, version: VERSION })
    await runUntilSignal(() => ({ start: async () => ({ ...(await node.start()) }), stop: async () => node.stop() }))
  } finally {
    components.provider.destroy()
  }
}

/** Keeps the images of live releases, and looks again when the chain says something about firmware. */
function firmwareReplication({ db, host, exchange, blockstore, follower, deployment, log }: NodeContext): LiveService {
  const { chainId, contracts } = deployment
  const registry = { chainId, registry: contracts.FirmwareRegistry.address.toLowerCase() as Hex }
  const releases = (): ReturnType<typeof listReleases> => listReleases(db)
  const replicator = createReplicator({ db, host, exchange, blockstore, log, registry, releases })
  let unhear: (() => void) | undefined
  return {
    start() {
      unhear = follower.onBlock(({ events }) => {
        if (events.length > 0) replicator.nudge()
      })
      replicator.start()
    },
    async stop() {
      unhear?.()
      await replicator.stop()
    }
  }
}
