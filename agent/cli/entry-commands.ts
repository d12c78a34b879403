/** `salus patient entry …`, `salus clinician entry …`, `search`: entries with their revisions, and finding them. */
import { readFile } from 'node:fs/promises'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { connect, print, readCompartments, withAgent } from '#agent/cli/command.ts'
import { entryLine, type EntryView } from '#agent/cli/entry-view.ts'
import { typeOfFile } from '#agent/cli/file-type.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import { SalusError } from '#core/error.ts'
import { COMPARTMENTS } from '#core/record/compartment.ts'
import { readBytes32, readCount } from '#node/cli/options.ts'

interface RevisionView {
  readonly header: string
  readonly revision: number
  readonly author: { readonly kind: string; readonly address: string | null }
  readonly act: string | null
  readonly reason: string
  readonly type: string | null
  readonly text: string | null
  readonly code: string | null
}

interface ReadView {
  readonly status: string
  readonly standing: readonly RevisionView[]
  readonly proposed: readonly RevisionView[]
  readonly history: readonly RevisionView[]
  readonly comments: readonly { readonly entry: string; readonly standing: readonly RevisionView[] }[]
}

interface ReviseOptions extends AgentOptions {
  readonly because?: string
  readonly type?: string
  readonly header?: string
}

interface SearchOptions extends AgentOptions {
  readonly at?: string
  readonly code?: string
  readonly type?: string
  readonly status?: string
  readonly compartment?: readonly string[]
  readonly from?: string
  readonly to?: string
  readonly limit?: number
}

/** Whose entries: the path of the record, from what the command names before the entry. */
interface Place {
  /** Arguments that name the record, as `<grant> `. */
  readonly names: '' | '<grant> '
  readonly path: (grant: string) => string
}

/** The patient's own. */
export const OWN_RECORD: Place = { names: '', path: () => '/v1/patient' }

/** One that was granted. */
export const GRANTED_RECORD: Place = {
  names: '<grant> ',
  path: grant => `/v1/clinician/grants/${readBytes32(grant)}`
}

/** Adds the commands. */
export function addEntryCommands(parent: Command, place: Place): void {
  const entry = parent.command('entry').description('one entry: its versions, corrections, proposals and comments')
  const add = (name: string, about: string, rest = ''): Command =>
    withAgent(entry.command(`${name} ${place.names}<entry>${rest}`).description(about))
  const because = (command: Command): Command => command.option('--because <text>', 'why')
  const type = (command: Command): Command =>
    command.option('--type <type>', 'media type, if not as the name’s ending says')
  /** The grant, if there is one, the entry, and what else the command takes. */
  const split = (
    args: readonly unknown[]
  ): { grant: string; id: string; more: string | undefined; options: unknown } => {
    const words = args.slice(0, -2).map(each => (typeof each === 'string' ? each : undefined))
    const [grant, id, more] = place.names === '' ? ['', ...words] : words
    return { grant: grant ?? '', id: readEntryId(id ?? ''), more, options: args.at(-2) }
  }
  const act =
    (kind: string, takes: 'file' | 'header' | 'nothing' | 'either') =>
    async (...args: unknown[]): Promise<void> => {
      const { grant, id, more, options } = split(args)
      const chosen = options as ReviseOptions
      const file = takes === 'file' || takes === 'either' ? more : undefined
      const header = takes === 'header' ? more : chosen.header
      await revise(place.path(grant), id, { kind, file, header }, chosen)
    }
  add('show', 'all that is known of it').action(async (...args: unknown[]) => {
    const { grant, id, options } = split(args)
    await show(place.path(grant), id, options as AgentOptions)
  })
  because(type(add('update', 'what it says now', ' <file>'))).action(act('update', 'file'))
  because(type(add('correct', 'it was wrong: this is right', ' <file>'))).action(act('correct', 'file'))
  because(add('retract', 'it was made in error')).action(act('retract', 'nothing'))
  because(type(add('resolve', 'end a conflict with a file, or with one of its versions', ' [file]')))
    .option('--header <name>', 'the version')
    .action(act('resolve', 'either'))
  because(add('accept', 'take a proposal up', ' <header>')).action(act('accept', 'header'))
  because(add('decline', 'turn a proposal down', ' <header>')).action(act('decline', 'header'))
  because(type(add('comment', 'say something about it', ' <file>'))).action(act('comment', 'file'))
  const search = parent.command(`search ${place.names}[text]`).description('find entries, on this computer alone')
  if (place.names === '') {
    search.option('--at <url>', 'ask a node that keeps blind lists: it learns neither question nor answer')
    withAgent(parent.command('blind-lists <url>').description('hand a node lists for search --at')).action(handLists)
  }
  withAgent(search)
    .option('--code <code>', 'code, or system|code')
    .option('--type <type>', 'FHIR resource type')
    .option('--status <status>', 'its status')
    .addOption(new Option('--compartment <names...>', 'parts of the record').choices([...COMPARTMENTS, 'all']))
    .addOption(new Option('--from <day>', 'about this day or later, as 2026-12-31').argParser(readDay))
    .addOption(new Option('--to <day>', 'about this day or earlier').argParser(readDay))
    .addOption(new Option('--limit <n>', 'at most so many, up to 100').argParser(readCount))
    .action(async (...args: unknown[]) => {
      const words = args.slice(0, -2) as (string | undefined)[]
      const [grant = '', text] = place.names === '' ? ['', ...words] : words
      await find(place.path(grant), text, args.at(-2) as SearchOptions)
    })
}

async function show(path: string, id: string, options: AgentOptions): Promise<void> {
  const answer = await (await connect(options)).get<ReadView>(`${path}/entries/${id}`)
  const { status, standing, proposed, history, comments } = answer
  const names = (of: readonly RevisionView[]): string[] => of.map(({ header }) => header)
  print(options, answer, [
    `Entry ${id}: ${status}.`,
    ...history.map(each => {
      const place = names(standing).includes(each.header)
        ? 'stands'
        : names(proposed).includes(each.header)
          ? 'proposed'
          : 'before'
      return `  ${place} ${revisionLine(each)}`
    }),
    ...comments.flatMap(each => each.standing.map(comment => `  comment ${each.entry} ${revisionLine(comment)}`))
  ])
}

function revisionLine({ header, revision, author, act, reason, text, type, code }: RevisionView): string {
  const who = author.kind === 'patient' ? 'the patient' : (author.address ?? '')
  const what = code == null ? `${act ?? ''} ${text ?? type ?? ''}`.trim() : `(does not open: ${code})`
  return `${header} revision ${String(revision)} by ${who}: ${what}${reason === '' ? '' : ` because ${reason}`}`
}

async function revise(
  path: string,
  id: string,
  wish: { readonly kind: string; readonly file: string | undefined; readonly header: string | undefined },
  options: ReviseOptions
): Promise<void> {
  const { kind, file, header } = wish
  const client = await connect(options)
  const bytes = file == null ? new Uint8Array() : await readFile(file)
  if (file != null && bytes.length === 0) throw new SalusError('REVISION_SHAPE', `${file} is empty.`)
  const query = new URLSearchParams({ kind, ...(header == null ? {} : { header }) })
  const answer = await client.send<{ entry: string; waiting: number }>(
    `${path}/entries/${id}/revisions?${query.toString()}`,
    bytes,
    options.type ?? (file == null ? 'application/octet-stream' : await typeOfFile(file)),
    { 'salus-because': encodeURIComponent(options.because ?? '') }
  )
  const waits = answer.waiting === 0 ? '' : `; ${String(answer.waiting)} wait for the node`
  print(options, answer, `Entry ${answer.entry}: ${kind} written${waits}.`)
}

async function find(path: string, text: string | undefined, options: SearchOptions): Promise<void> {
  const { code, type, status, from, to, limit } = options
  const compartments = readCompartments(options.compartment)
  const client = await connect(options)
  const wish = { text, code, type, status, compartments, from, to, limit }
  const { at: node } = options
  if (node != null && (text ?? status ?? limit) != null) {
    throw new SalusError('BLIND_QUESTION', 'Nodes know only types and common codes; search on this computer instead.')
  }
  const answer =
    node == null
      ? await client.post<{ entries: readonly EntryView[] }>(`${path}/search`, wish)
      : await client.post<{ entries: readonly EntryView[] }>(`${path}/blind-search`, {
          ...{ node, code, type, compartments, from, to }
        })
  print(options, answer, answer.entries.map(entryLine))
}

async function handLists(node: string, options: AgentOptions): Promise<void> {
  const answer = await (await connect(options)).post<{ lists: number }>('/v1/patient/blind-lists', { node })
  print(options, answer, `The node keeps ${String(answer.lists)} lists. Hand them in again when the record has grown.`)
}

function readEntryId(text: string): string {
  if (/^0x[0-9a-fA-F]{32}$/.test(text)) return text.toLowerCase()
  throw new InvalidArgumentError('Expected an entry’s id: 0x and 32 hexadecimal digits.')
}

function readDay(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))) return text
  throw new InvalidArgumentError('Expected a day as 2026-12-31.')
}
