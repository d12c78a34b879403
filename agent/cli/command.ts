/** What the commands of persons share: which agent they speak to, and how they print. */
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import { renderUnicodeCompact } from 'uqr'
import { COMPARTMENTS } from '#core/record/compartment.ts'
import { createAgentClient, type AgentClient } from '#agent/cli/client.ts'
import { locateAgent, type AgentOptions } from '#agent/cli/locate.ts'
import { readIfThere } from '#node/store/durable-file.ts'

/** Adds the options that every command has. */
export function withAgent(command: Command): Command {
  return command
    .option('--agent <url>', 'the agent to speak to')
    .option('--home <dir>', 'home folder of the agent, if not the usual')
    .option('--json', 'print one JSON object a line', false)
}

/** Makes the client of the agent that the options name. */
export async function connect(options: AgentOptions): Promise<AgentClient> {
  return createAgentClient(await locateAgent(options))
}

/** Prints one answer: as JSON, or in words. */
export function print({ json }: AgentOptions, answer: unknown, words: string | readonly string[]): void {
  if (json) console.log(JSON.stringify(answer))
  else for (const line of typeof words === 'string' ? [words] : words) console.log(printable(line))
}

/** Without characters that a terminal obeys: names and purposes come from others. */
export function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '?')
}

/** A code to show, as a terminal draws it. */
export interface ShownCode {
  readonly text: string
  readonly parts: readonly string[]
  readonly check: string
}

/** Draws the QR codes of a code, one below the other. */
export function drawCode({ parts }: ShownCode): string[] {
  return parts.flatMap((part, i) => [
    `Part ${String(i + 1)} of ${String(parts.length)}:`,
    renderUnicodeCompact(part, { ecc: 'L', border: 2 })
  ])
}

/** A code as text, from the text itself or from a file that holds it. */
export async function codeOf(codeOrFile: string): Promise<string> {
  if (/^SALUS:/i.test(codeOrFile)) return codeOrFile
  return readFile(codeOrFile, 'utf8')
}

const TYPES: Readonly<Record<string, string>> = {
  '.csv': 'text/csv',
  '.dcm': 'application/dicom',
  '.html': 'text/html',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.ndjson': 'application/x-ndjson',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.txt': 'text/plain',
  '.xml': 'application/xml'
}

/** The media type that a file's name suggests. */
export function typeOfName(name: string): string {
  return TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream'
}

/** The ending that a media type suggests. */
export function endingOf(type: string): string {
  const bare = type.split(';')[0]?.trim() ?? ''
  if (bare.endsWith('+json')) return '.json'
  return Object.entries(TYPES).find(([, each]) => each === bare)?.[0] ?? '.bin'
}

/** A moment: ISO 8601, or so long from now, as `30d`, `12h`, `15m`, `90s`. Seconds since 1970-01-01. */
export function readMoment(text: string): number {
  const nowS = Math.floor(Date.now() / 1000)
  if (/^\d+[smhd]$/.test(text)) return nowS + readDuration(text)
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : NaN
  if (!Number.isFinite(ms) || ms < 0) {
    throw new InvalidArgumentError(
      'Expected a date as 2026-12-31 or 2026-12-31T08:00Z, or a time from now as 30d or 12h.'
    )
  }
  return Math.floor(ms / 1000)
}

/** A length of time, as `30d`, `12h`, `15m`, `90s`; seconds. */
export function readDuration(text: string): number {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  if (count == null || unit == null)
    throw new InvalidArgumentError('Expected a length of time as 30d, 12h, 15m or 90s.')
  return Number(count) * { s: 1, m: 60, h: 3600, d: 86_400 }[unit as 's' | 'm' | 'h' | 'd']
}

/** Names of compartments, with `all` for each of them. */
export function readCompartments(names: readonly string[] | undefined): readonly string[] | undefined {
  return names?.includes('all') === true ? COMPARTMENTS : names
}

/** The wallet that options name: a program that is asked over JSON-RPC. */
export function walletOf(options: { readonly signer?: string; readonly signerAddress?: string }) {
  const { signer: url, signerAddress: address } = options
  return url == null ? {} : { wallet: { url, address: (address ?? '').toLowerCase() } }
}

/** Content of a small text file that holds one secret or key; undefined if there is none. */
export async function secretIn(path: string): Promise<string | undefined> {
  const bytes = await readIfThere(path)
  return bytes == null ? undefined : new TextDecoder().decode(bytes).replace(/\r?\n$/, '')
}
