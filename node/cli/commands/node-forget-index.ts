/** `salus node forget-index`: the way out where an endpoint made a node believe of the chain what is not so. */
import type { Command } from 'commander'
import { readConfig, withConfigOptions, type ConfigOptions } from '#node/cli/node-options.ts'
import { forgetEnds, forgetIndexes } from '#node/store/rebuild.ts'
import { openStore } from '#node/store/schema.ts'

interface Options extends ConfigOptions {
  readonly onlyEnds: boolean
  readonly json: boolean
}

/** Adds the command. */
export function addNodeForgetIndex(node: Command): void {
  withConfigOptions(
    node
      .command('forget-index')
      .description('forget what a stopped node made of log and chain; its next start makes it again')
  )
    .option('--only-ends', 'only revocations and other ends that are no longer in the chain', false)
    .option('--json', 'JSON instead of words', false)
    .action(forgetIndex)
}

async function forgetIndex({ onlyEnds, json, ...options }: Options): Promise<void> {
  const { dataDir } = await readConfig(options)
  const db = await openStore(dataDir)
  try {
    const ends = await forgetEnds(db)
    if (!onlyEnds) await forgetIndexes(db)
    const what = onlyEnds ? 'ends' : 'indexes'
    console.log(json ? JSON.stringify({ event: 'done', forgot: what, ends }) : `forgot ${what}, ends ${String(ends)}`)
  } finally {
    await db.close()
  }
}
