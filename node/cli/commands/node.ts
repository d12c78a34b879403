/** `salus node`: setting up, running and looking after a full node. */
import type { Command } from 'commander'
import { addNodeDoctor } from '#node/cli/commands/node-doctor.ts'
import { addNodeForgetIndex } from '#node/cli/commands/node-forget-index.ts'
import { addNodeInit } from '#node/cli/commands/node-init.ts'
import { addNodeRun } from '#node/cli/commands/node-run.ts'
import { addNodeStore } from '#node/cli/commands/node-store.ts'
import { addNodeStatus } from '#node/cli/commands/node-status.ts'
import { addNodeToken } from '#node/cli/commands/node-token.ts'

/** Adds the commands. */
export function registerNode(program: Command): void {
  const node = program
    .command('node')
    .description('a full node: stores, replicates, serves, relays; sees only ciphertext')
  addNodeInit(node)
  addNodeRun(node)
  addNodeStatus(node)
  addNodeToken(node)
  addNodeStore(node)
  addNodeDoctor(node)
  addNodeForgetIndex(node)
}
