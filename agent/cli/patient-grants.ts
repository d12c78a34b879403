/** `salus patient grant|grants|revoke|requests|accesses`: who gets at the record. */
import { Option, type Command } from 'commander'
import {
  codeOf,
  connect,
  drawCode,
  print,
  printable,
  readCompartments,
  readMoment,
  withAgent,
  type ShownCode
} from '#agent/cli/command.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import { COMPARTMENTS } from '#core/record/compartment.ts'
import { readBytes32, readCount } from '#node/cli/options.ts'

/** Rights as options. */
export interface RightOptions {
  readonly read?: boolean
  readonly write?: boolean
  readonly history?: boolean
}

interface GrantOptions extends AgentOptions, RightOptions {
  readonly to?: string
  readonly request?: string
  readonly check?: string
  readonly compartment?: readonly string[]
  readonly from?: number
  readonly until?: number
  readonly once?: boolean
  readonly uses?: number
  readonly purpose?: string
  readonly custodians?: readonly string[]
  readonly threshold?: number
  readonly qr?: boolean
}

interface RequestView {
  readonly id: string
  readonly check: string
  readonly name: string
  readonly address: string
  readonly compartments: readonly string[]
  readonly rights: readonly string[]
  readonly purpose: string
}

interface GrantView {
  readonly grant: string
  readonly grantee: string
  readonly compartments: readonly string[]
  readonly rights: readonly string[]
  readonly purpose: string
  readonly state: string
  readonly custody: string | null
}

/** Adds options for rights. */
export function withRights(command: Command): Command {
  return command
    .option('--read', 'open entries')
    .option('--write', 'add entries')
    .option('--history', 'also what lies before the grant')
}

/** The rights that options name; undefined if none. */
export function rightsOf({ read, write, history }: RightOptions): string[] | undefined {
  const named = [read === true ? ['read'] : [], write === true ? ['write'] : [], history === true ? ['history'] : []]
  return named.flat().length === 0 ? undefined : named.flat()
}

/** Adds the commands. */
export function addGrantCommands(patient: Command): void {
  const grant = withAgent(patient.command('grant').description('grant what a request asks for, or less'))
    .addOption(
      new Option('--to <code-or-file>', 'the request, as its code or a file that holds it').conflicts('request')
    )
    .addOption(new Option('--request <id>', 'a request that waits').argParser(readBytes32))
    .option('--check <number>', 'the number on the asker’s screen: refuses a code that was swapped on its way')
    .addOption(new Option('--compartment <names...>', 'parts of the record').choices([...COMPARTMENTS, 'all']))
  withRights(grant)
    .addOption(new Option('--from <time>', 'from when on').argParser(readMoment))
    .addOption(new Option('--until <time>', 'until when, as 2026-12-31 or 30d').argParser(readMoment))
    .option('--once', 'for one use')
    .addOption(new Option('--uses <n>', 'for so many uses').argParser(readCount).conflicts('once'))
    .option('--purpose <text>', 'what for')
    .option('--custodians <urls...>', 'with --once: HTTP APIs of nodes that give the keys together, and nobody else')
    .addOption(
      new Option('--threshold <n>', 'how many of them must meet; more than half if not given').argParser(readCount)
    )
    .option('--qr', 'draw the answer as QR codes')
    .action(give)
  withAgent(patient.command('grants').description('the grants that were given')).action(grants)
  withAgent(patient.command('revoke <grant>').description('end a grant')).action(revoke)
  withAgent(patient.command('requests').description('requests that wait for an answer'))
    .option('--scan <code-or-file>', 'take a request in, as its code or a file that holds it')
    .action(requests)
  withAgent(patient.command('accesses').description('what happened to the record, by the chain and by receipts'))
    .option('--custodians <urls...>', 'also by the receipts of these nodes, from now on')
    .action(accesses)
}

async function give(options: GrantOptions): Promise<void> {
  const client = await connect(options)
  const { to, request, check, purpose, from: fromS, until: untilS } = options
  const answer = await client.post<{ grant: string; answer: ShownCode; progress: { state: string } }>(
    '/v1/patient/grants',
    {
      code: to == null ? undefined : await codeOf(to),
      request,
      check,
      compartments: readCompartments(options.compartment),
      rights: rightsOf(options),
      uses: options.once === true ? 1 : options.uses,
      fromS,
      untilS,
      purpose,
      custodians: options.custodians,
      threshold: options.threshold
    }
  )
  print(options, answer, [
    `Grant ${answer.grant} (${answer.progress.state}).`,
    `The answer, check number ${answer.answer.check}:`,
    ...(options.qr === true ? drawCode(answer.answer) : []),
    answer.answer.text
  ])
}

async function grants(options: AgentOptions): Promise<void> {
  const answer = await (await connect(options)).get<{ grants: readonly GrantView[] }>('/v1/patient/grants')
  print(
    options,
    answer,
    answer.grants.map(
      each =>
        `${each.grant} ${each.state}${each.custody == null ? '' : ` (${each.custody})`} to ${each.grantee}: ${each.rights.join(', ')} in ${each.compartments.join(', ')} for ${each.purpose}`
    )
  )
}

async function revoke(grant: string, options: AgentOptions): Promise<void> {
  const client = await connect(options)
  const answer = await client.post<{ tookMs: number; progress: { state: string } }>(
    `/v1/patient/grants/${readBytes32(grant)}/revoke`
  )
  const words =
    answer.progress.state === 'done' ? `ended after ${String(answer.tookMs)} ms` : 'ends when the node answers'
  print(options, answer, `Grant ${grant} ${words}.`)
}

function requestLines({ id, check, name, address, rights, compartments, purpose }: RequestView): string[] {
  return [
    `${id} check number ${check}`,
    `  ${printable(name)} (says so itself; address ${address})`,
    `  ${rights.join(', ')} in ${compartments.join(', ')} for ${printable(purpose)}`
  ]
}

async function requests(options: AgentOptions & { scan?: string }): Promise<void> {
  const client = await connect(options)
  if (options.scan != null) {
    const taken = await client.post<RequestView>('/v1/patient/requests', { code: await codeOf(options.scan) })
    print(options, taken, requestLines(taken))
    return
  }
  const answer = await client.get<{ requests: readonly RequestView[] }>('/v1/patient/requests')
  print(options, answer, answer.requests.flatMap(requestLines))
}

async function accesses(options: AgentOptions & { custodians?: readonly string[] }): Promise<void> {
  const { custodians } = options
  const query = custodians == null ? '' : `?${new URLSearchParams({ custodians: custodians.join(',') }).toString()}`
  const answer = await (
    await connect(options)
  ).get<{
    accesses: readonly { atMs: number; what: string; grant: string; source: string }[]
    alarms: readonly { url: string; code: string }[]
  }>(`/v1/patient/accesses${query}`)
  print(options, answer, [
    ...answer.accesses.map(
      ({ atMs, what, grant, source }) => `${new Date(atMs).toISOString()} ${what} ${grant} (${source})`
    ),
    ...answer.alarms.map(({ url, code }) => `Attention: the receipts of ${url} could not be checked (${code}).`)
  ])
}
