/** What `salus gateway run` is told, and what of it goes together. */
import { Option, type Command } from 'commander'
import { fromHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { decodeVerifierKey } from '#core/tlog/signed-note.ts'
import { readListenAddress } from '#node/cli/options.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import type { WitnessPlace } from '#gateway/witness-client.ts'

/** The options of a run. */
export interface RunOptions {
  readonly data?: string
  readonly offline: boolean
  readonly node?: string
  readonly peer?: string
  readonly grant?: string
  readonly patientKeys?: string
  readonly replay: readonly string[]
  readonly device: string
  readonly speed: number
  readonly hertz?: number
  readonly udp?: ListenAddress
  readonly mqtt?: ListenAddress
  readonly batchSeconds: number
  readonly anchorEvery?: number
  readonly anchorMinutes: number
  readonly anchorRiskMinutes: number
  readonly anchorBelowGwei?: number
  readonly rpc?: string
  readonly aggregator?: string
  readonly aggregatorSlaSeconds: number
  readonly witness: readonly WitnessPlace[]
  readonly keepBatches: number
  readonly exitAtEnd: boolean
  readonly health?: ListenAddress
  readonly report?: 'json'
  readonly json: boolean
}

interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** Adds the options to the command. */
export function addRunOptions(command: Command): Command {
  const option = (flags: string, text: string): Option => new Option(flags, text)
  const count = (flags: string, text: string, standard?: number): Option =>
    option(flags, text).default(standard).argParser(readCount)
  return command
    .option('--data <dir>', 'data directory of the gateway; with --offline a passing one unless named')
    .option('--offline', 'without node and chain: sign batches and keep them', false)
    .option('--node <url>', 'HTTP address of a node')
    .option('--peer <multiaddr>', 'hand entries to this peer over libp2p instead of HTTP')
    .option('--grant <id>', 'grant to write vitals, 0x and 64 hexadecimal digits')
    .option('--patient-keys <digest>', 'keccak-256 of the patient’s key bundle, as the patient shows it')
    .option('--replay <file...>', 'recordings (docs/specs/recordings.md), as if made at the same time', [])
    .option('--device <name>', 'name of the device in the readings; the second recording’s ends in -2', 'monitor')
    .addOption(option('--speed <n>', '1 is real time; "max" as fast as it goes').default(1).argParser(readSpeed))
    .addOption(option('--hertz <n>', 'samples per second of a recording that does not tell').argParser(readCount))
    .addOption(
      option('--udp <host:port>', 'take sensors in over UDP (docs/specs/sensor-link.md)').argParser(readListenAddress)
    )
    .addOption(
      option('--mqtt <host:port>', 'take sensors in over MQTT with pre-shared keys').argParser(readListenAddress)
    )
    .addOption(count('--batch-seconds <n>', 'length of a batch', 60))
    .addOption(count('--anchor-every <n>', 'an anchor each so many batches, instead of by risk and price'))
    .addOption(count('--anchor-minutes <n>', 'longest time without an anchor', 60))
    .addOption(count('--anchor-risk-minutes <n>', 'the same while the patient is at risk', 5))
    .addOption(option('--anchor-below-gwei <n>', 'anchor sooner when gas is as cheap; needs --rpc').argParser(readGwei))
    .option('--rpc <url>', 'JSON-RPC endpoint, for the price of gas')
    .option('--aggregator <url>', 'have heads anchored among those of other gateways')
    .addOption(count('--aggregator-sla-seconds <n>', 'how long it may take before the gateway anchors by itself', 120))
    .addOption(option('--witness <url,key...>', 'witnesses that cosign the log').default([]).argParser(readWitness))
    .addOption(count('--keep-batches <n>', 'signed batches kept in clear for proofs', 64))
    .option('--exit-at-end', 'end once everything is published and anchored', false)
    .addOption(option('--health <host:port>', 'serve /health and /metrics').argParser(readListenAddress))
    .addOption(option('--report <form>', 'print what the run came to, once, at its end').choices(['json']))
    .option('--json', 'one JSON line per event on standard output', false)
}

/** Where and for whom, of a run that is not offline. */
export interface Outward {
  readonly node: string
  readonly grant: Uint8Array
  readonly patientKeys: Uint8Array
}

/**
 * Holds the options to each other.
 *
 * @returns null for a run without node and chain
 * @throws SalusError `CLI_GATEWAY` if something is missing or contradicts; `HEX_*`
 */
export function outwardOf({ offline, data, node, grant, patientKeys, replay, udp, mqtt }: RunOptions): Outward | null {
  if (replay.length === 0 && udp == null && mqtt == null)
    throw new SalusError('CLI_GATEWAY', 'Name a source: --replay, --udp or --mqtt.')
  if (offline) {
    if (node == null && grant == null) return null
    throw new SalusError('CLI_GATEWAY', '--offline needs neither --node nor --grant; leave one of them out.')
  }
  if (data == null || node == null || grant == null || patientKeys == null)
    throw new SalusError('CLI_GATEWAY', 'Name --data, --node, --grant and --patient-keys; or run with --offline.')
  return { node, grant: fromHex(grant, 32), patientKeys: fromHex(patientKeys, 32) }
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

function readGwei(text: string): number {
  const gwei = Number(text)
  if (!(gwei >= 0 && gwei <= 1e6)) throw new SalusError('CLI_NUMBER', 'A price of gas is a number from 0 to 1000000.')
  return gwei
}

function readWitness(text: string, before: readonly WitnessPlace[]): WitnessPlace[] {
  const comma = text.indexOf(',')
  const url = text.slice(0, Math.max(comma, 0)).replace(/\/$/, '')
  if (!/^https?:\/\//.test(url)) throw new SalusError('CLI_GATEWAY', '--witness takes URL,KEY.')
  const { name, publicKey } = decodeVerifierKey(p, text.slice(comma + 1))
  return [...before, { url, name, publicKey }]
}
