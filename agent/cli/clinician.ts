/** `salus clinician`: access to the records of others. */
import { readFile } from 'node:fs/promises'
import { Option, type Command } from 'commander'
import {
  codeOf,
  connect,
  drawCode,
  print,
  readCompartments,
  readDuration,
  walletOf,
  withAgent
} from '#agent/cli/command.ts'
import { writeBody } from '#agent/cli/body-out.ts'
import type { ShownCode } from '#agent/cli/command.ts'
import { readData, type DataOptions } from '#agent/cli/data.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import { addEntryCommands, GRANTED_RECORD } from '#agent/cli/entry-commands.ts'
import { addBreakglass } from '#agent/cli/glass.ts'
import { entryLine, type EntryView } from '#agent/cli/entry-view.ts'
import { typeOfFile } from '#agent/cli/file-type.ts'
import { rightsOf, withRights, type RightOptions } from '#agent/cli/patient-grants.ts'
import type { PassphraseOptions } from '#agent/cli/passphrase.ts'
import { ensureVault } from '#agent/cli/vault.ts'
import { COMPARTMENTS } from '#core/record/compartment.ts'
import { readBytes32, readCount } from '#node/cli/options.ts'

interface CreateOptions extends AgentOptions, PassphraseOptions {
  readonly device?: string
  readonly signer?: string
  readonly signerAddress?: string
}

interface RequestOptions extends AgentOptions, RightOptions {
  readonly name: string
  readonly compartment: readonly string[]
  readonly purpose: string
  readonly for?: number
  readonly once?: boolean
  readonly uses?: number
  readonly valid?: number
  readonly qr?: boolean
}

interface ReadOptions extends DataOptions {
  readonly entry?: string
  readonly out?: string
  readonly atOnce: boolean
}

/** Adds the commands. */
export function registerClinician(program: Command): void {
  const clinician = program.command('clinician').description('access to the records of others')
  withAgent(clinician.command('create').description('make a clinician; makes the vault if there is none'))
    .option('--passphrase-file <file>', 'file that holds the passphrase of a new vault')
    .option('--device <name>', 'what to call this device')
    .option('--signer <url>', 'wallet program that signs (JSON-RPC); a new key in the vault if not given')
    .option('--signer-address <address>', 'address of that wallet')
    .action(create)
  const request = withAgent(clinician.command('request').description('make a signed request, to be shown to a patient'))
    .requiredOption('--name <text>', 'what the patient is to read')
    .addOption(
      new Option('--compartment <names...>', 'parts of the record')
        .choices([...COMPARTMENTS, 'all'])
        .makeOptionMandatory()
    )
    .option('--purpose <text>', 'what for', 'treatment')
  withRights(request)
    .addOption(new Option('--for <time>', 'for how long, as 30d').argParser(readDuration))
    .option('--once', 'for one use')
    .addOption(new Option('--uses <n>', 'for so many uses').argParser(readCount).conflicts('once'))
    .addOption(new Option('--valid <time>', 'how long the code may be answered').argParser(readDuration))
    .option('--qr', 'draw it as QR codes')
    .action(ask)
  withAgent(
    clinician.command('claim <code-or-grant>').description('take an answer, or one more use of a grant')
  ).action(claim)
  withAgent(clinician.command('list').description('everything that was granted')).action(list)
  withAgent(clinician.command('read <grant>').description('list a record, or write one entry to a file'))
    .option('--entry <name>', 'the entry')
    .option('--out <file>', 'where its body goes; standard output if not given')
    .option('--after <position>', 'begin after this position', readCount, 0)
    .option('--limit <n>', 'at most so many', readCount, 100)
    .option('--at-once', 'what is here now, and whether it is current', false)
    .addOption(new Option('--wait <time>', 'as --at-once, but wait for something new').argParser(readDuration))
    .action(read)
  withAgent(clinician.command('write <grant> <file>').description('write a file into a record'))
    .addOption(new Option('--compartment <name>', 'where it goes').choices(COMPARTMENTS).makeOptionMandatory())
    .option('--type <type>', 'media type, if not as the name’s ending says')
    .action(write)
  addEntryCommands(clinician, GRANTED_RECORD)
  addBreakglass(clinician)
}

async function create(options: CreateOptions): Promise<void> {
  const client = await connect(options)
  await ensureVault(client, options)
  const answer = await client.post<{ address: string }>('/v1/clinician', walletOf(options))
  print(options, answer, `Clinician ${answer.address}.`)
}

async function ask(options: RequestOptions): Promise<void> {
  const client = await connect(options)
  const { name, purpose, for: durationS, valid: validS } = options
  const { code } = await client.post<{ code: ShownCode }>('/v1/clinician/requests', {
    name,
    purpose,
    durationS,
    validS,
    compartments: readCompartments(options.compartment),
    rights: rightsOf(options) ?? ['read'],
    uses: options.once === true ? 1 : options.uses
  })
  const drawn = options.qr === true ? drawCode(code) : []
  print(options, { code }, [`Check number ${code.check}`, ...drawn, code.text])
}

async function claim(codeOrGrant: string, options: AgentOptions): Promise<void> {
  const client = await connect(options)
  const isGrant = /^0x[0-9a-fA-F]{64}$/.test(codeOrGrant)
  const body = isGrant ? { grant: readBytes32(codeOrGrant) } : { code: await codeOf(codeOrGrant) }
  const answer = await client.post<{ grant: string; usesLeft: number | null; keys?: string }>(
    '/v1/clinician/claims',
    body
  )
  const left = answer.usesLeft == null ? '' : `; ${String(answer.usesLeft)} uses are left`
  const { keys = 'held' } = answer
  const held = keys === 'held' ? 'is held' : `is claimed; its custodians do not give the keys yet (${keys})`
  print(options, answer, `Grant ${answer.grant} ${held}${left}.`)
}

async function list(options: AgentOptions): Promise<void> {
  const answer = await (
    await connect(options)
  ).get<{ grants: readonly { grant: string; patient: string; state: string; rights: readonly string[] }[] }>(
    '/v1/clinician/grants'
  )
  print(
    options,
    answer,
    answer.grants.map(({ grant, patient, state, rights }) => `${grant} ${state} ${rights.join(', ')} of ${patient}`)
  )
}

async function read(grant: string, options: ReadOptions): Promise<void> {
  const client = await connect(options)
  const path = `/v1/clinician/grants/${readBytes32(grant)}/entries`
  if (options.entry == null && (options.atOnce || options.wait != null)) {
    await readData(client, readBytes32(grant), options)
    return
  }
  if (options.entry == null) {
    const query = `after=${String(options.after)}&limit=${String(Math.min(100, options.limit))}`
    const page = await client.get<{ entries: readonly EntryView[]; next: number | null }>(`${path}?${query}`)
    print(options, page, page.entries.map(entryLine))
    return
  }
  await writeBody(client, `${path}/${encodeURIComponent(options.entry)}`, options)
}

async function write(
  grant: string,
  file: string,
  options: AgentOptions & { compartment: string; type?: string }
): Promise<void> {
  const client = await connect(options)
  const { compartment, type = await typeOfFile(file) } = options
  const path = `/v1/clinician/grants/${readBytes32(grant)}/entries?compartment=${compartment}`
  const answer = await client.send<{ entry: string }>(path, await readFile(file), type)
  print(options, answer, `Entry ${answer.entry} written.`)
}
