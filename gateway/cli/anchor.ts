import type { Command } from 'commander'
import { networkIdOfDeployment } from '#core/chain/deployment.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { readListenAddress } from '#node/cli/options.ts'
import { runUntilSignal } from '#node/cli/signals.ts'
import { loadDeployment } from '#node/chain/deployment-file.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { readKeyFile } from '#node/firmware/keys.ts'
import { createNodeClient } from '#node/http/client.ts'
import { createLog } from '#node/log.ts'
import { createAggregator } from '#gateway/aggregator/aggregator.ts'
import { createAggregatorServer } from '#gateway/aggregator/server.ts'

interface AggregateOptions {
  readonly data: string
  readonly deployment: string
  readonly node: string
  readonly keyFile: string
  readonly epochSeconds: number
  readonly listen: { readonly host: string; readonly port: number }
}

/** `salus anchor aggregate`: one root on the chain for the heads of many gateways. */
export function registerAnchor(program: Command): void {
  program
    .command('anchor')
    .description('anchor for many gateways')
    .command('aggregate')
    .description('collect heads of gateways over HTTP, and anchor one root over them each epoch')
    .requiredOption('--data <dir>', 'folder of the aggregator')
    .requiredOption('--deployment <file>', 'which contracts make up the network')
    .requiredOption('--node <url>', 'HTTP address of a node that relays')
    .requiredOption('--key-file <file>', 'private key of the aggregator’s account; it needs no money')
    .option('--epoch-seconds <n>', 'time between two roots', Number, 60)
    .option('--listen <host:port>', 'where gateways hand their heads in', readListenAddress, {
      host: '127.0.0.1',
      port: 8791
    })
    .action(async (options: AggregateOptions) => aggregate(options))
}

async function aggregate({
  data,
  deployment: file,
  node,
  keyFile,
  epochSeconds,
  listen
}: AggregateOptions): Promise<void> {
  const deployment = await loadDeployment(file)
  const wallet = await readKeyFile(keyFile)
  const stopping = new AbortController()
  const log = createLog({ name: 'aggregator' })
  const aggregator = createAggregator(
    {
      ...{ p, log, target: deployment, clock: Date.now },
      node: createNodeClient({ url: node, signal: stopping.signal }),
      signer: { signer: fromHex(wallet.address, 20), wallet }
    },
    {
      dataDir: data,
      network: networkIdOfDeployment(deployment),
      epochMs: epochSeconds * 1000,
      onEpoch: epoch => console.log(JSON.stringify({ event: 'epoch', ...epoch }))
    }
  )
  const server = createAggregatorServer(aggregator, listen)
  await runUntilSignal(() => ({
    async start() {
      await aggregator.start()
      return { url: await server.start(), aggregator: wallet.address.toLowerCase() }
    },
    async stop() {
      await server.stop()
      stopping.abort()
      await aggregator.stop()
    }
  }))
}
