/** `salus chain`: the embedded development chain as a process of its own. */
import type { Command } from 'commander'
import { readCount } from '#node/cli/options.ts'
import { runUntilSignal } from '#node/cli/signals.ts'
import { createDevChain, DEV_CHAIN_ID } from '#node/chain/dev-chain.ts'
import { createLog } from '#node/log.ts'

interface RunOptions {
  readonly data: string
  readonly port: number
}

/** Adds the commands. */
export function registerChain(program: Command): void {
  program
    .command('chain')
    .description('the embedded chain, for development and demonstrations')
    .command('run')
    .description('run it until SIGTERM or SIGINT; its state is kept in the folder')
    .requiredOption('--data <dir>', 'folder of its state')
    .option('--port <n>', 'port on 127.0.0.1, 0 for any', readCount, 8545)
    .action(run)
}

async function run({ data, port }: RunOptions): Promise<void> {
  const log = createLog({ name: 'chain' })
  await runUntilSignal(died => {
    const chain = createDevChain({ log }, { dataDir: data, port, onDeath: died })
    return {
      start: async () => ({ ...(await chain.start()), chainId: DEV_CHAIN_ID }),
      stop: async () => chain.stop()
    }
  })
}
