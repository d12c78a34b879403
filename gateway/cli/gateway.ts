import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { Option, type Command } from 'commander'
import { readDeployment, type Deployment } from '#core/chain/deployment.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { decodeEvidence } from '#core/identity/evidence.ts'
import { parseRecording } from '#core/batch/recording.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createNodeClient } from '#node/http/client.ts'
import { createLog } from '#node/log.ts'
import { openBatchFiles } from '#gateway/batch-files.ts'
import { readIfThere, writeDurably } from '#node/store/durable-file.ts'
import { createGateway } from '#gateway/gateway.ts'
import { loadOrCreateGateway, signEvidence, type GatewayIdentity } from '#gateway/identity.ts'
import { openPeerPort } from '#gateway/peer-port.ts'
import { proveReading } from '#gateway/prove.ts'
import { createReplay } from '#gateway/replay.ts'

const DEPLOYMENT_FILE = 'deployment.json'
const RENEW_BEFORE_S = 30 * 86_400
const clock = (): number => Date.now()

interface InitOptions {
  readonly data: string
  readonly deployment: string
}

interface RunOptions {
  readonly data: string
  readonly node: string
  readonly peer?: string
  readonly grant: string
  readonly patientKeys: string
  readonly replay: string
  readonly device: string
  readonly speed: number
  readonly batchSeconds: number
  readonly anchorEvery: number
  readonly keepBatches: number
  readonly exitAtEnd: boolean
  readonly json: boolean
}

interface ProveOptions {
  readonly data: string
  readonly index: number
  readonly rpc: string
  readonly out: string
}

/** `salus gateway init|run|prove`: the bedside program between sensors and the network. */
export function registerGateway(program: Command): void {
  const gateway = program.command('gateway').description('take sensor data in, seal it, publish it, anchor it')
  gateway
    .command('init')
    .description('make the keys of a gateway and print who it is, as JSON')
    .requiredOption('--data <dir>', 'data directory of the gateway')
    .requiredOption('--deployment <file>', 'which contracts make up the network, as written by the deploy script')
    .action(async (options: InitOptions) => init(options))
  gateway
    .command('run')
    .description('replay a recording into the record of the patient who granted it')
    .requiredOption('--data <dir>', 'data directory of the gateway')
    .requiredOption('--node <url>', 'HTTP address of a node')
    .option('--peer <multiaddr>', 'hand entries to this peer over libp2p instead of HTTP')
    .requiredOption('--grant <id>', 'grant to write vitals, 0x and 64 hexadecimal digits')
    .requiredOption('--patient-keys <digest>', 'keccak-256 of the patient’s key bundle, as the patient shows it')
    .requiredOption('--replay <file>', 'recording, comma-separated (docs/specs/recording.md)')
    .option('--device <name>', 'name of the device in the readings', 'monitor')
    .addOption(new Option('--speed <n>', '1 is real time; "max" as fast as it goes').default(1).argParser(readSpeed))
    .addOption(new Option('--batch-seconds <n>', 'length of a batch').default(60).argParser(readCount))
    .addOption(new Option('--anchor-every <n>', 'batches per anchor').default(1).argParser(readCount))
    .addOption(
      new Option('--keep-batches <n>', 'signed batches kept in clear for proofs').default(64).argParser(readCount)
    )
    .option('--exit-at-end', 'end once everything is published and anchored', false)
    .option('--json', 'one JSON line per event on standard output', false)
    .action(async (options: RunOptions) => run(options))
  gateway
    .command('prove')
    .description('write the proof bundle of one reading')
    .requiredOption('--data <dir>', 'data directory of the gateway')
    .addOption(
      new Option('--index <n>', 'index of the reading in the gateway’s tree').argParser(readIndex).makeOptionMandatory()
    )
    .requiredOption('--rpc <url>', 'JSON-RPC endpoint of the chain')
    .requiredOption('--out <file>', 'where to write the bundle')
    .action(async (options: ProveOptions) => prove(options))
}

async function init({ data, deployment: file }: InitOptions): Promise<void> {
  const identity = await loadOrCreateGateway(p, data)
  const bytes = await readFile(file)
  const deployment = parseDeployment(bytes)
  await writeDurably(join(data, DEPLOYMENT_FILE), bytes)
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

async function run(options: RunOptions): Promise<void> {
  const { data, json, grant, patientKeys, node, peer, replay, device, speed, ...init } = options
  const log = createLog({ name: 'gateway' })
  const identity = await loadOrCreateGateway(p, data)
  const deployment = await storedDeployment(data)
  const stopping = new AbortController()
  const client = createNodeClient({ url: node, signal: stopping.signal })
  const port = peer == null ? undefined : await openPeerPort({ clock, log }, { dataDir: data, peer })
  const gateway = createGateway(
    {
      p,
      random: length => new Uint8Array(randomBytes(length)),
      clock,
      log,
      node: port == null ? client : { ...client, publish: async message => port.publish(message) },
      identity,
      deployment,
      sources: [createReplay({ clock }, { recording: parseRecording(await readFile(replay)), device, speed })],
      evidence: await currentEvidence(data, identity, deployment)
    },
    {
      ...init,
      dataDir: data,
      grant: fromHex(grant, 32),
      patientKeys: fromHex(patientKeys, 32),
      onEvent: event => (json ? console.log(JSON.stringify(event)) : log.info(event, event.event))
    }
  )
  const stop = (): void => {
    stopping.abort()
    void gateway.stop()
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  try {
    await gateway.start()
    if (json) console.log(JSON.stringify({ event: 'ready', gateway: toHex(identity.id) }))
    await gateway.ended
  } finally {
    process.off('SIGTERM', stop)
    process.off('SIGINT', stop)
    await gateway.stop()
    await port?.stop()
  }
}

async function prove({ data, index, rpc, out }: ProveOptions): Promise<void> {
  const identity = await loadOrCreateGateway(p, data)
  const deployment = await storedDeployment(data)
  const provider = createProvider(rpc, deployment.chainId)
  try {
    const files = await openBatchFiles(data)
    const evidence = await currentEvidence(data, identity, deployment)
    const bundle = await proveReading({ p, rpc: provider, deployment, identity, files, evidence }, index)
    await writeDurably(out, bundle)
    console.log(JSON.stringify({ event: 'proven', index, sizeBytes: bundle.length, file: out }))
  } finally {
    provider.destroy()
  }
}

/** The statement that binds the gateway's keys to its wallet, made anew when it has less than a month to go. */
async function currentEvidence(data: string, identity: GatewayIdentity, deployment: Deployment): Promise<Uint8Array> {
  const path = join(data, 'evidence')
  const stored = await readIfThere(path)
  const notAfter = stored == null ? 0 : (decodeEvidence(stored).binding?.notAfter ?? 0)
  if (stored != null && notAfter > clock() / 1000 + RENEW_BEFORE_S) return stored
  const evidence = await signEvidence(identity, deployment, clock())
  await writeDurably(path, evidence)
  return evidence
}

async function storedDeployment(data: string): Promise<Deployment> {
  const bytes = await readIfThere(join(data, DEPLOYMENT_FILE))
  if (bytes == null)
    throw new SalusError('GATEWAY_NOT_INITIALISED', 'Run "salus gateway init" for this directory first.')
  return parseDeployment(bytes)
}

function parseDeployment(bytes: Uint8Array): Deployment {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new SalusError('DEPLOYMENT_SHAPE', 'The deployment file is not JSON; deploy again or restore it.', { cause })
  }
  return readDeployment(json)
}

function readSpeed(text: string): number {
  const speed = text === 'max' ? Infinity : Number(text)
  if (!(speed > 0)) throw new SalusError('CLI_NUMBER', '--speed takes a number above 0, or "max".')
  return speed
}

function readCount(text: string): number {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < 1 || count > 1_000_000) {
    throw new SalusError('CLI_NUMBER', 'This option takes a whole number from 1 to 1000000.')
  }
  return count
}

function readIndex(text: string): number {
  const index = Number(text)
  if (!Number.isSafeInteger(index) || index < 0) throw new SalusError('CLI_NUMBER', '--index takes a whole number.')
  return index
}
