/** `salus patient grant|grants|revoke|requests|accesses`: who gets at the record. */
import { InvalidArgumentError, Option, type Command } from 'commander'
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
import { ROLE_TEMPLATES } from '#core/consent/role-templates.ts'
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
  readonly days?: { readonly from: string; readonly to: string }
  readonly entry?: readonly string[]
  readonly attribute?: readonly string[]
  readonly roleTemplate?: string
  readonly careTeam?: boolean
  readonly preview?: boolean
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

interface PreviewView {
  readonly words: string
  readonly sections: readonly {
    readonly compartment: string
    readonly entries: number
    readonly isSensitive: boolean
  }[]
}

interface RevokedView {
  readonly progress: { readonly state: string }
  readonly refusedAfterS: number | null
  readonly replicas: readonly {
    readonly node: string
    readonly refusedAfterMs: number | null
    readonly code: string | null
  }[]
  readonly mayHold: readonly string[] | null
  readonly opened: readonly { readonly atMs: number; readonly what: string; readonly source: string }[]
}

interface WhyOptions extends AgentOptions {
  readonly entry?: string
  readonly compartment?: string
  readonly right: string
  readonly at?: number
}

interface WhyView {
  readonly isAllowed: boolean
  readonly steps: readonly {
    readonly holds: boolean
    readonly because: string
    readonly proof: { readonly blockNumber: number; readonly transactionHash: string } | null
  }[]
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
    .addOption(new Option('--days <span>', 'only what is of these days, as 2026-01-01..2026-03-31').argParser(readDays))
    .option('--entry <ids...>', 'only these entries, to read')
    .option('--attribute <ids...>', 'only these parts of entries, as 0x…#/path, to read')
    .addOption(
      new Option(
        '--role-template <name>',
        'only if this rule allows it, by the asker’s credential on the chain'
      ).choices(Object.keys(ROLE_TEMPLATES))
    )
    .option('--care-team', 'the asker is of the care team, for rules that ask')
    .option('--preview', 'grant nothing: tell what the asker would see today')
    .action(give)
  withAgent(patient.command('explain <grant-or-address>').description('why somebody may, might or may not'))
    .option('--entry <id>', 'an entry')
    .addOption(new Option('--compartment <name>', 'or a part of the record').choices(COMPARTMENTS).conflicts('entry'))
    .addOption(new Option('--right <right>', 'to do what').choices(['read', 'write']).default('read'))
    .addOption(new Option('--at <time>', 'when; now if not given').argParser(readMoment))
    .action(why)
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
  const { to, request, check, purpose, from: fromS, until: untilS, days, roleTemplate, careTeam } = options
  const wish = {
    code: to == null ? undefined : await codeOf(to),
    request,
    check,
    compartments: readCompartments(options.compartment),
    rights: rightsOf(options),
    uses: options.once === true ? 1 : options.uses,
    fromS,
    untilS,
    purpose,
    days,
    items: readItems(options),
    roleTemplate,
    careTeam,
    custodians: options.custodians,
    threshold: options.threshold
  }
  if (options.preview === true) {
    const preview = await client.post<PreviewView>('/v1/patient/grants/preview', wish)
    print(options, preview, previewLines(preview))
    return
  }
  const answer = await client.post<{ grant: string; answer: ShownCode; progress: { state: string } }>(
    '/v1/patient/grants',
    wish
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
  const answer = await client.post<RevokedView>(`/v1/patient/grants/${readBytes32(grant)}/revoke`)
  const { progress, refusedAfterS, replicas, mayHold, opened } = answer
  const words =
    progress.state === 'done'
      ? refusedAfterS == null
        ? 'ended, but not every node refuses it yet'
        : `ended: every node that is watched refuses it after ${String(refusedAfterS)} s`
      : 'ends when the node answers'
  print(options, answer, [
    `Grant ${grant} ${words}.`,
    ...replicas.map(({ node, refusedAfterMs, code }) =>
      refusedAfterMs == null ? `  ${node}: not yet (${code ?? ''})` : `  ${node}: ${String(refusedAfterMs)} ms`
    ),
    mayHold == null
      ? 'What its holder may still hold could not be read just now.'
      : `Its holder may have kept ${String(mayHold.length)} entries; what is written from now on stays shut.`,
    ...opened.map(({ atMs, what, source }) => `  ${new Date(atMs).toISOString()} ${what} (${source})`)
  ])
}

async function why(who: string, options: WhyOptions): Promise<void> {
  const client = await connect(options)
  const { entry, compartment, right, at: atS } = options
  const answer = await client.post<WhyView>('/v1/patient/explanations', {
    who: who.toLowerCase(),
    entry,
    compartment,
    right,
    atS
  })
  print(options, answer, [
    answer.isAllowed ? 'Allowed.' : 'Not allowed.',
    ...answer.steps.map(({ holds, because, proof }) => {
      const place = proof == null ? '' : ` (block ${String(proof.blockNumber)}, transaction ${proof.transactionHash})`
      return `  ${holds ? 'yes' : 'NO'}: ${because}${place}`
    })
  ])
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

function previewLines({ words, sections }: PreviewView): string[] {
  return [
    words,
    ...sections.map(({ compartment, entries, isSensitive }) => {
      return `  ${compartment}: ${String(entries)}${isSensitive ? ' (sensitive)' : ''}`
    })
  ]
}

/** A span of days, as `2026-01-01..2026-03-31`; one day alone is a span too. */
export function readDays(text: string): { readonly from: string; readonly to: string } {
  const [, from, to = from] = /^(\d{4}-\d{2}-\d{2})(?:\.\.(\d{4}-\d{2}-\d{2}))?$/.exec(text) ?? []
  if (from == null || to == null || Number.isNaN(Date.parse(from)) || Number.isNaN(Date.parse(to)) || from > to) {
    throw new InvalidArgumentError('Expected days as 2026-01-01..2026-03-31.')
  }
  return { from, to }
}

/** Single entries and attributes, those of one entry together. */
export function readItems({
  entry = [],
  attribute = []
}: Pick<GrantOptions, 'entry' | 'attribute'>): { entry: string; paths: string[] }[] | undefined {
  const items = entry.map(id => ({ entry: id.toLowerCase(), paths: [] as string[] }))
  for (const text of attribute) {
    const [, id, path] = /^(0x[0-9a-fA-F]{32})#(\/.*)$/s.exec(text) ?? []
    if (id == null || path == null) throw new InvalidArgumentError('Expected an attribute as 0x…#/path.')
    const same = items.find(each => each.entry === id.toLowerCase() && each.paths.length > 0)
    if (same == null) items.push({ entry: id.toLowerCase(), paths: [path] })
    else same.paths.push(path)
  }
  return items.length === 0 ? undefined : items
}
