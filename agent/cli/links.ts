/** `salus patient link`: part of the record for somebody without Salus. */
import { renderUnicodeCompact } from 'uqr'
import { Option, type Command } from 'commander'
import { connect, print, readMoment, secretIn, withAgent } from '#agent/cli/command.ts'
import type { AgentClient } from '#agent/cli/client.ts'
import { followImports, type ImportView } from '#agent/cli/fhir-import.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import { COMPARTMENTS } from '#core/record/compartment.ts'
import { readCount } from '#node/cli/options.ts'

interface LinkView {
  readonly id: string
  readonly link: string | null
  readonly isLive: boolean
  readonly untilS: number
  readonly claimsLeft: number | null
  readonly claims: readonly { readonly atS: number; readonly recipient: string }[]
}

interface CreateOptions extends AgentOptions {
  readonly until: number
  readonly passcodeFile?: string
  readonly uses: number
  readonly often: boolean
  readonly label?: string
  readonly format: string
  readonly compartments?: readonly string[]
}

/** How what somebody shows is opened. */
export interface ShownOptions extends AgentOptions {
  readonly passcodeFile?: string
  readonly recipient?: string
  readonly allowHttp: boolean
}

/** Adds the commands. */
export function addLinkCommands(patient: Command): void {
  const link = patient.command('link').description('links that open part of the record for somebody without Salus')
  withAgent(link.command('create').description('make a link (SMART Health Link)'))
    .addOption(new Option('--until <moment>', 'when it ends').argParser(readMoment).default(readMoment('7d'), '7d'))
    .option('--passcode-file <file>', 'file that holds a passcode, asked of whoever opens it')
    .option('--uses <n>', 'how often it may be opened', readCount, 1)
    .option('--often', 'as often as one likes until it ends', false)
    .option('--label <text>', 'what it is, at most 80 characters')
    .addOption(new Option('--format <format>', 'what it opens').choices(['ips', 'bundle']).default('ips'))
    .addOption(
      new Option('--compartments <names...>', 'of these sections; if not given, of all but the sensitive').choices(
        COMPARTMENTS
      )
    )
    .action(create)
  withAgent(link.command('list').description('links that were given out, and who opened them')).action(list)
  withAgent(link.command('revoke <id>').description('end a link at once')).action(revoke)
}

/** Whether a word of the command line is what somebody shows, rather than a file. */
export function isShown(text: string): boolean {
  return /^(?:shc:\/|shlink:\/|https?:\/\/[^#\s]*#shlink:\/)/.test(text)
}

/** Opens what somebody shows and imports it. */
export async function importShown(client: AgentClient, texts: readonly string[], options: ShownOptions): Promise<void> {
  const { recipient = 'the patient', allowHttp } = options
  const body = { texts, recipient, allowHttp, ...(await passcodeOf(options)) }
  const { imports } = await client.post<{ imports: readonly ImportView[] }>('/v1/patient/shown', body)
  await followImports(client, imports, options)
}

async function passcodeOf({ passcodeFile }: { readonly passcodeFile?: string }): Promise<{ passcode?: string }> {
  const passcode = passcodeFile == null ? undefined : await secretIn(passcodeFile)
  return passcode == null ? {} : { passcode }
}

async function create(options: CreateOptions): Promise<void> {
  const { until: untilS, uses, often, label, format, compartments } = options
  const client = await connect(options)
  const wish = { untilS, claims: often ? null : uses, format, label, compartments, ...(await passcodeOf(options)) }
  const made = await client.post<LinkView>('/v1/patient/links', wish)
  const text = made.link ?? ''
  print(options, made, [text, renderUnicodeCompact(text, { ecc: 'L', border: 2 }), lineOf(made)])
}

async function list(options: AgentOptions): Promise<void> {
  const answer = await (await connect(options)).get<{ links: readonly LinkView[] }>('/v1/patient/links')
  print(options, answer, answer.links.map(lineOf))
}

async function revoke(id: string, options: AgentOptions): Promise<void> {
  const answer = await (await connect(options)).post(`/v1/patient/links/${encodeURIComponent(id)}/revoke`)
  print(options, answer, 'The link has ended.')
}

function lineOf({ id, isLive, untilS, claimsLeft, claims }: LinkView): string {
  const left = claimsLeft == null ? 'any number of' : String(claimsLeft)
  const opened = claims.map(each => `${new Date(each.atS * 1000).toISOString()} ${each.recipient}`).join('; ')
  const state = isLive ? `until ${new Date(untilS * 1000).toISOString()}, ${left} uses left` : 'ended'
  return `${id} ${state}${opened === '' ? '' : `; opened: ${opened}`}`
}
