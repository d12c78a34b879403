import type { Command } from 'commander'
import { encodeVerifierKey, decodeVerifierKey } from '#core/tlog/signed-note.ts'
import { witnessNoteKey } from '#core/tlog/cosignature.ts'
import { readListenAddress } from '#node/cli/options.ts'
import { runUntilSignal } from '#node/cli/signals.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createWitnessServer } from '#node/witness/server.ts'
import { loadOrCreateWitness } from '#node/witness/witness-key.ts'
import { openWitness, type Witness } from '#node/witness/witness.ts'

interface KeyOptions {
  readonly data: string
  readonly name?: string
}

interface RunOptions extends KeyOptions {
  readonly log: readonly string[]
  readonly listen: { readonly host: string; readonly port: number }
}

/** `salus witness key|run`: cosigns the heads of logs that only grow. */
export function registerWitness(program: Command): void {
  const witness = program.command('witness').description('cosign the heads of logs that only grow (C2SP tlog-witness)')
  witness
    .command('key')
    .description('print the witness’s key, made on first use')
    .requiredOption('--data <dir>', 'folder of the witness')
    .option('--name <name>', 'name of a new witness, for example witness.example/one')
    .action(async ({ data, name }: KeyOptions) => console.log(keyOf(await loadOrCreateWitness(data, name))))
  witness
    .command('run')
    .description('answer add-checkpoint over HTTP')
    .requiredOption('--data <dir>', 'folder of the witness')
    .option('--name <name>', 'name of a new witness')
    .requiredOption('--log <key...>', 'keys of the logs that it serves, as "salus gateway status" prints them')
    .option('--listen <host:port>', 'where to listen', readListenAddress, { host: '127.0.0.1', port: 8790 })
    .action(async (options: RunOptions) => run(options))
}

function keyOf({ name, signSeed }: { readonly name: string; readonly signSeed: Uint8Array }): string {
  return encodeVerifierKey(p, witnessNoteKey({ name, publicKey: p.ed25519PublicKey(signSeed) }))
}

async function run({ data, name, log, listen }: RunOptions): Promise<void> {
  const identity = await loadOrCreateWitness(data, name)
  const logs = log.map(text => {
    const { name: origin, publicKey } = decodeVerifierKey(p, text)
    return { origin, publicKey }
  })
  let witness: Witness | undefined
  let server: ReturnType<typeof createWitnessServer> | undefined
  await runUntilSignal(() => ({
    async start() {
      witness = await openWitness({ p, clock: Date.now }, { dataDir: data, ...identity, logs })
      server = createWitnessServer(witness, listen)
      return { url: await server.start(), key: keyOf(identity) }
    },
    async stop() {
      await server?.stop()
      await witness?.close()
    }
  }))
}
