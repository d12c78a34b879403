/** What the commands of makers share: where the chain is, and who sends their requests to it. */
import type { Command } from 'commander'
import type { Hex } from '#core/chain/events.ts'
import { SalusError } from '#core/error.ts'
import type { SignerSet } from '#core/firmware/keyset.ts'
import { loadDeployment } from '#node/chain/deployment-file.ts'
import { readKeyFile } from '#node/firmware/keys.ts'
import type { MakerComponents } from '#node/firmware/publish.ts'
import { openRegistry } from '#node/firmware/registry.ts'
import { payWith, relayThrough } from '#node/firmware/submit.ts'
import { createLog, type Log } from '#node/log.ts'

/** Options of every command that reads the registry or sends to it. */
export interface ChainOptions {
  readonly rpc: string
  readonly deployment: string
  readonly relay?: string
  readonly payer?: string
  readonly json: boolean
}

/** Adds the options. */
export function withChain(command: Command): Command {
  return command
    .requiredOption('--rpc <url>', 'JSON-RPC endpoint of the chain')
    .requiredOption('--deployment <file>', 'where the contracts are')
    .option('--relay <url>', 'node that sends the requests to the chain')
    .option('--payer <file>', 'key of an account that pays for them instead')
    .option('--json', 'print one JSON object a line', false)
}

/** Does something with the registry and a way to send requests to it, and closes both. */
export async function onChain(
  options: ChainOptions,
  act: (components: MakerComponents) => Promise<void>
): Promise<void> {
  const log: Log = createLog({ name: 'maker', level: 'warn' })
  const deployment = await loadDeployment(options.deployment)
  if (options.relay == null && options.payer == null) {
    throw new SalusError('FIRMWARE_NO_RELAY', 'Say who sends requests to the chain: --relay URL, or --payer FILE.')
  }
  const { rpc: rpcUrl, relay, payer = '' } = options
  const submitter = relay == null ? await payWith(payer, { rpcUrl, deployment, log }) : relayThrough(relay)
  try {
    const registry = await openRegistry({ rpcUrl, registry: deployment.contracts.FirmwareRegistry.address })
    try {
      await act({ registry, submit: submitter.submit })
    } finally {
      registry.close()
    }
  } finally {
    await submitter.close()
  }
}

/** A set of signers, from their key files. */
export async function signerSet(files: readonly string[], threshold: number): Promise<SignerSet> {
  const keys = await Promise.all(files.map(readKeyFile))
  return { threshold, signers: keys.map(({ address }) => address.toLowerCase() as Hex) }
}
