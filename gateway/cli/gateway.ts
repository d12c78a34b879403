import { readFile } from 'node:fs/promises'
import { Option, type Command } from 'commander'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { decodeEvidence } from '#core/identity/evidence.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { writeDurably } from '#node/store/durable-file.ts'
import { openBatchFiles } from '#gateway/batch-files.ts'
import { currentEvidence, storeDeployment, storedDeployment } from '#gateway/cli/folder.ts'
import { registerProvision } from '#gateway/cli/provision.ts'
import { runGateway } from '#gateway/cli/run.ts'
import { addRunOptions, type RunOptions } from '#gateway/cli/run-options.ts'
import { registerStatus } from '#gateway/cli/status.ts'
import { loadOrCreateGateway } from '#gateway/identity.ts'
import { proveReading, proveToWitnesses } from '#gateway/prove.ts'

interface InitOptions {
  readonly data: string
  readonly deployment: string
}

interface ProveOptions {
  readonly data: string
  readonly index: number
  readonly rpc?: string
  readonly out: string
}

/** `salus gateway init|run|provision|status|prove`: the bedside program between sensors and the network. */
export function registerGateway(program: Command): void {
  const gateway = program.command('gateway').description('take sensor data in, seal it, publish it, anchor it')
  gateway
    .command('init')
    .description('make the keys of a gateway and print who it is, as JSON')
    .requiredOption('--data <dir>', 'data directory of the gateway')
    .requiredOption('--deployment <file>', 'which contracts make up the network, as written by the deploy script')
    .action(async (options: InitOptions) => init(options))
  addRunOptions(gateway.command('run'))
    .description('take sensors or recordings in, for the patient who granted it')
    .action(async (options: RunOptions) => runGateway(options))
  registerProvision(gateway)
  registerStatus(gateway)
  gateway
    .command('prove')
    .description('write the proof of one reading: a bundle with --rpc, else a proof file of the witnesses')
    .requiredOption('--data <dir>', 'data directory of the gateway')
    .addOption(
      new Option('--index <n>', 'index of the reading in the gateway’s tree').argParser(readIndex).makeOptionMandatory()
    )
    .option('--rpc <url>', 'JSON-RPC endpoint of the chain')
    .requiredOption('--out <file>', 'where to write it')
    .action(async (options: ProveOptions) => prove(options))
}

async function init({ data, deployment: file }: InitOptions): Promise<void> {
  const identity = await loadOrCreateGateway(p, data)
  const deployment = await storeDeployment(data, await readFile(file))
  const evidence = await currentEvidence(data, identity, deployment)
  const binding = decodeEvidence(evidence).binding
  console.log(
    JSON.stringify({
      gateway: toHex(identity.id),
      address: identity.wallet.address.toLowerCase(),
      keyBundle: toHex(identity.keys.bundleBytes),
      certificate: toHex(identity.certificate),
      binding: binding == null ? null : { notAfter: binding.notAfter, signature: toHex(binding.signature) }
    })
  )
}

async function prove({ data, index, rpc, out }: ProveOptions): Promise<void> {
  const identity = await loadOrCreateGateway(p, data)
  const files = await openBatchFiles(data)
  if (rpc == null) {
    const proof = new TextEncoder().encode(await proveToWitnesses({ p, identity, files }, index))
    await writeDurably(out, proof)
    console.log(JSON.stringify({ event: 'proven', index, sizeBytes: proof.length, file: out }))
    return
  }
  const deployment = await storedDeployment(data)
  const provider = createProvider(rpc, deployment.chainId)
  try {
    const evidence = await currentEvidence(data, identity, deployment)
    const bundle = await proveReading({ p, rpc: provider, deployment, identity, files, evidence }, index)
    await writeDurably(out, bundle)
    console.log(JSON.stringify({ event: 'proven', index, sizeBytes: bundle.length, file: out }))
  } finally {
    provider.destroy()
  }
}

function readIndex(text: string): number {
  const index = Number(text)
  if (!Number.isSafeInteger(index) || index < 0) throw new SalusError('CLI_NUMBER', '--index takes a whole number.')
  return index
}
