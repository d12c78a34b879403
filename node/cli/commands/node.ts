/** `salus node`: setting up, running and looking after a full node. */
import type { Command } from 'commander'
import { addNodeInit } from '#node/cli/commands/node-init.ts'
import { addNodeRun } from '#node/cli/commands/node-run.ts'

/** Adds the commands. */
export function registerNode(program: Command): void {
  const node = program
    .command('node')
    .description('a full node: stores, replicates, serves, relays; sees only ciphertext')
  addNodeInit(node)
  addNodeRun(node)
}
