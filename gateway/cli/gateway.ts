import { Option, type Command } from 'commander'
import { SalusError } from '#core/error.ts'
import { addProvisionOptions, type ProvisionOptions } from '#gateway/cli/provision-options.ts'
import type { InitOptions } from '#gateway/cli/init.ts'
import type { ProveOptions } from '#gateway/cli/prove.ts'
import { addRunOptions, type RunOptions } from '#gateway/cli/run-options.ts'

/** `salus gateway init|run|provision|status|prove`: the bedside program between sensors and the network. */
export function registerGateway(program: Command): void {
  const gateway = program.command('gateway').description('take sensor data in, seal it, publish it, anchor it')
  gateway
    .command('init')
    .description('make the keys of a gateway and print who it is, as JSON')
    .requiredOption('--data <dir>', 'data directory of the gateway')
    .requiredOption('--deployment <file>', 'which contracts make up the network, as written by the deploy script')
    .action(async (options: InitOptions) => (await import('#gateway/cli/init.ts')).initGateway(options))
  addRunOptions(gateway.command('run'))
    .description('take sensors or recordings in, for the patient who granted it')
    .action(async (options: RunOptions) => (await import('#gateway/cli/run.ts')).runGateway(options))
  addProvisionOptions(gateway.command('provision [device]')).action(
    async (device: string | undefined, options: ProvisionOptions) =>
      (await import('#gateway/cli/provision.ts')).provision(device, options)
  )
  gateway
    .command('status')
    .description('print who the gateway is and how far it came, as JSON')
    .requiredOption('--data <dir>', 'data directory of the gateway')
    .action(async ({ data }: { readonly data: string }) => (await import('#gateway/cli/status.ts')).status(data))
  gateway
    .command('prove')
    .description('write the proof of one reading: a bundle with --rpc, else a proof file of the witnesses')
    .requiredOption('--data <dir>', 'data directory of the gateway')
    .addOption(
      new Option('--index <n>', 'index of the reading in the gateway’s tree').argParser(readIndex).makeOptionMandatory()
    )
    .option('--rpc <url>', 'JSON-RPC endpoint of the chain')
    .requiredOption('--out <file>', 'where to write it')
    .action(async (options: ProveOptions) => (await import('#gateway/cli/prove.ts')).prove(options))
}

function readIndex(text: string): number {
  const index = Number(text)
  if (!Number.isSafeInteger(index) || index < 0) throw new SalusError('CLI_NUMBER', '--index takes a whole number.')
  return index
}
