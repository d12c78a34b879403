#!/usr/bin/env node
/** The `salus` command: the command line under the pinned Node. */
process.argv.splice(2, 0, 'node/cli/main.ts')
await import('./bootstrap.mjs')
