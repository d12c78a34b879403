import { open, readFile, stat } from 'node:fs/promises'
import type { Command } from 'commander'
import { isTlogProof, verifyFolder, verifyProofFile, type Summary } from '#gateway/cli/verify-log.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { MAX_BUNDLE_BYTES } from '#core/batch/bundle.ts'
import { verifyBundle, type ExpectedBundle, type VerifiedReading } from '#core/batch/verify.ts'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { readKnownContracts } from '#core/proof/known-contracts.ts'

interface VerifyOptions {
  readonly blockHash?: string
  readonly network?: string
  readonly gateway?: string
  readonly patient?: string
  readonly deployment?: string
  readonly contract?: string
  readonly log?: string
  readonly witness: readonly string[]
  readonly quorum: number
  readonly evidence?: string
  readonly json: boolean
}

/** `salus verify FILE`: checks a proof bundle, a proof file of a log, or a folder of batches, offline. Neither this file nor anything it imports can open a connection. */
export function registerVerify(program: Command): void {
  program
    .command('verify <file>')
    .description('check a proof bundle, a proof file of a log, or a folder of batches, offline')
    .option('--block-hash <hash>', 'hash of the anchor’s block, from a source you trust')
    .option('--network <id>', 'refuse a bundle of another network')
    .option('--gateway <id>', 'refuse a bundle of another gateway')
    .option('--patient <id>', 'refuse a bundle of another patient')
    .option('--deployment <file>', 'refuse a bundle of other contracts than these, as written by the deploy script')
    .addOption(
      program
        .createOption('--contract <address>', 'refuse a bundle anchored by another BatchAnchors')
        .conflicts('deployment')
    )
    .option('--log <key>', 'of a proof file: the key of the log, from a source you trust')
    .option('--witness <key...>', 'of a proof file: keys of witnesses that you trust', [])
    .option('--quorum <n>', 'how many of them must have cosigned; all unless told', readQuorum, -1)
    .option('--evidence <file>', 'of a folder: the gateway’s key bundle, from a source you trust')
    .option('--json', 'one JSON line on standard output', false)
    .action(async (file: string, options: VerifyOptions) => verify(file, options))
}

async function verify(file: string, options: VerifyOptions): Promise<void> {
  try {
    const other = await verifyOther(file, options)
    if (other != null) {
      const lines = Object.entries(other).map(
        ([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`
      )
      console.log(options.json ? JSON.stringify({ ok: true, ...other }) : lines.join('\n'))
      return
    }
    const verified = await verifyBundle(portablePrimitives, await readBundleFile(file), await expectedOf(options))
    console.log(options.json ? JSON.stringify({ ok: true, ...summaryOf(verified) }) : textOf(verified))
  } catch (error) {
    if (!isSalusError(error)) throw error
    const { code, message } = error
    console.log(options.json ? JSON.stringify({ ok: false, code, message }) : `${code}: ${message}`)
    process.exitCode = 1
  }
}

/** What is no bundle: a folder of batches, or a proof file of a log. */
async function verifyOther(path: string, options: VerifyOptions): Promise<Summary | undefined> {
  const isFolder = await stat(path).then(
    found => found.isDirectory(),
    () => false
  )
  if (isFolder) return verifyFolder(portablePrimitives, path, options.evidence)
  const bytes = await readBundleFile(path)
  if (!isTlogProof(bytes)) return undefined
  const { log, witness, quorum } = options
  const trust = { witness, quorum: quorum < 0 ? witness.length : quorum }
  return verifyProofFile(portablePrimitives, bytes, log == null ? trust : { ...trust, log })
}

function readQuorum(text: string): number {
  if (!/^\d{1,2}$/.test(text)) throw new SalusError('CLI_NUMBER', '--quorum takes a whole number.')
  return Number(text)
}

/** The file's bytes; of one that is too large, no more than the decoder needs to say so. */
async function readBundleFile(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path)
    try {
      const buffer = new Uint8Array(MAX_BUNDLE_BYTES + 1)
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw new SalusError('BUNDLE_FILE', 'The bundle’s file cannot be read; check its name.', { cause })
  }
}

async function expectedOf(options: VerifyOptions): Promise<ExpectedBundle> {
  const { blockHash, network, gateway, patient, deployment, contract } = options
  return {
    ...(deployment == null ? {} : await readDeploymentFile(deployment)),
    ...(contract == null ? {} : { batchAnchors: fromHex(contract, 20) }),
    ...(blockHash == null ? {} : { blockHash: fromHex(blockHash, 32) }),
    ...(network == null ? {} : { network: fromHex(network, 32) }),
    ...(gateway == null ? {} : { gateway: fromHex(gateway, 32) }),
    ...(patient == null ? {} : { patient: fromHex(patient, 32) })
  }
}

async function readDeploymentFile(path: string): Promise<ExpectedBundle> {
  let json: unknown
  try {
    json = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new SalusError('DEPLOYMENT_FILE', `${path} is no deployment file; check its name.`, { cause })
  }
  return readKnownContracts(json)
}

function summaryOf({
  reading,
  index,
  header,
  anchored,
  superRoot,
  block,
  ...rest
}: VerifiedReading): Record<string, unknown> {
  const { stream, mantissa } = reading
  return {
    reading: {
      device: stream.device,
      mdc: stream.mdc,
      loinc: stream.loinc,
      value: mantissa === null ? null : decimal(mantissa, stream.exponent),
      unit: stream.ucum,
      sequence: reading.sequence,
      receivedAt: new Date(reading.receivedAtMs).toISOString()
    },
    index,
    gateway: toHex(header.gateway),
    patient: toHex(header.patient),
    network: toHex(header.network),
    batch: header.sequence,
    anchor: anchored.sequence,
    ...(superRoot == null ? {} : { aggregator: toHex(superRoot.aggregator), epoch: superRoot.epoch }),
    chainId: rest.chainId,
    batchAnchors: toHex(rest.batchAnchors),
    contractConfirmed: rest.contractConfirmed,
    blockHash: toHex(block.hash),
    blockNumber: block.number,
    blockTime: new Date(block.timeS * 1000).toISOString(),
    blockConfirmed: rest.blockConfirmed
  }
}

function textOf(verified: VerifiedReading): string {
  const { reading, header, block, blockConfirmed, chainId, contractConfirmed } = verified
  const contract = toHex(verified.batchAnchors)
  const { stream, mantissa } = reading
  const value = mantissa === null ? 'no value' : `${decimal(mantissa, stream.exponent)} ${stream.ucum}`
  return [
    `Proven: ${value} (LOINC ${stream.loinc}, MDC ${String(stream.mdc)})`,
    `received ${new Date(reading.receivedAtMs).toISOString()} by gateway ${toHex(header.gateway)}`,
    `anchored in block ${String(block.number)} of chain ${String(chainId)}, ${new Date(block.timeS * 1000).toISOString()}`,
    contractConfirmed
      ? `The contract is the one you named: ${contract}`
      : `Now compare the contract’s address with a source you trust: ${contract}`,
    blockConfirmed
      ? 'The block is the one you named.'
      : `Now compare the block’s hash with a source you trust: ${toHex(block.hash)}`
  ].join('\n')
}

/** mantissa × 10^exponent as decimal text, never through floating point. */
function decimal(mantissa: number, exponent: number): string {
  if (exponent >= 0) return String(mantissa) + '0'.repeat(mantissa === 0 ? 0 : exponent)
  const digits = String(Math.abs(mantissa)).padStart(1 - exponent, '0')
  return `${mantissa < 0 ? '-' : ''}${digits.slice(0, exponent)}.${digits.slice(exponent)}`
}
